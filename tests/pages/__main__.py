"""``python -m tests.pages`` writes the generated pages of docs/ anew, ``python -m tests.pages site DIR`` what the site
is built of."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.pages import DOCS, generated, is_generated, site

if sys.argv[1:2] == ["site"]:
    site.copy(Path(sys.argv[2]))
else:
    found = generated()
    for path in DOCS.rglob("*.md"):
        if is_generated(name := path.relative_to(DOCS).as_posix()) and name not in found:
            path.unlink()
    for name, text in found.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")
    print(f"{len(found)} pages")
