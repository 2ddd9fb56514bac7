"""Who may do what lives here (roles, bindings, accounts, tokens, admission, audit logs), and not what a rule makes
of it."""
