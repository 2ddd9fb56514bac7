resource "google_container_node_pool" "workers" {
  cluster = var.cluster

  node_config {
    machine_type = "e2-standard-4"
  }
}
