# Fields that the mapping does not know yet are read by their names.
resource "kubernetes_deployment_v1" "newer" {
  metadata {
    name = "newer"
  }
  spec {
    selector {
      match_labels = { app = "newer" }
    }
    template {
      metadata {
        labels = { app = "newer" }
      }
      spec {
        host_users = false
        resource_claim {
          name = "gpu"
        }
        container {
          name  = "newer"
          image = "registry.example.com/newer:1"
        }
      }
    }
  }
}
