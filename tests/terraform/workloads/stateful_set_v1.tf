resource "kubernetes_stateful_set_v1" "store" {
  metadata {
    name      = "store"
    namespace = "data"
  }
  spec {
    service_name = "store"
    selector {
      match_labels = { app = "store" }
    }
    template {
      metadata {
        labels = { app = "store" }
      }
      spec {
        init_container {
          name    = "permissions"
          image   = "busybox:1.36"
          command = ["sh", "-c", "chown -R 1000:1000 /var/store"]
          volume_mount {
            name       = "store"
            mount_path = "/var/store"
          }
        }
        container {
          name  = "store"
          image = "registry.example.com/data/store:9"
          security_context {
            run_as_user = 1000
          }
          volume_mount {
            name       = "store"
            mount_path = "/var/store"
          }
        }
        volume {
          name = "store"
          empty_dir {
            size_limit = "1Gi"
          }
        }
      }
    }
  }
}
