resource "kubernetes_service_v1" "web" {
  metadata {
    name = "web"
  }
  spec {
    selector = {
      app = "web"
    }
    port {
      name        = "http"
      port        = 80
      target_port = "http"
      node_port   = 30080
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
    }
    external_ips = ["203.0.113.7"]
    type         = "NodePort"
  }
}

resource "kubernetes_pod_v1" "web" {
  metadata {
    name   = "web"
    labels = { app = "web" }
  }
  spec {
    container {
      name  = "web"
      image = "nginx:1.27"
      port {
        name           = "http"
        container_port = 80
      }
    }
  }
}
