"""Rules of our own for harden."""
