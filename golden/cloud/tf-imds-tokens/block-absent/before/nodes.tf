resource "aws_launch_template" "nodes" {
  image_id  = data.aws_ami.eks.id # from the SSM parameter
  user_data = <<-EOT
    #!/bin/bash
    metadata_options { http_tokens = "optional" }
    /etc/eks/bootstrap.sh prod
  EOT
}

resource "aws_launch_configuration" "worker" {
  image_id = "ami-1"

  root_block_device {
    encrypted = true
  }
}
