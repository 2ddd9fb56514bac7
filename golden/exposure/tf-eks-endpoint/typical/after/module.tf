module "old" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.0"

  cluster_name                   = "old"
  cluster_endpoint_public_access = true
}

module "new" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"

  name                         = "new"
  endpoint_public_access       = true
  endpoint_public_access_cidrs = ["0.0.0.0/0"]
}

module "older" {
  source       = "terraform-aws-modules/eks/aws"
  version      = "18.31.2"
  cluster_name = "older"
}
