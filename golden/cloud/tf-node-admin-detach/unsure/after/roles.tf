resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AdministratorAccess"])
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy_attachment" "node_admin" {
  count      = var.debug ? 1 : 0
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "partition" {
  role       = aws_iam_role.node.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "module" {
  role       = var.role_name
  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
}
