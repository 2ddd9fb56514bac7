"""What the names of a program stand for: where they are bound, what a place sees, and the paths that lead from them."""
