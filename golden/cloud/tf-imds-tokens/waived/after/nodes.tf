resource "aws_launch_template" "nodes" {
  metadata_options {
    http_tokens = "optional" # harden: ignore[tf-imds-tokens] the agent of the audit knows no tokens
  }
}

# harden: ignore[tf-imds-tokens] replaced next month
resource "aws_launch_template" "workers" {
  metadata_options {
    http_tokens = "optional"
  }
}
