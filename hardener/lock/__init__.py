"""`harden.lock`, and the registries and layers that it is made from. The only package that opens a connection."""
