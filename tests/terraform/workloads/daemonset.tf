resource "kubernetes_daemonset" "agent" {
  metadata {
    name      = "agent"
    namespace = "observability"
  }

  spec {
    selector {
      match_labels = {
        app = "agent"
      }
    }

    template {
      metadata {
        labels = {
          app = "agent"
        }
      }

      spec {
        host_network = true
        dns_policy   = "ClusterFirstWithHostNet"

        toleration {
          key      = "node-role.kubernetes.io/control-plane"
          operator = "Exists"
          effect   = "NoSchedule"
        }

        container {
          name  = "agent"
          image = "registry.example.com/agent:1.0.0"

          security_context {
            privileged = true
          }

          volume_mount {
            name       = "logs"
            mount_path = "/var/log"
            read_only  = true
          }
        }

        volume {
          name = "logs"

          host_path {
            path = "/var/log"
          }
        }
      }
    }
  }
}
