"""What looks like a workload in the files below the given paths, and that nothing read: a net under all readers.

Each is a finding with its file and line, and a form that says the way out; those in documents and tests are counted.
What a reader made an object of, or a finding tells of, is left out.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set, Sized
from typing import Any

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Outcome, Report
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.objects.unread_forms import FORMS, Sighting, in_language, in_tasks, in_text, is_apart
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.script import SCRIPT
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

ID = "unread-workload"
_LARGEST = 2 * 1024 * 1024  # bytes of a file that is searched: what is larger is generated
# A pattern that begins with letters is found ten times as fast as one that begins with `\b`.
_KIND = late_pattern(rf"""kind(?<!\wkind)["']?[ \t]*:[ \t]*["']?(?:{"|".join(sorted(POD_KINDS))})\b""")
_BLOCKS = re.compile(
    r"kubernetes_(?:pod|deployment|replication_controller|stateful_set|daemon_set|daemonset|job|cron_job)(?:_v\d\w*)?"
)
_DEFINITIONS = frozenset({"definition", "resource_definition"})


def reports(outcome: Outcome) -> Iterator[Report]:
    """A finding for each; the others are noted in ``tree.apart``."""
    tree = outcome.tree
    if tree.stream:
        yield from (_report(name, seen) for name, seen in _of_stream(tree))
        return
    tree.apart.clear()
    for name, seen in _sightings(tree, outcome.findings):
        if is_apart(name, seen.form):
            tree.apart.setdefault(name, []).append(seen.line)
        else:
            yield _report(name, seen)


def summary(findings: Iterable[Report]) -> str:
    """``12 workloads in 3 files of CUE were not``; "" where there are none."""
    found = [each for each in findings if each.id == ID]
    if not found:
        return ""
    forms: dict[str, list[str]] = {}
    for each in found:
        forms.setdefault(str(each.topic).removeprefix(_TOPIC), []).append(each.file)
    verb = "was" if len(found) == 1 else "were"
    if len(forms) > _MOST_FORMS:
        more = f"{', '.join(list(forms)[:_MOST_FORMS])} and {len(forms) - _MOST_FORMS} more forms"
        return f"{_counted(found, 'workload')} {_in_files([each.file for each in found])} ({more}) {verb} not"
    parts = [f"{_counted(places, 'workload')} {_in_files(places)} of {form}" for form, places in forms.items()]
    return f"{' and '.join(parts)} {verb} not"


_MOST_FORMS = 2  # that a verdict counts one by one
_TOPIC = "workload that nothing reads, in "


def _in_files(places: list[str]) -> str:
    return f"in {_counted(set(places), 'file')}"


def _counted(items: Sized, noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")


def _report(name: str, seen: Sighting) -> Report:
    form = FORMS[seen.form]
    message = f"not looked at: {seen.what} in {form.name}"
    return Report(
        ID, None, Severity.LOW, message, form.advice, name, line=seen.line, topic=f"{_TOPIC}{form.name}",
        not_looked_at=True,
    )  # fmt: skip


def _sightings(tree: Tree, findings: list[Report]) -> Iterator[tuple[str, Sighting]]:
    yield from _of_tools(tree)
    for path in tree.passed.others:
        yield from _of_other(path)
    yield from _of_scripts(tree)
    yield from _of_programs(tree)
    yield from _of_manifests(tree)
    yield from _of_kustomizations(tree)
    yield from _without_pods(tree)
    yield from _of_blocks(tree, {report.object for report in findings})


def _of_tools(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """Charts that other tools render, and files that tasks of Ansible apply, unless they are read by themselves."""
    read = {os.path.basename(path) for path in (*tree.passed.others, *(file.path for file in tree.files))}
    found = [(name, each) for name, sightings in tree.sightings.items() for each in sightings]
    for file in tree.files:
        if file.editable and file.holds("k8s:"):
            found += [(file.name, each) for each in in_tasks(file.content.text)]
    yield from ((name, each) for name, each in found if not _is_read(each, read))


def _of_scripts(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """Manifests in a script that are no heredoc that was read."""
    for item in tree.of(*SCRIPT):
        for each in in_text("heredoc", item.piece.text) if item.editable else ():
            if not _is_covered(item.piece, each.line):
                yield item.piece.file.name, each


def _of_programs(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """What looks like a workload in programs beside the objects that were read."""
    for file in tree.files:
        yield from ((file.name, Sighting(line, "program", what)) for line, what in file.sighted)


def _is_read(seen: Sighting, read: Set[str]) -> bool:
    """Whether the file that a task names is read, or counted, by itself."""
    return seen.form == "ansible" and os.path.basename(seen.what.strip("\"'")) in read


def _of_manifests(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    objects = tree.objects_and_held
    known = Counter(item.piece.file.path for item in objects if item.kind in POD_KINDS)
    places = {(item.piece, item.path) for item in objects}
    for file in tree.files:
        if file.editable and not file.is_new and _may_hold_more(tree, file, known[file.path]):
            for piece in file.pieces:
                if piece.parsed and piece.source.is_manifest:
                    seen = (each for each in _within(piece, places) if not _is_covered(piece, each.line))
                    yield from ((file.name, each) for each in seen)


def _of_stream(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """Objects in a stream that stand below a key, or in a list: who renders them has to give each by itself."""
    for file in tree.files:
        for piece in file.pieces if file.editable else ():
            if piece.parsed and piece.source.is_manifest and not any(map(_has_kind, piece.data)):
                yield from ((file.name, each._replace(form="stream")) for each in _within(piece, set()))


def _has_kind(document: object) -> bool:
    return isinstance(document, dict) and "kind" in document


def _of_other(path: str) -> Iterator[tuple[str, Sighting]]:
    """Of a file in a language that nothing reads."""
    try:
        text = files.read_bytes(path, _LARGEST)[0].decode(errors="replace")
    except UnreadableError:
        return
    name = os.path.relpath(path)
    yield from ((name, each) for each in in_language(name, text))


def _is_covered(outer: Piece, line: int) -> bool:
    """Whether a piece within ``outer`` was read on its own."""
    return any(
        piece is not outer and piece.parsed and piece.line < line <= piece.line + max(1, piece.text.count("\n"))
        for piece in outer.file.pieces
        if outer.start <= piece.start and piece.end <= outer.end
    )


def _may_hold_more(tree: Tree, file: ManifestFile, known: int) -> bool:
    """Whether more kinds of workloads stand in a file of YAML than it has objects of them."""
    if not file.source.is_manifest or os.path.basename(file.path) in kustomize.NAMES or file.path in tree.patch_files:
        return False
    return file.holds("apiVersion") and len(_KIND.findall(file.content.text)) > known


def _within(piece: Piece, places: Set[tuple[Piece, Path]]) -> Iterator[Sighting]:
    """The manifests within the documents of ``piece``: as mappings below a key of another tool, and as texts."""
    waiting: list[tuple[Path, Any]] = [((number,), document) for number, document in enumerate(piece.data)]
    found: list[tuple[Path, list[Sighting]]] = []
    while waiting:
        path, value = waiting.pop()
        seen = [] if (piece, path) in places else _seen(path, value)
        if seen:
            found.append((path, seen))
        elif not _is_taken_away(value):
            waiting += [((*path, key), child) for key, child in reversed(_children(value))]
    parsed = piece.read() if found else None
    for path, sightings in found:
        line = piece.line + piece.source.line_of(parsed, path) - 1
        yield from (each._replace(line=line + each.line) for each in sightings)


def _seen(path: Path, value: object) -> list[Sighting]:
    """What a value within a document is by itself, with lines from its own."""
    if isinstance(value, str):
        return in_text("text", value) if "\n" in value else []
    if not isinstance(value, dict) or not _is_workload(value):
        return []
    return [Sighting(1, "nested" if _DEFINITIONS.isdisjoint(path) else "ansible", str(value["kind"]))]


def _is_taken_away(value: object) -> bool:
    """Whether a task of Ansible deletes what it describes."""
    return isinstance(value, dict) and value.get("state") == "absent" and not _DEFINITIONS.isdisjoint(value)


def _children(value: object) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _is_workload(value: dict[Any, Any]) -> bool:
    return value.get("kind") in POD_KINDS and isinstance(value.get("apiVersion"), str) and "spec" in value


def _of_kustomizations(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """Bases of other repositories, and charts: what is built of them is not in the tree."""
    for item in tree.kustomizations.values():
        if not item.editable:
            continue
        for path, name in kustomize.entries(item.data):
            form = "kustomize-chart" if path[0] in kustomize.CHARTS else "remote-base"
            if form == "remote-base" and not kustomize.is_remote(name):
                continue
            line = _line(item, path)
            yield item.piece.file.name, Sighting(line, form, name)


def _of_blocks(tree: Tree, said: set[Any]) -> Iterator[tuple[str, Sighting]]:
    """Blocks of Terraform that make pods, of which neither an object nor a finding tells."""
    for block in tree.blocks.blocks if tree.block_files else ():
        is_chart = block.kind == "helm_release"
        if block.editable and block not in said and (is_chart or _BLOCKS.fullmatch(block.kind)):
            line = _line(block, ())
            yield block.piece.file.name, Sighting(line, "helm-release" if is_chart else "terraform", str(block))


def _without_pods(tree: Tree) -> Iterator[tuple[str, Sighting]]:
    """Workloads of Terraform in which no pod is seen: those of an old form."""
    known = {pod.object for pod in tree.pod_templates}
    for item in tree.objects if tree.block_files else ():
        if item.editable and item.kind in POD_KINDS and not item.piece.source.is_manifest and item not in known:
            if not item.piece.source.is_program:
                yield item.piece.file.name, Sighting(_line(item, ()), "terraform", str(item))


def _line(item: Object, path: Path) -> int:
    return item.piece.line + item.piece.source.line_of(item.piece.read(), (*item.path, *path))
