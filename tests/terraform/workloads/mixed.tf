terraform {
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }
}

provider "kubernetes" {
  config_path = "~/.kube/config"
}

data "kubernetes_secret_v1" "other" {
  metadata {
    name = "other"
  }
}

resource "kubernetes_labels" "node" {
  api_version = "v1"
  kind        = "Node"
  metadata {
    name = "node-1"
  }
  labels = {
    "owner" = "myteam"
  }
}

resource "kubernetes_config_map_v1_data" "more" {
  metadata {
    name = "settings"
  }
  data = {
    "owner" = "myteam"
  }
}

resource "kubernetes_pod_v1" "mixed" {
  metadata {
    name = "mixed"
  }
  spec {
    container {
      name  = "mixed"
      image = "nginxinc/nginx-unprivileged:1.27"
      env {
        name  = "TOKEN"
        value = data.kubernetes_secret_v1.other.data["token"]
      }
    }
  }
  lifecycle {
    ignore_changes = [metadata]
  }
}

output "name" {
  value = kubernetes_pod_v1.mixed.metadata[0].name
}
