"""One run over a tree lives here (decide, guard, prove, assemble); it knows no rule of its own, and prints and
writes nothing."""
