resource "kubectl_manifest" "encoded" {
  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Pod"
    metadata = {
      name      = "encoded"
      namespace = "shop"
    }
    spec = {
      hostPID = true # it looks around
      containers = [{
        name  = "main"
        image = "nginxinc/nginx-unprivileged:1.27"
      }]
    }
  })

  wait = true
}
