resource "kubernetes_service_account" "example" {
  metadata {
    name = "terraform-example"
  }
  secret {
    name = "example"
  }
  image_pull_secret {
    name = "registry"
  }
}

resource "kubernetes_pod" "user" {
  metadata {
    name = "user"
  }
  spec {
    service_account_name = "terraform-example"
    container {
      name  = "user"
      image = "registry.example.com/user:1"
    }
  }
}
