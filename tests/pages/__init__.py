"""The pages of ``docs/`` that are generated, and the site that is built of all of them.

``python -m tests.pages`` writes them anew: a page for each transform from its docstring and its golden cases, their
list, the commands from the command line, the settings from what the program accepts. They are committed, so that they
can be read in the repository; tests/test_pages.py compares them with what is generated.
"""

from __future__ import annotations

from tests.conftest import ROOT

DOCS = ROOT / "docs"


def generated() -> dict[str, str]:
    """The text of each generated page, by its name below ``docs/``."""
    from tests.pages import commands, controls, kubernetes_versions, scanners, settings, transforms

    return {
        **transforms.pages(),
        "reference/commands.md": commands.page(),
        "reference/configuration.md": settings.page(),
        "reference/controls.md": controls.page(),
        "reference/kubernetes-versions.md": kubernetes_versions.page(),
        "reference/scanners.md": scanners.page(),
    }


def is_generated(name: str) -> bool:
    """Whether the page ``name`` of docs/ would be written, or was written once."""
    return name.startswith(("transforms/", "reference/"))
