"""The baseline: load every document of the files named on the command line with ruamel.yaml, and dump it again."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


def main(paths: list[str]) -> None:
    """Round trip ``paths``, one file after the other; what ruamel.yaml cannot read (templates) is passed over."""
    for path in paths:
        yaml = YAML()
        try:
            documents = list(yaml.load_all(Path(path).read_text(encoding="utf-8")))
            yaml.dump_all(documents, io.StringIO())
        except YAMLError:
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
