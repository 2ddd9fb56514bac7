resource "kubernetes_config_map" "settings" {
  metadata {
    name = "settings"
  }

  data = {
    api_host             = "myhost:443"
    db_host              = "dbhost:5432"
    "my_config_file.yml" = <<-EOF
      listen: 0.0.0.0
      level: debug
    EOF
  }

  binary_data = {
    "my_payload.bin" = "aGVsbG8="
  }
}
