resource "google_container_cluster" "none" {
  logging_service = "none"
}

resource "google_container_cluster" "few" {
  logging_config {
    enable_components = ["WORKLOADS"]
  }
}
