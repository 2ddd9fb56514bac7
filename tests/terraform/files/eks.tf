# The cluster of the shop.
#
# Owned by: platform@example.com

locals {
  name   = "shop-${var.environment}"
  region = coalesce(var.region, "eu-west-1")
  tags = merge(var.tags, {
    Owner       = "platform"
    "cost:unit" = "1234" # as finance calls it
  })
  zones = [for z in data.aws_availability_zones.this.names : z if z != "eu-west-1z"]
}

data "aws_availability_zones" "this" {}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.31" # 21 renames half of it

  cluster_name    = local.name
  cluster_version = "1.33"

  // The office and the runners.
  cluster_endpoint_public_access_cidrs = ["203.0.113.0/24", "198.51.100.7/32",]

  /* Several lines,
     in one comment. */
  eks_managed_node_groups = {
    default = {
      instance_types = ["m5.large", "m5a.large"]
      min_size       = var.environment == "prod" ? 3 : 1

      metadata_options = {
        http_endpoint               = "enabled"
        http_tokens                 = "optional"
        http_put_response_hop_limit = 2 # pods ask it
      }

      taints = {}
    }

    "batch-${var.environment}" = { min_size = 0, max_size = 10 }
  }

  tags = local.tags
}

resource "aws_eks_cluster" "old" {
  name                      = "old"
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = [
    "api",
    "audit" # asked for
    # more is dear
  ]

  vpc_config {
    subnet_ids = flatten([module.vpc.private_subnets, module.vpc.public_subnets])
  }

  dynamic "encryption_config" {
    for_each = var.key == null ? [] : [var.key]
    content {
      provider {
        key_arn = encryption_config.value
      }
      resources = ["secrets"]
    }
  }

  lifecycle { ignore_changes = [tags["created"]] }
  depends_on = [aws_iam_role_policy_attachment.cluster]
}
