resource "google_container_cluster" "prod" {
  master_auth {
    client_certificate_config {
      issue_client_certificate = true
    }
  }

  node_config {
    workload_metadata_config {
      mode = var.mode
    }
  }
}
