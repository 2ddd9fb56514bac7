resource "kubernetes_persistent_volume_v1" "host" {
  metadata {
    name = "host"
  }
  spec {
    capacity = {
      storage = "2Gi"
    }
    access_modes = ["ReadWriteMany"]
    persistent_volume_source {
      host_path {
        path = "/srv/data"
      }
    }
  }
}
