resource "kubectl_manifest" "test" {
  yaml_body = <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: test
  namespace: ${var.namespace}
spec:
  hostIPC: true
  containers:
    - name: test
      image: busybox:1.36
      command: ["sleep", "3600"]
YAML
}

resource "kubectl_manifest" "service" {
  yaml_body = <<-YAML
    apiVersion: v1
    kind: Service
    metadata:
      name: test
    spec:
      externalIPs: [203.0.113.9]
      ports:
        - port: 80
  YAML
}

variable "namespace" {}
