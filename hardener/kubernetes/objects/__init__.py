"""What is true of any object lives here: names, kinds, fields, shapes and quantities."""
