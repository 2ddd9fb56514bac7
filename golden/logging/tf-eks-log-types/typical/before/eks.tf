resource "aws_eks_cluster" "this" {
  name                      = "prod"
  enabled_cluster_log_types = ["api"] # the rest is dear

  vpc_config {
    subnet_ids = []
  }
}

resource "aws_eks_cluster" "lines" {
  enabled_cluster_log_types = [
    "audit", # asked for by the auditors
    "scheduler"
  ]
}

resource "aws_eks_cluster" "none" {
  name = "none"

  vpc_config {
    subnet_ids = []
  }
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "21.3.1"
}
