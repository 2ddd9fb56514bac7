resource "kubernetes_stateful_set" "redis" {
  metadata {
    name = "redis"
  }

  spec {
    service_name          = "redis"
    pod_management_policy = "Parallel"
    replicas              = 1

    selector {
      match_labels = {
        k8s-app = "redis"
      }
    }

    template {
      metadata {
        labels = {
          k8s-app = "redis"
        }
      }

      spec {
        container {
          name  = "redis"
          image = "redis:7.2"

          port {
            container_port = 6379
          }

          volume_mount {
            name       = "data"
            mount_path = "/data"
            sub_path   = ""
          }
        }

        termination_grace_period_seconds = 300
      }
    }

    update_strategy {
      type = "RollingUpdate"

      rolling_update {
        partition = 1
      }
    }

    volume_claim_template {
      metadata {
        name = "data"
      }

      spec {
        access_modes       = ["ReadWriteOnce"]
        storage_class_name = "standard"

        resources {
          requests = {
            storage = "16Gi"
          }
        }
      }
    }
  }
}
