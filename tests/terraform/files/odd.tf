resource "aws_instance" "worker" {
	ami  = "ami-é1" 	
	count=2
	empty {}
	list = []
	none = null
	ratio = 1.5
	quoted = "a \"b\" \\ $${c} \n"
	policy = jsonencode({ Statement = [{ Effect = "Allow", Action = ["a:*"] }] })

	metadata_options {
		# ¿por qué?
		http_tokens = "optional"
	}
}
resource "aws_iam_role" "irsa" {
  assume_role_policy = jsonencode({
    Statement = [{
      Action = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${module.eks.oidc_provider}:sub" : "system:serviceaccount:a:b",
        }
      }
    }]
  })
}
# the end, with no line end