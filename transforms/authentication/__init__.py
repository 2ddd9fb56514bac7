"""K09: broken authentication."""
