"""Decides, guards, proves and assembles: one run over a tree. It knows no rule of its own, and prints nothing."""
