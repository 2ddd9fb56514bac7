resource "kubernetes_manifest" "test-pod" {
  manifest = {
    "apiVersion" = "v1"
    "kind"       = "Pod"
    "metadata" = {
      "name"      = "test-pod"
      "namespace" = "default"
    }
    "spec" = {
      "hostNetwork" = true # kept for the old proxy
      "containers" = [
        {
          "name"  = "main"
          "image" = "nginx:1.27"
          "ports" = [
            {
              "containerPort" = 80
            }
          ]
          "securityContext" = {
            "privileged" = true
          }
        },
      ]
    }
  }

  field_manager {
    force_conflicts = true
  }
}
