resource "kubernetes_pod_v1" "volumes" {
  metadata {
    name = "volumes"
  }
  spec {
    container {
      name  = "main"
      image = "registry.example.com/volumes:1"
      volume_mount {
        name              = "all"
        mount_path        = "/all"
        mount_propagation = "None"
      }
    }
    volume {
      name = "socket"
      host_path {
        path = "/var/run/docker.sock"
        type = "Socket"
      }
    }
    volume {
      name = "all"
      projected {
        default_mode = "0400"
        sources {
          service_account_token {
            path               = "token"
            expiration_seconds = 3600
          }
          config_map {
            name = "settings"
            items {
              key  = "a"
              path = "a"
              mode = "0440"
            }
          }
        }
        sources {
          secret {
            name = "key"
          }
        }
      }
    }
    volume {
      name = "memory"
      empty_dir {
        medium = "Memory"
      }
    }
    volume {
      name = "csi"
      csi {
        driver    = "secrets-store.csi.k8s.io"
        read_only = true
        volume_attributes = {
          secretProviderClass = "shop"
        }
      }
    }
  }
}
