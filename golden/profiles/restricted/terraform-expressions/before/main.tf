variable "sidecars" {
  type = map(string)
}

resource "kubernetes_deployment_v1" "dynamic" {
  metadata {
    name = "dynamic"
  }
  spec {
    selector {
      match_labels = { app = "dynamic" }
    }
    template {
      metadata {
        labels = { app = "dynamic" }
      }
      spec {
        container {
          name  = "main"
          image = "nginxinc/nginx-unprivileged:1.27"

          dynamic "env" {
            for_each = { A = "1", B = "2" }
            content {
              name  = env.key
              value = env.value
            }
          }

          security_context {
            privileged = true
          }
        }

        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }
      }
    }
  }
}

resource "kubernetes_deployment_v1" "all" {
  metadata {
    name = "all"
  }
  spec {
    selector {
      match_labels = { app = "all" }
    }
    template {
      metadata {
        labels = { app = "all" }
      }
      spec {
        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }
        dynamic "security_context" {
          for_each = [1]
          content {
            run_as_user = 1000
          }
        }
      }
    }
  }
}
resource "kubernetes_deployment_v1" "workers" {
  for_each = toset(["a", "b"])

  metadata {
    name      = "worker-${each.key}"
    namespace = "work"
  }
  spec {
    selector {
      match_labels = { app = each.key }
    }
    template {
      metadata {
        labels = { app = each.key }
      }
      spec {
        host_ipc = true
        container {
          name  = "worker"
          image = "registry.example.com/worker:5"
        }
      }
    }
  }
}

resource "kubernetes_namespace_v1" "each" {
  for_each = var.namespaces
  metadata {
    name = each.value
  }
}

variable "namespaces" {
  type    = set(string)
  default = ["one", "two"]
}
variable "image" {
  type    = string
  default = "nginxinc/nginx-unprivileged:1.27"
}

variable "tag" {
  type = string
}

variable "privileged" {
  type    = bool
  default = true
}

variable "password" {
  type      = string
  default   = "correct-horse-battery"
  sensitive = true
}

resource "kubernetes_pod_v1" "variables" {
  metadata {
    name      = "variables"
    namespace = "vars"
  }
  spec {
    container {
      name  = "known"
      image = var.image
      env {
        name  = "PASSWORD"
        value = var.password
      }
      security_context {
        privileged = var.privileged
      }
    }
    container {
      name  = "unknown"
      image = "registry.example.com/x:${var.tag}"
    }
  }
}
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
