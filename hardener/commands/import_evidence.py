"""``harden import``: what people exported from a cluster, read, matched with the tree, and kept in
``harden.evidence.yaml``."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree
from hardener.errors import InputError
from hardener.exports import kept_file, reading, writer
from hardener.exports.collector import Collector
from hardener.exports.model import Facts, ImageConfig, ImageFacts, Recorded, kinds, merged
from hardener.facts.images.recordings import Recording, Recordings, is_exported, recording
from hardener.lock import writer as lock_writer
from hardener.sources import files
from hardener.support.printable import plain_line
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.tree import Tree

_MOST = 10  # names that are shown of those that fit nothing
_KINDS = {
    "images": "digest", "ran": "user", "writes": "places written", "capabilities": "capabilities used",
    "usage": "usage", "calls": "system calls that the default profile refuses", "programs": "setuid programs started",
}  # fmt: skip
_OF_IMAGES = {"configs": "config of its image", "holds": "in its image"}
_Fact = TypeVar("_Fact")
_IS_OPEN = re.compile(r"\$|\{\{")
_RELEASE = re.compile(r"v?(\d+)\.(\d+)")
_NOT_OF_PATHS = re.compile(r"[/:@]")


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
    collector = Collector(date.today().isoformat())
    outcomes = [reading.read_file(path, collector) for path in reading.files_of(arguments)]
    with Progress() as progress:
        tree = read_tree(["."], choices, progress)
    nameless = list(_nameless(tree, collector))
    after = merged(before, collector.result()) if arguments else before
    tree.recorded = after
    if prune:
        after = tree.recorded = _pruned(after, tree)
    said = [*map(_line, outcomes), *(_sources(after) if list_sources else ())]
    said += _shown(tree, after, show) if show is not None else ()
    said += nameless
    if arguments or prune:
        said += _saved(root, before, after, collector)
    for line in (*said, *_unmatched(tree)):
        say(line)
    return int(any(outcome.problem is not None for outcome in outcomes))


def _nameless(tree: Tree, collector: Collector) -> Iterator[str]:
    """Say what is of no image or workload that is known."""
    yield from _named_configs(tree, collector)
    collector.resolve()
    if collector.left_out:
        yield (
            f"{collector.left_out} flows are of more connections than are kept: a policy may refuse them; import the"
            " flows of fewer namespaces"
        )
    if collector.unresolved:
        noun = "1 profile names" if collector.unresolved == 1 else f"{collector.unresolved} profiles name"
        yield f"{noun} no workload that these exports show: import the pods of the cluster with them"


def _named_configs(tree: Tree, collector: Collector) -> Iterator[str]:
    """Put in the configs under the images that the names of their files are made of; say which fit none."""
    by_file: dict[str, list[str]] = {}
    for image in sorted(_images(tree)):
        by_file.setdefault(_NOT_OF_PATHS.sub("_", image), []).append(image)
    for name, (config, key) in collector.configs.items():
        found = by_file.get(name, [])
        if len(found) == 1:
            collector.put_image_fact(found[0], "configs", partial(_by, config), key)
        else:
            yield plain_line(
                f"{name}: describes an image and does not name it: call the file as an image of this tree, with _ for /"
                " and :, such as acme_app_1.2.json for acme/app:1.2"
            )


def _by(config: ImageConfig, by: str) -> ImageConfig:
    return replace(config, by=by)


def _saved(root: str, before: Recorded, after: Recorded, collector: Collector) -> Iterator[str]:
    """Write what is new, and say so."""
    changed = writer.save(root, after) if after != before else False
    yield _summary(after, root, changed=changed)
    locked = _new_stanzas(root, collector)
    if locked:
        lock_writer.save(root, locked)
        yield f"harden.lock: {len(locked)} image{'' if len(locked) == 1 else 's'} of an engine (written)"


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
    held: list[Facts | ImageFacts] = [*found.containers.values(), *found.images.values()]
    facts = sum(len(kind) for each in held for kind in kinds(each)) + sum(map(len, found.accounts.values()))
    name = os.path.relpath(os.path.join(root, kept_file.NAME))
    state = "written, review and commit it" if changed else "unchanged"
    counts = ((facts, "fact"), (len(found.containers), "container"), (len(found.peers), "connection"))
    said = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    return f"{name}: {said}, of {len(found.sources)} source{'' if len(found.sources) == 1 else 's'} ({state})"


def _sources(found: Recorded) -> Iterator[str]:
    counts = Counter(found.of_sources())
    for key, source in found.sources.items():
        count = f"{counts[key]} fact{'' if counts[key] == 1 else 's'}"
        yield plain_line(f"{key}: {source.tool}, {found.days(key)}, from {source.file}: {count}")


def _unmatched(tree: Tree) -> Iterator[str]:
    names = list(tree.ask(Recordings).unmatched())
    if names:
        shown = ", ".join(names[:_MOST])
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        noun = "workload fits" if len(names) == 1 else "workloads fit"
        yield plain_line(f"{len(names)} {noun} no object of this tree, or several: {shown}{more}")


def _images(tree: Tree) -> set[str]:
    """The images of the tree."""
    return {container.image.text for pod in tree.pods_and_parts for container in pod.containers if container.image}


def _kept(held: dict[str, _Fact], gone: Callable[[str], bool]) -> dict[str, _Fact]:
    return {key: fact for key, fact in held.items() if not gone(key)}


def _pruned(found: Recorded, tree: Tree) -> Recorded:
    """``found`` without what is about no workload and no image of the tree."""
    gone = set(tree.ask(Recordings).unmatched())
    tree.facts.pop(Recordings, None)
    images = _images(tree)
    kept = replace(
        found,
        containers=_kept(found.containers, lambda key: key.rpartition("/")[0] in gone),
        peers=tuple(peer for peer in found.peers if gone.isdisjoint((peer.source, peer.target))),
        injected=_kept(found.injected, gone.__contains__),
        workloads=_kept(found.workloads, gone.__contains__),
        images=_kept(found.images, lambda name: name not in images),
    )
    # An audit log counts its events, also where none of its accounts is left.
    used = {*kept.of_sources(), *(key for key, source in found.sources.items() if source.events)}
    return replace(kept, sources={key: source for key, source in found.sources.items() if key in used})


def _shown(tree: Tree, found: Recorded, wanted: str) -> Iterator[str]:
    """What is known of the workload ``wanted`` (``Deployment/web``, its name, or "" for all), and what runs otherwise
    than the tree says."""
    if not wanted:
        yield from _of_cluster(tree, found)
    for pod in tree.pods_and_parts:
        item = pod.object
        if is_exported(item) or (wanted and wanted not in _names(item)):
            continue
        for container in pod.containers:
            told = recording(container)
            if told is not None:
                yield f"{item.kind}/{item.name} {container.name}" + (f" (hints only: {told.hint})" if told.hint else "")
                yield from (f"  {line}" for line in _facts(told, told.facts, _KINDS))
                yield from (f"  {line}" for line in _facts(told, told.image, _OF_IMAGES))
                yield from (f"  differs: {line}" for line in _differences(container, told.facts))
        yield from (f"  differs: {line}" for line in _labels(pod, found))
        for key in tree.ask(Recordings).keys(item):
            if names := found.injected.get(key):
                yield f"  differs: {', '.join(names)} runs in its pods and is in no manifest"


def _names(item: Object) -> tuple[str, ...]:
    return item.name, f"{item.kind}/{item.name}", f"{item.kind}/{item.namespace}/{item.name}"


def _labels(pod: PodTemplate, found: Recorded) -> Iterator[str]:
    """The labels of the pods that are other than those of the template; an expression may come to any."""
    for key in pod.tree.ask(Recordings).keys(pod.object):
        about = found.workloads.get(key)
        for name, value in about.labels if about is not None else ():
            own = pod.labels.get(name)
            if own is None:
                yield plain_line(f"its pods have the label {name}: {value}, the manifest has none of that name")
            elif own != value and not _IS_OPEN.search(own):
                yield plain_line(f"its pods have the label {name}: {value}, the manifest says {own}")


def _of_cluster(tree: Tree, found: Recorded) -> Iterator[str]:
    """What holds for the cluster, and where the tree takes another for granted."""
    for fact in found.cluster:
        said = ", ".join(f"{name}: {text}" for name, text in fact.said)
        yield plain_line(f"cluster: {fact.kind} {fact.name}" + (f" ({said})" if said else ""))
    release = tree.settings.kubernetes_version
    for fact in found.cluster:
        version = _RELEASE.match(fact.name) if fact.kind == "Node" else None
        if version is not None and (int(version[1]), int(version[2])) < release:
            yield (
                f"  differs: kubelets of {version[1]}.{version[2]} run, and this tree is hardened for"
                f" {release[0]}.{release[1]}: set kubernetes-version"
            )


def _facts(told: Recording, facts: Facts | ImageFacts, kinds: dict[str, str]) -> Iterator[str]:
    found = told.recorded
    for kind, words in kinds.items():
        for fact in getattr(facts, kind):
            source, old = found.sources[fact.by], ", old: a hint" if fact.by in told.old else ""
            yield plain_line(f"{words}: {kept_file.spelled(kind, fact)} ({source.tool}, {found.days(fact.by)}{old})")


def _differences(container: Container, facts: Facts) -> Iterator[str]:
    """What runs otherwise than the manifest says, without judging it."""
    uid = container.effective("runAsUser")
    for ran in facts.ran:
        if uid is None and not ran.by_image:
            yield f"it runs as {ran.uid}, which something set in its pod, the manifest sets no user"
        elif uid is not None and ran.uid != uid:
            yield f"it runs as {ran.uid}, the manifest says {uid}"
    image = container.image
    for ran_image in facts.images:
        if image is not None and image.text != ran_image.name and image.digest != ran_image.digest:
            digest = f"@{ran_image.digest}" if image.digest is not None and "@" not in ran_image.name else ""
            yield f"it runs {ran_image.name}{digest}, the manifest says {image.text}"
