resource "aws_eks_cluster" "this" {
  enabled_cluster_log_types = ["api", "audit", "authenticator"]
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.0"
}
