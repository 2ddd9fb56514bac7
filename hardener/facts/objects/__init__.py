"""How the objects of the tree hang together lives here (which mean each other, which are near, which are hidden),
and no single view."""
