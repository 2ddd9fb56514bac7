"""What a command line says becomes calls of `hardener.commands`, and results exit codes; nothing is decided or
printed here but errors."""

from __future__ import annotations

import atexit
import gc
import os
import sys


def main() -> None:
    """Run the command line ``harden`` with ``sys.argv``; ends the process with an exit code."""
    calm_collector()  # first: to load what follows makes many objects
    status = 1

    def leave() -> None:
        # To take apart what a run made, one object after the other, would take a twentieth of a small one.
        try:
            for stream in filter(None, (sys.stdout, sys.stderr)):  # None is one that was closed before the start
                stream.flush()
        except (OSError, ValueError):
            return  # Python tries again, and says what it says
        os._exit(status)

    if not getattr(
        atexit, "_ncallbacks", lambda: 1
    )():  # the first one is called last; who came before wants to be, too
        atexit.register(leave)
    else:
        atexit.register(gc.freeze)  # the last collections would walk all of it once more
    from hardener.cli import app  # late: `python -m hardener` and the console scripts alone need it

    try:
        app.main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        raise


def calm_collector() -> None:
    """Let the collector of garbage look less often: a run makes many objects that live to its end, and the default
    thresholds walk them again and again for nothing. Hardly any garbage is in cycles: 0.4 KB of a document of YAML."""
    gc.set_threshold(1_000_000, 20, 100)
