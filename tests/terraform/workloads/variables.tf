variable "image" {
  type    = string
  default = "nginxinc/nginx-unprivileged:1.27"
}

variable "tag" {
  type = string
}

variable "privileged" {
  type    = bool
  default = true
}

variable "password" {
  type      = string
  default   = "correct-horse-battery"
  sensitive = true
}

resource "kubernetes_pod_v1" "variables" {
  metadata {
    name      = "variables"
    namespace = "vars"
  }
  spec {
    container {
      name  = "known"
      image = var.image
      env {
        name  = "PASSWORD"
        value = var.password
      }
      security_context {
        privileged = var.privileged
      }
    }
    container {
      name  = "unknown"
      image = "registry.example.com/x:${var.tag}"
    }
  }
}
