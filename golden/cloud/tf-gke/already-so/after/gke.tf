resource "google_container_cluster" "prod" {
  workload_identity_config {
    workload_pool = "shop.svc.id.goog"
  }

  node_config {
    service_account = google_service_account.nodes.email

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}
