resource "kubernetes_service_account_v1" "quiet" {
  metadata {
    name = "quiet"
  }
  automount_service_account_token = false
}

resource "kubernetes_deployment_v1" "quiet" {
  metadata {
    name = "quiet"
  }
  spec {
    selector {
      match_labels = { app = "quiet" }
    }
    template {
      metadata {
        labels = { app = "quiet" }
      }
      spec {
        service_account_name = kubernetes_service_account_v1.quiet.metadata[0].name
        container {
          name  = "quiet"
          image = "nginxinc/nginx-unprivileged:1.27"
        }
      }
    }
  }
}
