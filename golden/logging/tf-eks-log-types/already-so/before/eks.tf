resource "aws_eks_cluster" "this" {
  enabled_cluster_log_types = ["scheduler", "controllerManager", "authenticator", "audit", "api"]
}

module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}
