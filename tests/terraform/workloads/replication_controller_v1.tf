resource "kubernetes_replication_controller_v1" "example" {
  metadata {
    name = "example-v1"
  }
  spec {
    replicas = 1
    selector = { test = "v1" }
    template {
      metadata {
        labels = { test = "v1" }
      }
      spec {
        container {
          image             = "memcached:1.6"
          name              = "cache"
          image_pull_policy = "IfNotPresent"
        }
      }
    }
  }
}
