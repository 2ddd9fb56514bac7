"""Where a person looks for what was decided of a chart that lies outside of the tree: at the line that names it."""

from __future__ import annotations

from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.sources.manifests import ManifestFile

Line = tuple[str, int]
"""The name of a file, and a line of it."""
PlaceOf = Callable[[ManifestFile], Line | None]


def at_release(outcome: Outcome, place_of: PlaceOf) -> None:
    """Have all of ``outcome``, what came of a rendered chart, stand where ``place_of`` says for the file of a template:
    None for one that lies in the tree. A finding names the template."""
    places = {
        file.name: (file, place) for file in outcome.tree.files if (place := place_of(file)) is not None
    }  # by their names before
    lines = {name: line for name, (_, (_, line)) in places.items()}
    for change in [*outcome.changes, *outcome.not_made]:
        change.line = change.new_line = lines.get(change.object.piece.file.name, change.line or change.new_line)
    for piece, path in outcome.lines:
        outcome.lines[piece, path] = lines.get(piece.file.name, outcome.lines[piece, path])
    for report in outcome.findings:
        if report.file in places:
            file, place = places[report.file]
            report.message += f" ({_template(file)}:{report.line} of its chart)"
            report.file, report.line = place
    for refused in outcome.refused:
        refused.file, refused.line = places[refused.file][1] if refused.file in places else (refused.file, refused.line)
    for file, (name, _) in places.values():
        file.name = name


def _template(file: ManifestFile) -> str:
    """The path of a template in the chart that has it."""
    _, found, rest = file.path.rpartition("/templates/")
    return f"templates/{rest}" if found else file.path.rpartition("/")[2]
