resource "kubernetes_network_policy_v1" "egress" {
  metadata {
    name      = "egress"
    namespace = "shop"
  }

  spec {
    pod_selector {}

    egress {
      to {
        ip_block {
          cidr = "0.0.0.0/0"
        }
      }
    }

    policy_types = ["Egress"]
  }
}
