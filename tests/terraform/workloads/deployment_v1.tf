resource "kubernetes_deployment_v1" "api" {
  wait_for_rollout = false

  metadata {
    name      = "api"
    namespace = "shop"

    labels = { "app.kubernetes.io/name" = "api" }
  }

  spec {
    replicas               = "2"
    revision_history_limit = 3

    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_surge       = "25%"
        max_unavailable = "1"
      }
    }

    selector {
      match_labels = { "app.kubernetes.io/name" = "api" }
    }

    template {
      metadata {
        labels = { "app.kubernetes.io/name" = "api" }
      }

      spec {
        service_account_name = "api"

        security_context {
          run_as_non_root = true
          run_as_user     = "1000"
          fs_group        = 2000
        }

        container {
          name  = "api"
          image = "registry.example.com/shop/api:3.4.5"

          security_context {
            read_only_root_filesystem  = true
            allow_privilege_escalation = false
          }

          port {
            name           = "http"
            container_port = 8080
          }
        }

        container {
          name  = "sidecar"
          image = "registry.example.com/shop/sidecar:1.2.3"
        }
      }
    }
  }
}
