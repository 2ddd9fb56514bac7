"""One command a module: read the tree, run, write, print. What a command line looks like is not known here."""
