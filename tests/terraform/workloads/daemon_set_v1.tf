resource "kubernetes_daemon_set_v1" "proxy" {
  metadata {
    name = "proxy"
  }

  spec {
    selector {
      match_labels = { app = "proxy" }
    }

    strategy {
      type = "OnDelete"
    }

    template {
      metadata {
        labels = { app = "proxy" }
      }

      spec {
        container {
          name  = "proxy"
          image = "haproxy:2.9"

          port {
            container_port = 8443
            host_port      = 8443
            protocol       = "TCP"
          }
        }
      }
    }
  }
}
