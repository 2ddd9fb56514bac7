resource "azurerm_kubernetes_cluster" "prod" {
  name = "prod"
}
