"""What the user gets to see, in text, JSON and other formats; all of it passes through the redactor."""
