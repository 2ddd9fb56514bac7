module "launch_templates" {
  source = "github.com/aws-ia/terraform-aws-eks-blueprints//modules/launch-templates?ref=v4.32.1"

  eks_cluster_id = "shop"

  launch_template_config = {
    workers = {
      ami                         = "ami-0123456789abcdef0"
      launch_template_prefix      = "workers"
      http_endpoint               = "enabled"
      http_tokens                 = "required"
      http_put_response_hop_limit = 1
    }
    builds = {
      ami                    = "ami-0123456789abcdef0"
      launch_template_prefix = "builds"
      http_tokens            = "required"
    }
  }
}
