module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.31"

  eks_managed_node_group_defaults = {
    metadata_options = {
      http_endpoint               = "enabled"
      http_tokens                 = "optional"
      http_put_response_hop_limit = 2
    }
  }

  eks_managed_node_groups = {
    # The old group.
    "old" = {
      instance_types   = ["m5.large"], metadata_options = { http_tokens = "optional" }
    },
  }

  self_managed_node_groups = {
    builds = { iam_role_additional_policies = { Admin = "arn:aws:iam::aws:policy/AdministratorAccess" } }
  }
}
