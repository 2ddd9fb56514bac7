resource "aws_launch_template" "nodes" {
  metadata_options {
    http_tokens = var.tokens
  }
}

resource "aws_launch_template" "workers" {
  dynamic "metadata_options" {
    for_each = var.metadata
    content {
      http_tokens = "optional"
    }
  }
}
