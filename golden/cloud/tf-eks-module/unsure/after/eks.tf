module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "20.31.0"

  eks_managed_node_group_defaults = {
    metadata_options = {
      http_tokens                 = var.imds_tokens
      http_put_response_hop_limit = local.hops
    }
  }
}
