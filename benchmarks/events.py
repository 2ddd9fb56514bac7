"""The floor of any tool that reads YAML: libyaml's events of the files named on the command line, thrown away."""

from __future__ import annotations

import sys
from pathlib import Path

from _ruamel_yaml import CParser


def main(paths: list[str]) -> None:
    """Read all events of ``paths``; what libyaml cannot read (templates) is passed over."""
    for path in paths:
        next_event = CParser(Path(path).read_text(encoding="utf-8")).get_event
        try:
            while next_event() is not None:
                pass
        except Exception:  # whatever it raises, the file is no YAML
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
