resource "aws_eks_cluster" "private" {
  vpc_config {
    endpoint_private_access = true
    endpoint_public_access  = false
  }
}

resource "aws_eks_cluster" "office" {
  vpc_config {
    public_access_cidrs = ["203.0.113.0/24"]
  }
}
