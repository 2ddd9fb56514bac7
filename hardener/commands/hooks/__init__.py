"""Hooks that harden the pods of a framework while it runs, for what no change of its source can reach.

Each module but the shared ones is printed by ``harden hook NAME``, and stands alone then.
"""

from __future__ import annotations

import re
from pathlib import Path

NAMES = ("airflow", "cdk8s", "kubespawner", "pulumi")
_PARTS = re.compile(r'(?s)(""".*?"""\n)\n((?:(?:import|from) [^\n]+\n|\n)+)(.*)')
_SHARED = re.compile(r"from \.(\w+) import \w+")
_OF_PYTHON = ("from collections.abc ", "from typing ")


def text(name: str) -> str:
    """The hook ``name`` as a module of its own. Raises KeyError for another name than those of ``NAMES``."""
    if name not in NAMES:
        raise KeyError(name)
    docstring, imports, body = _parts(name)
    shared = next(found[1] for line in imports if (found := _SHARED.fullmatch(line)))
    _, more, functions = _parts(shared)
    lines = sorted({line for line in imports + more if line and not _SHARED.fullmatch(line)})
    own = [line for line in lines if line.startswith(_OF_PYTHON)]
    groups = ("\n".join(own), "\n".join(line for line in lines if line not in own))
    head = "\n\n".join(filter(None, [docstring, *groups]))
    return f"{head}\n\n{functions}\n\n\n{body}\n"


def _parts(name: str) -> tuple[str, list[str], str]:
    """The docstring, the lines of imports and the rest of a module of this package."""
    source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    found = _PARTS.fullmatch(source)
    assert found is not None
    return found[1].strip("\n"), found[2].split("\n"), found[3].strip("\n")
