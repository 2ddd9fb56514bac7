resource "kubernetes_namespace" "example" {
  metadata {
    annotations = {
      name = "example-annotation"
    }

    labels = {
      mylabel = "label-value"
    }

    name = "terraform-example-namespace"
  }
}

resource "kubernetes_pod" "inside" {
  metadata {
    name      = "inside"
    namespace = kubernetes_namespace.example.metadata[0].name
  }
  spec {
    container {
      name  = "inside"
      image = "nginxinc/nginx-unprivileged:1.27"
      port {
        container_port = 8080
      }
    }
  }
}
