variable "sidecars" {
  type = map(string)
}

resource "kubernetes_deployment_v1" "dynamic" {
  metadata {
    name = "dynamic"
  }
  spec {
    selector {
      match_labels = { app = "dynamic" }
    }
    template {
      metadata {
        labels = { app = "dynamic" }
      }
      spec {
        container {
          name  = "main"
          image = "nginxinc/nginx-unprivileged:1.27"

          dynamic "env" {
            for_each = { A = "1", B = "2" }
            content {
              name  = env.key
              value = env.value
            }
          }

          security_context {
            privileged = true
          }
        }

        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }
      }
    }
  }
}

resource "kubernetes_deployment_v1" "all" {
  metadata {
    name = "all"
  }
  spec {
    selector {
      match_labels = { app = "all" }
    }
    template {
      metadata {
        labels = { app = "all" }
      }
      spec {
        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }
        dynamic "security_context" {
          for_each = [1]
          content {
            run_as_user = 1000
          }
        }
      }
    }
  }
}
