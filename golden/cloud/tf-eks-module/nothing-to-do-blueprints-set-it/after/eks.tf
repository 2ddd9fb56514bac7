module "eks_blueprints" {
  source = "github.com/aws-ia/terraform-aws-eks-blueprints?ref=v4.32.1"

  managed_node_groups = {
    safe = {
      node_group_name             = "safe"
      create_launch_template      = true
      http_put_response_hop_limit = 1
    }
    off = {
      node_group_name        = "off"
      create_launch_template = true
      http_endpoint          = "disabled"
    }
  }

  self_managed_node_groups = {
    own = {
      node_group_name             = "own"
      http_tokens                 = "required"
      http_put_response_hop_limit = 1
    }
  }
}

# Version 5 makes no nodes, and ignores what version 4 took.
module "later" {
  source              = "github.com/aws-ia/terraform-aws-eks-blueprints?ref=v5.0.0"
  managed_node_groups = { any = { node_group_name = "any" } }
}
