resource "kubernetes_pod" "echo" {
  metadata {
    name = "echo"
    labels = {
      app = "echo"
    }
  }

  spec {
    container {
      image = "hashicorp/http-echo:1.0"
      name  = "echo"
      args  = ["-listen=:8080", "-text=hello"]

      port {
        container_port = 8080
      }
    }
  }
}
