# Nodes of the cluster.
resource "aws_eks_node_group" "workers" {
  cluster_name  = "prod"
  node_role_arn = aws_iam_role.workers.arn

  launch_template {
    id      = aws_launch_template.workers.id
    version = aws_launch_template.workers.latest_version
  }
}


resource "aws_launch_template" "workers" {
  name_prefix = "workers-" # a new version with each change

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "optional" # v1 and v2
  }
}
