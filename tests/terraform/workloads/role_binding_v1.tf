resource "kubernetes_role_binding_v1" "anyone" {
  metadata {
    name      = "anyone"
    namespace = "shop"
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "view"
  }
  subject {
    kind      = "Group"
    name      = "system:unauthenticated"
    api_group = "rbac.authorization.k8s.io"
  }
  subject {
    kind      = "Group"
    name      = "shop"
    api_group = "rbac.authorization.k8s.io"
  }
}
