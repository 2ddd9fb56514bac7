resource "aws_eks_cluster" "this" {
  enabled_cluster_log_types = var.log_types
}

module "eks" {
  source = "terraform-aws-modules/eks/aws"
}
