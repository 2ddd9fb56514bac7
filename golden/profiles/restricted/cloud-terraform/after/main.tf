resource "aws_launch_template" "workers" {
  name_prefix = "workers-"

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

# One log is enough.
resource "aws_eks_cluster" "prod" {
  name                      = "prod" # one for all
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  vpc_config {
    subnet_ids          = var.subnets
    public_access_cidrs = ["203.0.113.0/24"]
  }
}
