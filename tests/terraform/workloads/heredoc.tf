resource "kubernetes_deployment_v1" "heredoc" {
  metadata {
    name = "heredoc"
  }
  spec {
    selector {
      match_labels = { app = "heredoc" }
    }
    template {
      metadata {
        labels = { app = "heredoc" }
      }
      spec {
        container {
          name    = "heredoc"
          image   = "python:3.12-slim"
          command = ["sh", "-c"]
          args = [<<-EOT
            set -e
            exec python -m http.server 8080
          EOT
          ]
        }
      }
    }
  }
}
