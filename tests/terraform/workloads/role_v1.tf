resource "kubernetes_role_v1" "all" {
  metadata {
    name      = "all"
    namespace = "shop"
  }
  rule {
    api_groups = ["*"]
    resources  = ["*"]
    verbs      = ["*"]
  }
}
