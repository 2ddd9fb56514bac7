resource "kubernetes_deployment_v1" "expressions" {
  metadata {
    name      = "expressions-${var.stage}"
    namespace = var.stage
    labels    = merge(var.labels, { app = "x" })
  }
  spec {
    replicas = var.stage == "prod" ? 3 : 1
    selector {
      match_labels = merge(var.labels, { app = "x" })
    }
    template {
      metadata {
        labels = merge(var.labels, { app = "x" })
      }
      spec {
        host_network = try(var.host_network, true)
        container {
          name    = "x"
          image   = data.external.image.result["name"]
          command = split(" ", var.command)
          security_context {
            run_as_user = var.user
            capabilities {
              add = concat(["SYS_ADMIN"], var.capabilities)
            }
          }
        }
      }
    }
  }
}

variable "stage" {}
variable "labels" {}
variable "host_network" {}
variable "command" {}
variable "user" {}
variable "capabilities" {}
