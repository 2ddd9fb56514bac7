resource "kubernetes_pod_v1" "maybe" {
  count = var.enabled ? 1 : 0

  metadata {
    name   = "maybe"
    labels = { app = "maybe" }
  }
  spec {
    host_network = var.enabled
    container {
      name  = "maybe"
      image = "nginxinc/nginx-unprivileged:1.27"
      security_context {
        allow_privilege_escalation = true
      }
    }
  }
}

variable "enabled" {
  type    = bool
  default = true
}
