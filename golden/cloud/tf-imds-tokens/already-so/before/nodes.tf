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
  metadata_options {
    http_tokens = "required"
  }
}

# No nodes: nobody says so.
resource "aws_instance" "bastion" {
  ami = "ami-1"
}

resource "aws_instance" "worker" {
  metadata_options {
    http_endpoint = "disabled"
  }
}
