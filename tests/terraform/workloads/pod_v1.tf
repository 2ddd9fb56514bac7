# A pod of the provider's documentation, with DNS of its own.
resource "kubernetes_pod_v1" "nginx" {
  metadata {
    name = "nginx"
  }

  spec {
    host_pid = true # to see the workers

    container {
      image = "nginx:1.21.6"
      name  = "nginx"

      env {
        name  = "environment"
        value = "test"
      }

      port {
        container_port = 80
      }

      liveness_probe {
        http_get {
          path = "/"
          port = 80

          http_header {
            name  = "X-Custom-Header"
            value = "Awesome"
          }
        }

        initial_delay_seconds = 3
        period_seconds        = 3
      }
    }

    dns_config {
      nameservers = ["1.1.1.1", "8.8.8.8", "9.9.9.9"]
      searches    = ["example.com"]

      option {
        name  = "ndots"
        value = 1
      }

      option {
        name = "use-vc"
      }
    }

    dns_policy = "None"
  }
}
