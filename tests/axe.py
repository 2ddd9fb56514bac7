"""axe-core, which looks for what keeps people with a disability from using a page."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path

from . import services, wheels
from .chromium import Tab

# The package drives a browser with it; only its axe.min.js is taken. Package, version, and the axe-core in it.
PACKAGE, VERSION, KNOWN = "axe-playwright-python", "0.1.8", "4.12.1"
_RUN = """
axe.run(document, {resultTypes: ["violations"]}).then((found) => JSON.stringify(found.violations.map((rule) =>
  `${rule.id}: ${rule.help}: ${rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`)))
"""


def script() -> str:
    """The text of axe-core; the test is skipped where it can be neither found nor downloaded."""
    services.allow("chromium")
    path = wheels.cache_folder() / f"axe-{KNOWN}.js"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            with zipfile.ZipFile(wheels.downloaded(PACKAGE, VERSION, "axe-core", Path(folder))) as wheel:
                made = Path(wheel.extract("axe_playwright_python/axe.min.js", folder))
            os.replace(made, path)  # whole or not at all: tests run side by side
    return path.read_text(encoding="utf-8")


def violations(tab: Tab) -> list[str]:
    """The rules that the page in ``tab`` breaks, with some of the elements."""
    tab.run(f"{script()}; axe.version")
    found: list[str] = json.loads(tab.run(_RUN))
    return found
