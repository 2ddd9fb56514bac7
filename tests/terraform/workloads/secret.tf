resource "kubernetes_secret" "basic_auth" {
  metadata {
    name = "basic-auth"
  }

  data = {
    username = "admin"
    password = "P4ssw0rd-of-the-documentation"
  }

  type = "kubernetes.io/basic-auth"
}

resource "kubernetes_pod" "login" {
  metadata {
    name = "login"
  }
  spec {
    container {
      name  = "login"
      image = "registry.example.com/login:2"
      env {
        name = "PASSWORD"
        value_from {
          secret_key_ref {
            name = "basic-auth"
            key  = "password"
          }
        }
      }
    }
  }
}
