"""Texts that give one service account a role of its own; they are advice, nothing is written."""

_URL = '${replace(aws_iam_openid_connect_provider.eks.url, "https://", "")}'

IRSA = (
    'a role whose trust policy has Action "sts:AssumeRoleWithWebIdentity", the OIDC provider of the cluster as '
    "Federated principal, and condition = { StringEquals = { "
    f'"{_URL}:sub" = "system:serviceaccount:NS:SA", "{_URL}:aud" = "sts.amazonaws.com" '
    "} }; then annotate the service account with eks.amazonaws.com/role-arn"
)
"""IAM roles for service accounts, on EKS."""
