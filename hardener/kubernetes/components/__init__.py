"""The components of a cluster live here: their flags, their files and their names."""
