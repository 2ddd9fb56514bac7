variable "sidecars" {
  type = map(string)
}

resource "kubernetes_deployment_v1" "dynamic" {
  metadata {
    name = "dynamic"
  }
  spec {
    selector {
      match_labels = { app = "dynamic" }
    }
    template {
      metadata {
        labels = { app = "dynamic" }
      }
      spec {
        container {
          name  = "main"
          image = "nginxinc/nginx-unprivileged:1.27"

          dynamic "env" {
            for_each = { A = "1", B = "2" }
            content {
              name  = env.key
              value = env.value
            }
          }

          security_context {
            allow_privilege_escalation = false
            run_as_non_root            = true

            capabilities {
              drop = ["ALL"]
            }
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "128Mi"
            }
            limits = {
              cpu    = "1"
              memory = "2Gi"
            }
          }
        }

        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }

        security_context {
          seccomp_profile {
            type = "RuntimeDefault"
          }
        }
      }
    }
  }
}

resource "kubernetes_network_policy_v1" "harden_dynamic" {
  metadata {
    name = "harden-dynamic"
    labels = {
      "app.kubernetes.io/managed-by" = "harden"
    }
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = {
        app = "dynamic"
      }
    }

    egress {
      to {
        namespace_selector {
          match_expressions {
            key      = "kubernetes.io/metadata.name"
            operator = "In"
            values   = ["kube-system"]
          }
        }

        pod_selector {
          match_expressions {
            key      = "k8s-app"
            operator = "In"
            values   = ["kube-dns"]
          }
        }
      }

      to {
        ip_block {
          cidr = "169.254.20.10/32"
        }
      }

      ports {
        protocol = "UDP"
        port     = 53
      }

      ports {
        protocol = "TCP"
        port     = 53
      }
    }

    egress {
      to {
        ip_block {
          cidr   = "0.0.0.0/0"
          except = ["169.254.169.254/32"]
        }
      }
    }
  }
}

resource "kubernetes_deployment_v1" "all" {
  metadata {
    name = "all"
  }
  spec {
    selector {
      match_labels = { app = "all" }
    }
    template {
      metadata {
        labels = { app = "all" }
      }
      spec {
        dynamic "container" {
          for_each = var.sidecars
          content {
            name  = container.key
            image = container.value
          }
        }
        dynamic "security_context" {
          for_each = [1]
          content {
            run_as_user = 1000
          }
        }
      }
    }
  }
}

resource "kubernetes_network_policy_v1" "harden_all" {
  metadata {
    name = "harden-all"
    labels = {
      "app.kubernetes.io/managed-by" = "harden"
    }
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = {
        app = "all"
      }
    }

    egress {
      to {
        namespace_selector {
          match_expressions {
            key      = "kubernetes.io/metadata.name"
            operator = "In"
            values   = ["kube-system"]
          }
        }

        pod_selector {
          match_expressions {
            key      = "k8s-app"
            operator = "In"
            values   = ["kube-dns"]
          }
        }
      }

      to {
        ip_block {
          cidr = "169.254.20.10/32"
        }
      }

      ports {
        protocol = "UDP"
        port     = 53
      }

      ports {
        protocol = "TCP"
        port     = 53
      }
    }

    egress {
      to {
        ip_block {
          cidr   = "0.0.0.0/0"
          except = ["169.254.169.254/32"]
        }
      }
    }
  }
}
resource "kubernetes_deployment_v1" "workers" {
  for_each = toset(["a", "b"])

  metadata {
    name      = "worker-${each.key}"
    namespace = "work"
  }
  spec {
    selector {
      match_labels = { app = each.key }
    }
    template {
      metadata {
        labels = { app = each.key }
      }
      spec {
        automount_service_account_token = false

        container {
          name  = "worker"
          image = "registry.example.com/worker:5"

          resources {
            requests = {
              cpu    = "25m"
              memory = "128Mi"
            }
            limits = {
              cpu    = "1"
              memory = "2Gi"
            }
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true
            run_as_non_root            = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "harden-worker-tmp"
            mount_path = "/tmp"
          }
        }

        security_context {
          run_as_non_root = true
          run_as_user     = 65532

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        volume {
          name = "harden-worker-tmp"

          empty_dir {}
        }
      }
    }
  }
}

resource "kubernetes_namespace_v1" "each" {
  for_each = var.namespaces
  metadata {
    name = each.value
    labels = {
      "pod-security.kubernetes.io/audit"         = "restricted"
      "pod-security.kubernetes.io/audit-version" = "v1.36"
      "pod-security.kubernetes.io/warn"          = "restricted"
      "pod-security.kubernetes.io/warn-version"  = "v1.36"
    }
  }
}

variable "namespaces" {
  type    = set(string)
  default = ["one", "two"]
}
variable "image" {
  type    = string
  default = "nginxinc/nginx-unprivileged:1.27"
}

variable "tag" {
  type = string
}

variable "privileged" {
  type    = bool
  default = true
}

variable "password" {
  type      = string
  default   = "correct-horse-battery"
  sensitive = true
}

resource "kubernetes_pod_v1" "variables" {
  metadata {
    name      = "variables"
    namespace = "vars"
    labels = {
      "app.kubernetes.io/name" = "variables"
    }
  }
  spec {
    automount_service_account_token = false

    container {
      name  = "known"
      image = var.image
      env {
        name  = "PASSWORD"
        value = var.password
      }
      security_context {
        privileged = var.privileged

        run_as_non_root = true
      }

      resources {
        requests = {
          cpu    = "25m"
          memory = "128Mi"
        }
        limits = {
          cpu    = "1"
          memory = "2Gi"
        }
      }
    }
    container {
      name  = "unknown"
      image = "registry.example.com/x:${var.tag}"

      resources {
        requests = {
          cpu    = "25m"
          memory = "128Mi"
        }
        limits = {
          cpu    = "1"
          memory = "2Gi"
        }
      }

      security_context {
        allow_privilege_escalation = false
        read_only_root_filesystem  = true
        run_as_non_root            = true
        run_as_user                = 65532

        capabilities {
          drop = ["ALL"]
        }
      }

      volume_mount {
        name       = "harden-unknown-tmp"
        mount_path = "/tmp"
      }
    }

    security_context {
      run_as_non_root = true

      seccomp_profile {
        type = "RuntimeDefault"
      }
    }

    volume {
      name = "harden-unknown-tmp"

      empty_dir {}
    }
  }
}

resource "kubernetes_network_policy_v1" "harden_variables" {
  metadata {
    name      = "harden-variables"
    namespace = "vars"
    labels = {
      "app.kubernetes.io/managed-by" = "harden"
    }
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = {
        "app.kubernetes.io/name" = "variables"
      }
    }

    egress {
      to {
        namespace_selector {
          match_expressions {
            key      = "kubernetes.io/metadata.name"
            operator = "In"
            values   = ["kube-system"]
          }
        }

        pod_selector {
          match_expressions {
            key      = "k8s-app"
            operator = "In"
            values   = ["kube-dns"]
          }
        }
      }

      to {
        ip_block {
          cidr = "169.254.20.10/32"
        }
      }

      ports {
        protocol = "UDP"
        port     = 53
      }

      ports {
        protocol = "TCP"
        port     = 53
      }
    }

    egress {
      to {
        ip_block {
          cidr   = "0.0.0.0/0"
          except = ["169.254.169.254/32"]
        }
      }
    }
  }
}
resource "kubernetes_deployment_v1" "expressions" {
  metadata {
    name      = "expressions-${var.stage}"
    namespace = var.stage
    labels    = merge(var.labels, { app = "x" })
  }
  spec {
    replicas = var.stage == "prod" ? 3 : 1
    selector {
      match_labels = merge(var.labels, { app = "x" })
    }
    template {
      metadata {
        labels = merge(var.labels, { app = "x" })
      }
      spec {
        host_network = try(var.host_network, true)
        container {
          name    = "x"
          image   = data.external.image.result["name"]
          command = split(" ", var.command)
          security_context {
            run_as_user = var.user
            capabilities {
              add = concat(["SYS_ADMIN"], var.capabilities)
            }
          }
        }
      }
    }
  }
}

variable "stage" {}
variable "labels" {}
variable "host_network" {}
variable "command" {}
variable "user" {}
variable "capabilities" {}
