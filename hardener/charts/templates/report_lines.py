"""What helm rendered by the templates that it comes from, and the places of a report in these."""

from __future__ import annotations

import os

from hardener.charts.files.metadata import dependencies, metadata, vendored
from hardener.charts.rendered import parts
from hardener.charts.templates.lines import Templates
from hardener.engine.outcome import Outcome


def by_template(text: str, chart: str, folder: str) -> list[tuple[str, str]]:
    """The rendered documents by the template that they come from: its path, and their text."""
    found: dict[str, list[str]] = {}
    for source, part in parts(text):
        path = os.path.join(_folder_of(chart), _real_source(source, folder))
        found.setdefault(path, []).append(part if part.endswith("\n") else f"{part}\n")
    return [(path, "---\n".join(texts)) for path, texts in found.items()]


def _folder_of(chart: str) -> str:
    """The folder of a chart, or the one that its archive would be."""
    path = os.path.realpath(chart)
    return path if os.path.isdir(path) else path.removesuffix(".tgz")


def template_texts(folder: str, chart: str) -> dict[str, str]:
    """The templates of the copied chart in ``folder`` and of those below it, by their paths in ``chart``."""
    found = {}
    for top, folders, names in os.walk(folder):
        folders.sort()
        if "templates" in os.path.relpath(top, folder).split(os.sep):
            for name in names:
                path = os.path.join(_folder_of(chart), os.path.relpath(os.path.join(top, name), folder))
                with open(os.path.join(top, name), encoding="utf-8", errors="replace") as handle:
                    found[path] = handle.read()
    return found


def _real_source(source: str, folder: str) -> str:
    """The template that helm calls ``source``, from the copied chart in ``folder`` on: helm names a chart below another
    one by its alias."""
    left = source.split("/")[1:]
    found: list[str] = []
    while len(left) > 1 and left[0] == "charts":
        above = os.path.join(folder, *found)
        if not os.path.isdir(os.path.join(above, *left[:2])):
            names = {
                entry.get("alias"): entry["name"] for entry in dependencies(metadata(above, os.path.basename(above)))
            }
            places = dict(vendored(above))
            if (place := places.get(names.get(left[1], ""))) is not None:
                left[1] = os.path.basename(place)
        found += left[:2]
        left = left[2:]
    return os.path.join(*found, *left)


def at_templates(outcome: Outcome, texts: dict[str, str]) -> None:
    """Have all lines of ``outcome`` be those of templates, where a person changes something."""
    files = {file.name: file for file in outcome.tree.files if file.path in texts}
    whole, alone = Templates(texts), Templates(texts, follow=False)
    known: dict[tuple[str, int], int] = {}

    def line(name: str, rendered: int) -> int:
        if name not in files or rendered <= 0:
            return rendered
        if (name, rendered) not in known:
            known[name, rendered] = alone.place(files[name].path, files[name].content.text, rendered).line
        return known[name, rendered]

    for change in sorted([*outcome.changes, *outcome.not_made], key=lambda change: change.object.piece.file.name):
        change.line = change.new_line = line(change.object.piece.file.name, change.line or change.new_line)
    for piece, path in sorted(outcome.lines, key=lambda place: place[0].file.name):
        outcome.lines[piece, path] = line(piece.file.name, outcome.lines[piece, path])
    for report in sorted(outcome.findings, key=lambda report: report.file):
        if report.file in files and report.line > 0:
            # What a template includes is often all that there is of it.
            place = whole.place(files[report.file].path, files[report.file].content.text, report.line)
            report.file, report.line = os.path.relpath(place.name), place.line
