resource "kubernetes_pod_v1" "line" {
  metadata { name = "line" }
  spec {
    host_network = true
    container {
      name  = "line"
      image = "nginxinc/nginx-unprivileged:1.27"
      security_context { privileged = true }
      resources { limits = { memory = "64Mi" } }
    }
    restart_policy = "Always"
  }
}

resource "kubernetes_namespace_v1" "line" {
  metadata { name = "line" }
}
