resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "backup"
    namespace = "data"
  }
  spec {
    schedule = "*/30 * * * *"
    timezone = "Etc/UTC"
    job_template {
      metadata {}
      spec {
        template {
          metadata {
            labels = { app = "backup" }
          }
          spec {
            host_ipc = false
            container {
              name  = "backup"
              image = "restic/restic:0.17.0"
              args  = ["backup", "/data"]
              volume_mount {
                name       = "data"
                mount_path = "/data"
              }
            }
            volume {
              name = "data"
              persistent_volume_claim {
                claim_name = "data"
              }
            }
            restart_policy = "Never"
          }
        }
      }
    }
  }
}
