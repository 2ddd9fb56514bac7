resource "kubernetes_job_v1" "migrate" {
  metadata {
    name = "migrate"
  }
  spec {
    completions                = 1
    ttl_seconds_after_finished = "10"
    template {
      metadata {
        labels = { job = "migrate" }
      }
      spec {
        automount_service_account_token = true
        container {
          name  = "migrate"
          image = "registry.example.com/shop/migrate:3.4.5"
          env {
            name = "DATABASE_PASSWORD"
            value_from {
              secret_key_ref {
                name = "database"
                key  = "password"
              }
            }
          }
          env_from {
            config_map_ref {
              name = "settings"
            }
          }
        }
        restart_policy = "OnFailure"
      }
    }
  }
  wait_for_completion = false
}
