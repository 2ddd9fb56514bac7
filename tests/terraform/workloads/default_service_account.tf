resource "kubernetes_default_service_account" "example" {
  metadata {
    namespace = "terraform-example"
  }
}

resource "kubernetes_default_service_account_v1" "other" {
  metadata {
    namespace = "other"
  }
  automount_service_account_token = true
}
