resource "azurerm_kubernetes_cluster" "prod" {
  local_account_disabled    = true
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
}
