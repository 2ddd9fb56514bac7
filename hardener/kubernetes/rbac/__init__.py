"""What a rule of RBAC grants lives here, to whom, and what a kubectl command or an audit log asks for."""
