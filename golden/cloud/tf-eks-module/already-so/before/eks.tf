module "eks" {
  source = "terraform-aws-modules/eks/aws"

  eks_managed_node_groups = {
    default = {
      metadata_options = {
        http_tokens                 = "required"
        http_put_response_hop_limit = 1
      }
    }
  }
}

module "vpc" {
  source           = "terraform-aws-modules/vpc/aws"
  metadata_options = { http_tokens = "optional" }
}
