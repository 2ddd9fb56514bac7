resource "aws_eks_cluster" "this" {
  access_config {
    authentication_mode = "API"
  }
}
