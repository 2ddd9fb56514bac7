"""What the net under all readers costs of a run: its share of the processor time of one process.

Run on its own with the words of a command, it runs that and prints the share as the last line of its errors.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def share(tree: Path) -> float:
    """The share in ``harden diff`` of ``tree``."""
    done = subprocess.run([sys.executable, __file__, "diff", "."], cwd=tree, capture_output=True, text=True)
    return float(done.stderr.splitlines()[-1])


class _Timer:
    spent = 0.0

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` with its time counted; it returns a list where it is a generator."""

        def timed(*given: Any) -> Any:
            started = time.process_time()
            found = function(*given)
            result = list(found) if isinstance(found, Iterator) else found
            self.spent += time.process_time() - started
            return result

        return timed


def main(command: list[str]) -> None:
    """Run ``command`` of harden with the net timed."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from hardener.cli import main as harden
    from hardener.engine import find_unread_forms
    from hardener.kubernetes.objects import unread_forms
    from hardener.sources.embedded import heredocs, tasks
    from hardener.sources.python import reading

    timer = _Timer()
    for module, name in (
        (find_unread_forms, "reports"), (unread_forms, "in_yaml"), (heredocs, "add"), (tasks, "add"),
        (reading, "sightings"),
    ):  # fmt: skip
        setattr(module, name, timer.of(getattr(module, name)))
    atexit.register(lambda: print(f"\n{timer.spent / time.process_time():.4f}", file=sys.stderr))
    sys.argv = ["harden", *command]
    harden()


if __name__ == "__main__":
    main(sys.argv[1:])
