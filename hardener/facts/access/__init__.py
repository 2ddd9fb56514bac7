"""Who may do what: roles and bindings, whom they reach, who uses an account or a token, what admits an object."""
