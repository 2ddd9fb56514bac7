resource "aws_launch_template" "nodes" {
  name_prefix            = "nodes-"
  image_id               = data.aws_ami.eks.id
  update_default_version = true

  user_data = base64encode(<<-EOT
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="//"

    --//
    # not a comment { of ours }
    /etc/eks/bootstrap.sh ${local.name} \
      --kubelet-extra-args '--node-labels=a=b'
    --//--
  EOT
  )

  metadata_options { http_tokens = "optional" } # v1, too

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size = 50
      encrypted   = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "node", "kubernetes.io/cluster/${local.name}" = "owned" }
  }
}

resource "aws_iam_role" "node" {
  name               = "node"
  assume_role_policy = <<POLICY
{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
POLICY

  managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"]
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset([
    "AmazonEKS_CNI_Policy", # pods have addresses
    "AmazonEC2ContainerRegistryReadOnly",
  ])

  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}
