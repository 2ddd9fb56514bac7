resource "kubernetes_secret_v1" "token" {
  metadata {
    annotations = {
      "kubernetes.io/service-account.name" = "my-service-account"
    }

    generate_name = "my-service-account-"
  }

  type                           = "kubernetes.io/service-account-token"
  wait_for_service_account_token = true
}
