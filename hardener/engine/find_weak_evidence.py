"""What a cluster told and is no more than a hint: it is old, or another image runs by now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.exports.model import KEPT, Recorded
from hardener.facts.images.recordings import Recordings
from hardener.tree.tree import Tree

_ID = "recorded-evidence"
_WHAT_COUNTS = "it counts against a change, and not for one"


def reports(tree: Tree) -> Iterator[Report]:
    """A record for each old source of the kept file, and one for each object of which another digest was recorded."""
    recorded = tree.recorded
    if recorded is None or not recorded.is_kept:
        return
    today, oldest = tree.settings.as_of or date.today(), tree.settings.oldest_recording
    for key, source in recorded.sources.items():
        if not source.events and (today - date.fromisoformat(source.last)).days > oldest:
            text = f"{source.tool}, {source.file} ({recorded.days(key)}) is older than {oldest} days: {_WHAT_COUNTS}"
            yield _report(text, "import a newer export, or set import.max-age", KEPT)
    yield from _of_other_images(tree, recorded)


def _of_other_images(tree: Tree, recorded: Recorded) -> Iterator[Report]:
    for pod in tree.pods_and_parts:
        if not pod.object.editable:
            continue
        for container in pod.containers:
            pinned = container.image.digest if container.image is not None else None
            told = tree.ask(Recordings).of(container) if pinned is not None else None
            ran = {image.digest for image in told.facts.images} if told is not None else set()
            if ran and pinned not in ran:
                text = f"a cluster recorded another digest of {container.name} than the manifest pins: {_WHAT_COUNTS}"
                item = pod.object
                yield Report(
                    _ID, None, Severity.LOW, text, "import what the cluster has recorded since it runs this digest",
                    item.piece.file.name, item, item.piece, container.path,
                )  # fmt: skip


def _report(message: str, advice: str, file: str) -> Report:
    return Report(_ID, None, Severity.LOW, message, advice, file, line=1)
