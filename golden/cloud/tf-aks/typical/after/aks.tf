resource "azurerm_kubernetes_cluster" "prod" {
  role_based_access_control_enabled = false
  local_account_disabled            = var.no_local_accounts
}
