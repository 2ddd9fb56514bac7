target "given" {
  context = "given"
  tags = ["registry.example.com/shop/given:1"]
}
target "filled" {
  context = "filled"
  tags = ["registry.example.com/shop/filled:1"]
}
target "owned" {
  context = "owned"
  tags = ["registry.example.com/shop/owned:1"]
}
target "script" {
  context = "script"
  tags = ["registry.example.com/shop/script:1"]
}
target "edits" {
  context = "edits"
  tags = ["registry.example.com/shop/edits:1"]
}
target "edits-not" {
  context = "edits-not"
  tags = ["registry.example.com/shop/edits-not:1"]
}
target "volumes" {
  context = "volumes"
  tags = ["registry.example.com/shop/volumes:1"]
}
