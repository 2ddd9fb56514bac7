"""``python -m tests.pages`` writes anew what is generated: pages of docs/, its schemas, transforms/README.md.

``python -m tests.pages site DIR`` writes what the site is built of.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hardener.authoring import schemas
from hardener.commands import explain
from tests.conftest import ROOT
from tests.pages import DOCS, generated, is_generated, site


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if sys.argv[1:2] == ["site"]:
    site.copy(Path(sys.argv[2]))
else:
    found = generated()
    for path in DOCS.rglob("*.md"):
        if is_generated(name := path.relative_to(DOCS).as_posix()) and name not in found:
            path.unlink()
    for name, text in found.items():
        _write(DOCS / name, text)
    for name, schema in (("config", schemas.config_schema()), ("profile", schemas.profile_schema())):
        _write(DOCS / "schemas" / f"{name}.schema.json", f"{json.dumps(schema, indent=2)}\n")
    _write(ROOT / "transforms" / "README.md", explain.markdown())
    print(f"{len(found)} pages")
