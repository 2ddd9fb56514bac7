"""Values of a chart live here: which of them reach what is to change, and the file that overrides them."""
