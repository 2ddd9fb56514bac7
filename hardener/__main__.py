"""``python -m hardener``."""

from hardener.cli import main

main()
