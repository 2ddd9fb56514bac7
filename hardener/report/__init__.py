"""What the user gets to see lives here, in text, JSON and other formats, all through the redactor; nothing is
decided or written to a source."""
