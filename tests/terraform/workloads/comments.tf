/* What the shop
   runs. */
resource "kubernetes_deployment_v1" "comments" { # the resource
  metadata {
    name = "comments" // its name
  }

  # What it is made of.
  spec {
    selector {
      match_labels = { app = "comments" } # and no other
    }
    template {
      metadata {
        labels = { app = "comments" }
      }
      spec {
        # The network of the node is for the metrics.
        host_network = true # metrics
        host_pid     = true /* and traces */

        container {
          # from our own registry
          image = "registry.example.com/comments:7" # seven
          name  = "comments"

          security_context {
            # it needs nothing
            privileged = true # but had it
            # the end
          }
          // behind it
        }
        # last words
      }
    }
  }
}
# The end.
