resource "kubernetes_manifest" "from_file" {
  manifest = yamldecode(file("${path.module}/manifest_file.yaml"))
}

resource "kubernetes_manifest" "from_template" {
  manifest = yamldecode(templatefile("${path.module}/job.yaml.tftpl", { name = "x" }))
}
