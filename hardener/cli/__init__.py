"""Words of a command line to calls of `hardener.commands`, and their results to exit codes; nothing is decided here."""


def main() -> None:
    """Run the command line ``harden`` with ``sys.argv``; ends the process with an exit code."""
    from hardener.cli import app  # late: `python -m hardener` and the console scripts alone need it

    app.main()
