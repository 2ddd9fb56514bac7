resource "kubernetes_pod_v1" "waived" {
  metadata {
    name = "waived"
  }
  spec {
    host_network = true # harden: ignore[no-host-network] it serves the node
    # harden: ignore[read-only-root-filesystem] it writes where it stands
    container {
      name  = "waived"
      image = "nginxinc/nginx-unprivileged:1.27"
      # checkov:skip=CKV_K8S_11: a limit stops it
      # checkov:skip=CKV_K8S_13: and this one, too
    }
  }
}
