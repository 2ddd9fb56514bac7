module "eks_blueprints" {
  source = "github.com/aws-ia/terraform-aws-eks-blueprints?ref=v4.32.1"

  cluster_name       = "shop"
  cluster_version    = "1.24"
  vpc_id             = "vpc-0123456789abcdef0"
  private_subnet_ids = ["subnet-0123456789abcdef0"]

  managed_node_groups = {
    no_template = {
      node_group_name = "no-template"
      instance_types  = ["m5.large"]
      http_tokens     = "optional"
    }
    default_hops = {
      node_group_name        = "default-hops"
      create_launch_template = true
    }
    weakened = {
      node_group_name             = "weakened"
      create_launch_template      = true
      http_tokens                 = "optional"
      http_put_response_hop_limit = 3
    }
    left_out = {
      node_group_name         = "left-out"
      create_launch_template  = true
      enable_metadata_options = false
    }
    unsure = {
      node_group_name        = "unsure"
      create_launch_template = var.own_template
    }
  }

  self_managed_node_groups = {
    own = {
      node_group_name         = "own"
      additional_iam_policies = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    }
  }
}

module "registry" {
  source  = "aws-ia/eks-blueprints/aws"
  version = "~> 4.32"

  managed_node_groups = local.groups
}
