"""What a command line says becomes calls of `hardener.commands`, and results exit codes; nothing is decided or
printed here but errors."""


def main() -> None:
    """Run the command line ``harden`` with ``sys.argv``; ends the process with an exit code."""
    from hardener.cli import app  # late: `python -m hardener` and the console scripts alone need it

    app.main()
