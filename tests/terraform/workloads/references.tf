resource "kubernetes_namespace" "team" {
  metadata {
    name = "team"
  }
}

resource "kubernetes_service_account" "bot" {
  metadata {
    name      = "bot"
    namespace = kubernetes_namespace.team.metadata.0.name
  }
}

resource "kubernetes_cluster_role_binding" "bot" {
  metadata {
    name = "bot"
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "view"
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.bot.metadata[0].name
    namespace = kubernetes_service_account.bot.metadata[0].namespace
  }
}

resource "kubernetes_deployment" "bot" {
  metadata {
    name      = "bot"
    namespace = kubernetes_namespace.team.metadata.0.name
  }
  spec {
    selector {
      match_labels = { app = "bot" }
    }
    template {
      metadata {
        labels = { app = "bot" }
      }
      spec {
        service_account_name = kubernetes_service_account.bot.metadata[0].name
        container {
          name  = "bot"
          image = "bitnami/kubectl:1.31"
        }
      }
    }
  }
}
