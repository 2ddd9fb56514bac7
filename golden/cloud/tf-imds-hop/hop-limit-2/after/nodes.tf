resource "aws_launch_template" "nodes" {
  metadata_options { http_put_response_hop_limit = 2 }
}

resource "aws_launch_template" "workers" {
  metadata_options { http_put_response_hop_limit = 2 }
}
