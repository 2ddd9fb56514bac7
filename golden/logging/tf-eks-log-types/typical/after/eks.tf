resource "aws_eks_cluster" "this" {
  name                      = "prod"
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"] # the rest is dear

  vpc_config {
    subnet_ids = []
  }
}

resource "aws_eks_cluster" "lines" {
  enabled_cluster_log_types = [
    "audit", # asked for by the auditors
    "scheduler",
    "api",
    "authenticator",
    "controllerManager"
  ]
}

resource "aws_eks_cluster" "none" {
  name = "none"

  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  vpc_config {
    subnet_ids = []
  }
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "21.3.1"

  enabled_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
}
