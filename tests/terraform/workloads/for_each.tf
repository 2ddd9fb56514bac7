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
