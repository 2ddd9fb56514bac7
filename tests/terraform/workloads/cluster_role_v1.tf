resource "kubernetes_cluster_role_v1" "sum" {
  metadata {
    name = "sum"
  }
  aggregation_rule {
    cluster_role_selectors {
      match_labels = {
        foo = "bar"
      }
      match_expressions {
        key      = "environment"
        operator = "In"
        values   = ["non-exists-12345"]
      }
    }
  }
}

resource "kubernetes_cluster_role_v1" "tokens" {
  metadata {
    name = "tokens"
  }
  rule {
    api_groups = [""]
    resources  = ["serviceaccounts/token", "secrets"]
    verbs      = ["create", "get", "list"]
  }
}
