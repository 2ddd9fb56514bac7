"""How the objects of the tree hang together: which mean each other, which are near, which the tree does not show."""
