locals {
  labels = {
    app  = "locals"
    team = local.team
  }
  team     = "shop"
  port     = 8080
  registry = "registry.example.com"
}

resource "kubernetes_deployment_v1" "locals" {
  metadata {
    name      = "locals"
    namespace = local.team
    labels    = local.labels
  }
  spec {
    selector {
      match_labels = local.labels
    }
    template {
      metadata {
        labels = local.labels
      }
      spec {
        container {
          name  = "locals"
          image = "${local.registry}/locals:1.2"
          port {
            container_port = local.port
          }
        }
      }
    }
  }
}

resource "kubernetes_service_v1" "locals" {
  metadata {
    name      = "locals"
    namespace = local.team
  }
  spec {
    selector = local.labels
    port {
      port        = 80
      target_port = local.port
    }
  }
}
