resource "aws_launch_template" "nodes" {
  metadata_options { http_tokens = "required" }
}
