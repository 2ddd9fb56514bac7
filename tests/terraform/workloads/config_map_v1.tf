resource "kubernetes_config_map_v1" "database" {
  metadata {
    name = "database"
  }
  data = {
    url      = "postgres://shop:Xh7vTq92LmZp@db:5432/shop"
    password = "Xh7vTq92LmZp"
  }
}
