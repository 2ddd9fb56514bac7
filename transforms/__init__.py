"""The built-in transforms: one module each, in a folder per risk."""
