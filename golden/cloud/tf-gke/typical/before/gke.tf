resource "google_container_cluster" "prod" {
  enable_legacy_abac = true # since 2017

  workload_identity_config {
    workload_pool = "shop.svc.id.goog"
  }
}

resource "google_container_node_pool" "default" {
  cluster = google_container_cluster.prod.name

  node_config {
    service_account = google_service_account.nodes.email

    workload_metadata_config {
      mode = "GCE_METADATA"
    }
  }
}

resource "google_container_node_pool" "batch" {
  cluster = google_container_cluster.prod.name

  node_config {
    machine_type = "e2-standard-4"
    oauth_scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }
}
