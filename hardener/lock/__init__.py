"""`harden.lock` lives here, with the registries and layers that it is made from; no other package opens a
connection."""
