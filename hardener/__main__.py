"""``python -m hardener``."""

from hardener.cli.app import main

main()
