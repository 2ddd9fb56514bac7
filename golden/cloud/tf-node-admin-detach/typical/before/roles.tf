# Nodes of the cluster.
resource "aws_eks_node_group" "workers" {
  cluster_name  = "prod"
  node_role_arn = aws_iam_role.workers.arn

  launch_template {
    id      = aws_launch_template.workers.id
    version = aws_launch_template.workers.latest_version
  }
}


resource "aws_iam_role" "workers" {
  name               = "prod-workers"
  assume_role_policy = data.aws_iam_policy_document.ec2.json
}

resource "aws_iam_role_policy_attachment" "workers_admin" {
  role       = aws_iam_role.workers.name
  policy_arn = "arn:aws-cn:iam::aws:policy/PowerUserAccess" # for the autoscaler
}

resource "aws_iam_role_policy_attachment" "cni" {
  role       = aws_iam_role.workers.name
  policy_arn = "arn:aws-cn:iam::aws:policy/AmazonEKS_CNI_Policy"
}

resource "aws_iam_role_policy_attachment" "workers_admin_ecr" {
  role       = aws_iam_role.other.name
  policy_arn = "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess"
}
