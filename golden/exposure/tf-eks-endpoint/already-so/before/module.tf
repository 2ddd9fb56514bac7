module "by_default" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"
  name    = "private"
}

module "office" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.0"

  cluster_endpoint_public_access       = true
  cluster_endpoint_public_access_cidrs = ["203.0.113.0/24"]
}

module "told" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"

  endpoint_public_access       = true
  endpoint_public_access_cidrs = var.offices
}

module "of_somebody_else" {
  source                 = "./modules/eks" # not terraform-aws-modules/eks
  endpoint_public_access = true
}
