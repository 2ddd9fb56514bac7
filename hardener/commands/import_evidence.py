"""``harden import``: what people exported from a cluster, read, matched with the tree, and kept in
``harden.evidence.yaml``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree
from hardener.errors import InputError
from hardener.exports import kept_file, reading, writer
from hardener.exports.collector import Collector
from hardener.exports.model import OUTSIDE, Facts, Recorded, merged
from hardener.facts.images.recordings import Recordings, recording
from hardener.lock import writer as lock_writer
from hardener.sources import files
from hardener.support.printable import plain_line
from hardener.tree.core_views import Container, Object
from hardener.tree.tree import Tree

_MOST = 10  # names that are shown of those that fit nothing
_KINDS = {
    "images": "digest", "ran": "user", "writes": "places written", "capabilities": "capabilities used",
    "usage": "usage",
}  # fmt: skip


def import_files(
    arguments: list[str], choices: Choices, *, list_sources: bool, show: str | None, prune: bool,
    say: Callable[[str], object] = print,
) -> int:  # fmt: skip
    """Read the exports ``arguments`` into the kept file, and say what of it is about this tree.

    ``list_sources``: only say what is kept. ``show``: only say what is known of this workload, and what runs otherwise
    than the tree says. ``prune``: drop what is about no workload of the tree. Returns 1 where a file told nothing,
    else 0. Raises InputError for a kept file that is wrong.
    """
    if not (arguments or list_sources or prune or show is not None):
        raise InputError("name the exports to read, or one of --list, --show and --prune")
    root = files.root_of([os.path.realpath(".")])
    before = kept_file.load(root) or Recorded()
    outcomes: list[reading.Outcome] = []
    after, locked = before, {}
    if arguments:
        collector = Collector(date.today().isoformat())
        outcomes = [reading.read_file(path, collector) for path in reading.files_of(arguments)]
        after = merged(before, collector.result())
        locked = _new_stanzas(root, collector)
    with Progress() as progress:
        tree = read_tree(["."], choices, progress)
    tree.recorded = after
    if prune:
        after = tree.recorded = _pruned(after, tree)
    for outcome in outcomes:
        say(_line(outcome))
    if list_sources:
        for line in _sources(after):
            say(line)
    if show is not None:
        for line in _shown(tree, after, show):
            say(line)
    if arguments or prune:
        changed = writer.save(root, after) if after != before else False
        say(_summary(after, root, changed=changed))
    if locked:
        lock_writer.save(root, locked)
        say(f"harden.lock: {len(locked)} image{'' if len(locked) == 1 else 's'} of an engine (written)")
    for line in _unmatched(tree):
        say(line)
    return int(any(outcome.problem is not None for outcome in outcomes))


def _new_stanzas(root: str, collector: Collector) -> dict[str, dict[str, Any]]:
    """What an engine described and the lock does not hold: a registry tells more, and harden lock asked it."""
    known = lock_writer.stanzas(root)
    return {image: stanza for image, stanza in collector.locked.items() if image not in known}


def _line(outcome: reading.Outcome) -> str:
    name = plain_line(outcome.name)
    if outcome.problem is not None:
        return f"{name}: {plain_line(outcome.problem)}"
    more = [f"{count} {words}" for count, words in (
        (outcome.other, "of other kinds"), (outcome.broken, "that cannot be read"),
    ) if count]  # fmt: skip
    return f"{name}: {outcome.told} read" + (f", {', '.join(more)}" if more else "")


def _summary(found: Recorded, root: str, *, changed: bool) -> str:
    facts = sum(len(getattr(each, kind)) for each in found.containers.values() for kind in _KINDS)
    name = os.path.relpath(os.path.join(root, kept_file.NAME))
    state = "written, review and commit it" if changed else "unchanged"
    counts = ((facts, "fact"), (len(found.containers), "container"), (len(found.peers), "connection"))
    said = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    return f"{name}: {said}, of {len(found.sources)} source{'' if len(found.sources) == 1 else 's'} ({state})"


def _sources(found: Recorded) -> Iterator[str]:
    counts = Counter(fact.by for facts in found.containers.values() for kind in _KINDS for fact in getattr(facts, kind))
    counts.update(peer.by for peer in found.peers)
    for key, source in found.sources.items():
        yield plain_line(f"{key}: {source.tool}, {found.days(key)}, from {source.file}: {counts[key]} facts")


def _unmatched(tree: Tree) -> Iterator[str]:
    names = list(tree.ask(Recordings).unmatched())
    if names:
        shown = ", ".join(names[:_MOST])
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        noun = "workload fits" if len(names) == 1 else "workloads fit"
        yield plain_line(f"{len(names)} {noun} no object of this tree, or several: {shown}{more}")


def _pruned(found: Recorded, tree: Tree) -> Recorded:
    gone = set(tree.ask(Recordings).unmatched())
    tree.facts.pop(Recordings, None)
    containers = {key: facts for key, facts in found.containers.items() if key.rpartition("/")[0] not in gone}
    peers = tuple(peer for peer in found.peers if not {peer.source, peer.target} - {OUTSIDE} & gone)
    used = {fact.by for facts in containers.values() for kind in _KINDS for fact in getattr(facts, kind)}
    used |= {peer.by for peer in peers}
    sources = {key: source for key, source in found.sources.items() if key in used}
    injected = {key: names for key, names in found.injected.items() if key not in gone}
    return Recorded(sources, containers, injected, peers)


def _shown(tree: Tree, found: Recorded, wanted: str) -> Iterator[str]:
    """What is known of the workload ``wanted`` (``Deployment/web``, its name, or "" for all), and what runs otherwise
    than the tree says."""
    for pod in tree.pods_and_parts:
        item = pod.object
        if wanted and wanted not in _names(item):
            continue
        for container in pod.containers:
            told = recording(container)
            if told is not None:
                yield f"{item.kind}/{item.name} {container.name}" + (f" (hints only: {told.hint})" if told.hint else "")
                yield from (f"  {line}" for line in _facts(found, told.facts))
                yield from (f"  differs: {line}" for line in _differences(container, told.facts))
        for key in tree.ask(Recordings).keys(item):
            if names := found.injected.get(key):
                yield f"  differs: {', '.join(names)} runs in its pods and stands in no manifest"


def _names(item: Object) -> tuple[str, ...]:
    return item.name, f"{item.kind}/{item.name}", f"{item.kind}/{item.namespace}/{item.name}"


def _facts(found: Recorded, facts: Facts) -> Iterator[str]:
    for kind, words in _KINDS.items():
        for fact in getattr(facts, kind):
            source = found.sources[fact.by]
            yield plain_line(f"{words}: {kept_file.spelled(kind, fact)} ({source.tool}, {found.days(fact.by)})")


def _differences(container: Container, facts: Facts) -> Iterator[str]:
    """What runs otherwise than the manifest says, without judging it."""
    uid = container.effective("runAsUser")
    for ran in facts.ran:
        if uid is not None and ran.uid != uid:
            yield f"it runs as {ran.uid}, the manifest says {uid}"
    image = container.image
    for ran_image in facts.images:
        if image is not None and image.text != ran_image.name and image.digest != ran_image.digest:
            yield f"it runs {ran_image.name}, the manifest says {image.text}"
