resource "aws_iam_role" "app" {
  assume_role_policy = jsonencode({ Statement = [{ Principal = { Federated = module.eks.oidc_provider_arn }, Action = ["sts:AssumeRoleWithWebIdentity"], Condition = { StringLike = { "${module.eks.oidc_provider}:sub" = "system:serviceaccount:shop:*" } } }] })
}
