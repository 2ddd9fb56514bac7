resource "kubernetes_manifest" "from_yaml" {
  manifest = yamldecode(<<-EOT
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: from-yaml
      namespace: shop
    spec:
      selector:
        matchLabels: {app: from-yaml}
      template:
        metadata:
          labels: {app: from-yaml}
        spec:
          containers:
            # the only one
            - name: main
              image: nginxinc/nginx-unprivileged:1.27   # pinned soon
              env:
                - name: REGION
                  value: ${var.region}
  EOT
  )
}

variable "region" {
  type = string
}
