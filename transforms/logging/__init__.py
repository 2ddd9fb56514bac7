"""K10: logging and monitoring."""
