resource "azurerm_kubernetes_cluster" "prod" {
  name = "prod"
}

resource "azurerm_monitor_diagnostic_setting" "aks" {
  target_resource_id = azurerm_kubernetes_cluster.prod.id

  enabled_log {
    category = "kube-audit-admin"
  }

  enabled_log {
    category = "guard"
  }
}
