resource "kubernetes_deployment_v1" "web" {
  metadata { name = "web" }
  spec {
    selector { match_labels = { app = "web" } }
    template {
      metadata { labels = { app = "web" } }
      spec {
        automount_service_account_token = false

        container {
          name  = "web"
          image = "nginx:latest"
          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true
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

          volume_mount {
            name       = "harden-web-tmp"
            mount_path = "/tmp"
          }

          volume_mount {
            name       = "harden-web-var-cache-nginx"
            mount_path = "/var/cache/nginx"
          }

          volume_mount {
            name       = "harden-web-run"
            mount_path = "/run"
          }
        }

        security_context {
          run_as_non_root = true
          run_as_user     = 101

          seccomp_profile {
            type = "RuntimeDefault"
          }

          sysctl {
            name  = "net.ipv4.ip_unprivileged_port_start"
            value = "80"
          }
        }

        volume {
          name = "harden-web-tmp"

          empty_dir {}
        }

        volume {
          name = "harden-web-var-cache-nginx"

          empty_dir {}
        }

        volume {
          name = "harden-web-run"

          empty_dir {}
        }
      }
    }
  }
}

resource "kubernetes_network_policy_v1" "harden_web" {
  metadata {
    name = "harden-web"
    labels = {
      "app.kubernetes.io/managed-by" = "harden"
    }
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = {
        app = "web"
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
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "p", namespace = "x", labels = { "app.kubernetes.io/name" = "p" } }
    spec = { containers = [{ name = "c", image = "busybox", securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }, resources = { requests = { cpu = "25m", memory = "128Mi" }, limits = { cpu = "1", memory = "2Gi" } }, volumeMounts = [{ name = "harden-c-tmp", mountPath = "/tmp" }] }], automountServiceAccountToken = false, securityContext = { runAsNonRoot = true, runAsUser = 65532, seccompProfile = { type = "RuntimeDefault" } }, volumes = [{ name = "harden-c-tmp", emptyDir = {} }] }
  }
}

resource "kubernetes_manifest" "harden_p" {
  manifest = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "harden-p"
      namespace = "x"
      labels = {
        "app.kubernetes.io/managed-by" = "harden"
      }
    }
    spec = {
      podSelector = {
        matchLabels = {
          "app.kubernetes.io/name" = "p"
        }
      }
      policyTypes = ["Ingress", "Egress"]
      egress = [
        {
          to = [
            {
              namespaceSelector = {
                matchExpressions = [{
                  key      = "kubernetes.io/metadata.name"
                  operator = "In"
                  values   = ["kube-system"]
                }]
              }
              podSelector = {
                matchExpressions = [{
                  key      = "k8s-app"
                  operator = "In"
                  values   = ["kube-dns"]
                }]
              }
            },
            {
              ipBlock = {
                cidr = "169.254.20.10/32"
              }
            },
          ]
          ports = [
            {
              protocol = "UDP"
              port     = 53
            },
            {
              protocol = "TCP"
              port     = 53
            },
          ]
        },
        {
          to = [{
            ipBlock = {
              cidr   = "0.0.0.0/0"
              except = ["169.254.169.254/32"]
            }
          }]
        },
      ]
    }
  }
}
resource "kubernetes_manifest" "pod2" {
  manifest = yamldecode(<<-EOT
    apiVersion: v1
    kind: Pod
    metadata: {name: p2, namespace: x, labels: {app.kubernetes.io/name: p2}}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
      - {name: c, image: busybox, resources: {requests: {cpu: 25m, memory: 128Mi}, limits: {cpu: "1", memory: 2Gi}}, securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}, volumeMounts: [{name: harden-c-tmp, mountPath: /tmp}]}
      volumes:
      - name: harden-c-tmp
        emptyDir: {}
    EOT
  )
}

resource "kubernetes_manifest" "harden_p2" {
  manifest = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "harden-p2"
      namespace = "x"
      labels = {
        "app.kubernetes.io/managed-by" = "harden"
      }
    }
    spec = {
      podSelector = {
        matchLabels = {
          "app.kubernetes.io/name" = "p2"
        }
      }
      policyTypes = ["Ingress", "Egress"]
      egress = [
        {
          to = [
            {
              namespaceSelector = {
                matchExpressions = [{
                  key      = "kubernetes.io/metadata.name"
                  operator = "In"
                  values   = ["kube-system"]
                }]
              }
              podSelector = {
                matchExpressions = [{
                  key      = "k8s-app"
                  operator = "In"
                  values   = ["kube-dns"]
                }]
              }
            },
            {
              ipBlock = {
                cidr = "169.254.20.10/32"
              }
            },
          ]
          ports = [
            {
              protocol = "UDP"
              port     = 53
            },
            {
              protocol = "TCP"
              port     = 53
            },
          ]
        },
        {
          to = [{
            ipBlock = {
              cidr   = "0.0.0.0/0"
              except = ["169.254.169.254/32"]
            }
          }]
        },
      ]
    }
  }
}
resource "kubernetes_cluster_role_binding_v1" "b" {
  metadata { name = "x" }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "cluster-admin"
  }
  subject {
    kind = "User"
    name = "bob"
  }
}
resource "kubernetes_secret_v1" "s" {
  metadata { name = "s" }
  data = { password = "hunter2hunter2" }
}
resource "helm_release" "h" {
  name   = "x"
  chart  = "nginx"
  values = [yamlencode({ podSecurityContext = {} })]
}
