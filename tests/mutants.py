"""Mutants of manifests: small changes of what a tree says, after each of which a second run has to change nothing.

``python -m tests.mutants --count 50000 --processes 2 --keep FOLDER`` makes mutants of the golden cases, and of the
corpus and the truth cases where they stand beside the repository; hardens each twice, and prints those that the second
run changes again, or that stop a run. ``--keep`` writes the smallest tree that it finds for each. A mutant is known by
its number and the seed, so that it can be made again: ``--first NUMBER --count 1``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT, SHARED

Texts = dict[str, str]
Node = Any  # of yaml.compose, which has no types

RUNS = (
    (5, "restricted", "review"), (3, "restricted", "breaking"), (1, "strict", "review"), (2, "strict", "breaking"),
    (1, "baseline", "review"), (1, "baseline", "breaking"), (1, "restricted", "safe"),
)  # fmt: skip
"""How often a mutant is hardened under which profile, up to which risk."""
_LARGEST = 12_000  # characters of a tree: a small one says the same, and is read more often
_MOST_FILES = 8
_FROM_CASE = ("accept", "set", "kubernetes-version", "as-of", "policy-engine")
_WORKLOADS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "ReplicationController")
_KINDS = (
    *_WORKLOADS, "Service", "ConfigMap", "Secret", "ServiceAccount", "Role", "ClusterRole", "RoleBinding",
    "ClusterRoleBinding", "Namespace", "NetworkPolicy", "Ingress", "List",
)  # fmt: skip
_NAMESPACES = ("default", "kube-system", "shop", "monitoring", "", None, "istio-system", "web")
_VALUES: tuple[Any, ...] = (
    True, False, None, "", 0, 1, -1, 65534, 1000, "*", "true", "no", "0", "default", "Unconfined", "Localhost",
    "RuntimeDefault", "ALL", "NET_ADMIN", "get", "create", "pods/exec", "nodes/proxy", "secrets", "latest", [], {},
    [None], "Always", "ClientIP", "LoadBalancer", "NodePort", "ClusterIP", "/var/run/docker.sock", "/", "500m", "1Gi",
    "kube-system", "system:anonymous", "system:masters", "cluster-admin", "a b", "x: y", "#", "'", "${VALUE}",
    "{{ value }}", "2024-01-01", 1.5, "0x10", "010", "~", "- a", "a\nb\n",
)  # fmt: skip
_COMMENTS = ("# a word", "#", "# harden: ignore[read-only-root-fs] needed", "# key: value", "#!/bin/sh", "# --- #")


@dataclass(frozen=True)
class Seed:
    """A tree that mutants are made of: its name, its files, and what its golden case asks for."""

    name: str
    texts: Texts
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Mutant:
    """A tree to be hardened twice, and how."""

    number: int
    seed: Seed
    texts: Texts
    profile: str
    max_grade: str
    made_by: list[str]


@dataclass
class Failure:
    """A mutant that does not hold: ``kind`` says what it has in common with others, ``shown`` what happened."""

    mutant: Mutant
    kind: str
    shown: str


# -- what mutants are made of


@cache
def seeds(more: bool = True) -> tuple[Seed, ...]:
    """The golden cases, and with ``more`` what stands beside the repository, in a stable order."""
    found = list(_golden())
    for name in ("truth/cases", "corpus") if more else ():
        found += _files_of(SHARED / name)
    return tuple(found)


def _golden() -> Iterator[Seed]:
    for before in sorted((ROOT / "golden").rglob("before")):
        texts = _texts(path for path in sorted(before.rglob("*")) if path.is_file()) if before.is_dir() else None
        if not texts:
            continue
        settings = before.parent / "case.yaml"
        found = yaml.safe_load(settings.read_text()) if settings.exists() else {}
        config = before / ".harden.yaml"
        helm = (yaml.safe_load(config.read_text()) or {}).get("helm", {}) if config.exists() else {}
        if "chart" in found or helm.get("values"):
            continue  # each mutant of it would cost dozens of renders
        options = {key.replace("-", "_"): found[key] for key in _FROM_CASE if key in found}
        if "as_of" in options:
            options["as_of"] = str(options["as_of"])
        names = {os.path.relpath(name, before): text for name, text in texts.items()}
        yield Seed(before.parent.relative_to(ROOT).as_posix(), names, options)


def _files_of(folder: Path) -> Iterator[Seed]:
    """Files of a folder, some at a time, as trees of their own."""
    for here in sorted(path for path in folder.rglob("*") if path.is_dir() and ".git" not in path.parts):
        paths = [path for path in sorted(here.iterdir()) if path.suffix in (".yaml", ".yml") and path.is_file()]
        while paths:
            taken, size = [paths.pop(0)], 0
            while paths and len(taken) < _MOST_FILES and size + paths[0].stat().st_size < _LARGEST // 2:
                size += paths[0].stat().st_size
                taken.append(paths.pop(0))
            if texts := _texts(taken):
                names = {os.path.basename(name): text for name, text in texts.items()}
                yield Seed(f"{here.relative_to(SHARED)}/{taken[0].name}", names)


def _texts(paths: Iterable[Path]) -> Texts | None:
    found, size = {}, 0
    for path in paths:
        size += path.stat().st_size
        if size > _LARGEST:
            return None
        try:
            found[str(path)] = path.read_bytes().decode()
        except UnicodeDecodeError:
            return None
    return found


@cache
def _donors(more: bool) -> dict[tuple[str, str], list[Any]]:
    """Values of all seeds by the key above and their own: what stands there somewhere may stand there elsewhere."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for seed in seeds(more):
        for name, text in seed.texts.items():
            for document in _documents(text) if name.endswith((".yaml", ".yml")) else ():
                for above, key, value in _entries_of(document, ""):
                    shown = json.dumps(value, default=str)
                    if len(shown) < 600:
                        found.setdefault((above, key), {}).setdefault(shown, json.loads(shown))
    return {place: list(values.values()) for place, values in found.items()}


@cache
def _donor_keys(more: bool) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for above, key in _donors(more):
        keys.setdefault(above, []).append(key)
    return keys


def _documents(text: str) -> list[Any]:
    try:
        return list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def _entries_of(value: Any, above: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield above, str(key), item
            yield from _entries_of(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _entries_of(item, above)


# -- one mutation of one text; each returns None where it finds no place


@dataclass(frozen=True)
class _Entry:
    """An entry of a mapping, or an item of a sequence (``key`` is None), and the key above it."""

    above: str
    parent: Node
    index: int
    key: Node
    value: Node


def _tree(text: str) -> list[_Entry]:
    found: list[_Entry] = []

    def visit(node: Node, above: str, depth: int) -> None:
        if depth > 60:
            return
        if isinstance(node, yaml.MappingNode):
            for index, (key, value) in enumerate(node.value):
                found.append(_Entry(above, node, index, key, value))
                visit(value, str(key.value), depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                found.append(_Entry(above, node, index, None, value))
                visit(value, above, depth + 1)

    for document in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        visit(document, "", 0)
    return found


def _start(entry: _Entry) -> int:
    return int((entry.key or entry.value).start_mark.index)


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _span(text: str, entry: _Entry) -> tuple[int, int] | None:
    """The lines of an entry of a block collection: from its own start to where the next one starts."""
    if entry.parent.flow_style:
        return None
    start = _start(entry)
    begin = start if entry.key is not None else text.rfind("-", 0, start)
    siblings = entry.parent.value
    if begin < 0:
        return None
    if entry.index + 1 < len(siblings):
        following = siblings[entry.index + 1]
        end = (following[0] if entry.key is not None else following).start_mark.index
        end = end if entry.key is not None else text.rfind("-", 0, end)
        return begin, end
    last = entry.value.end_mark.index
    stop = text.find("\n", max(last - 1, begin))
    return begin, len(text) if stop < 0 else stop + 1


def _drop(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    entry = chance.choice(entries)
    span = _span(text, entry)
    if span is None:
        return None
    begin, end = span
    if entry.index + 1 == len(entry.parent.value):  # the last one goes with the blanks before it
        begin = _line_start(text, begin) if not text[_line_start(text, begin) : begin].strip() else begin
    return text[:begin] + ("" if end > begin else "\n") + text[end:]


def _twice(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    entry = chance.choice([entry for entry in entries if entry.key is None] or entries)
    span = _span(text, entry)
    if span is None:
        return None
    begin, end = span
    indent = " " * (begin - _line_start(text, begin))
    part = text[begin:end].rstrip(" ")
    return text[:begin] + part + ("" if part.endswith("\n") else "\n") + indent + text[begin:]


def _swap_key(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    keys = [entry for entry in entries if entry.key is not None]
    if not keys:
        return None
    entry = chance.choice(keys)
    others = _donor_keys(more).get(entry.above, [])
    name = chance.choice([*others, str(entry.key.value).lower(), f"x-{entry.key.value}", str(entry.key.value)[:-1]])
    return text[: entry.key.start_mark.index] + json.dumps(name) + text[entry.key.end_mark.index :]


def _set(text: str, node: Node, value: Any) -> str:
    """``text`` with ``value``, in flow style, in the place of ``node``."""
    begin, end = node.start_mark.index, node.end_mark.index
    old = text[begin:end]
    tail = "\n" if old.endswith("\n") else ""
    blank = "" if begin and text[begin - 1] in " [{\n" else " "
    return text[:begin] + blank + json.dumps(value) + tail + text[end:]


def _swap_scalar(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    scalars = [entry for entry in entries if isinstance(entry.value, yaml.ScalarNode)]
    if not scalars:
        return None
    entry = chance.choice(scalars)
    known = _donors(more).get((entry.above, str(entry.key.value)), []) if entry.key is not None else []
    pick = chance.random()
    if pick < 0.4 and known:
        value = chance.choice(known)
    elif pick < 0.6:
        value = chance.choice(scalars).value.value
    else:
        value = chance.choice(_VALUES)
    return _set(text, entry.value, value)


def _graft(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    """An entry more, or another value, as it stands below the same key somewhere else."""
    mappings = {id(entry.parent): entry for entry in entries if entry.key is not None}
    if not mappings:
        return None
    entry = chance.choice(list(mappings.values()))
    keys = _donor_keys(more).get(entry.above, [])
    if not keys:
        return None
    key = chance.choice(keys)
    value = chance.choice(_donors(more)[(entry.above, key)])
    for there, node in entry.parent.value:
        if there.value == key:
            return _set(text, node, value) if isinstance(node, yaml.ScalarNode) or node.flow_style else None
    first = entry.parent.value[0][0].start_mark
    shown = f"{json.dumps(key)}: {json.dumps(value)}"
    if entry.parent.flow_style:
        return text[: first.index] + f"{shown}, " + text[first.index :]
    return text[: first.index] + f"{shown}\n{' ' * first.column}" + text[first.index :]


def _rename(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    names = [entry for entry in entries if entry.key is not None and entry.key.value == "name"]
    if not names:
        return None
    entry = chance.choice(names)
    name = chance.choice(["web", "db", "default", "api-gateway", "redis", "x" * 63, "a.b", "admin", "Web", "0"])
    old = str(entry.value.value)
    if chance.random() < 0.5 and len(old) > 2:
        return text.replace(old, name)
    return _set(text, entry.value, name)


def _kind(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    kinds = [entry for entry in entries if entry.key is not None and entry.key.value == "kind"]
    if not kinds:
        return None
    entry = chance.choice(kinds)
    near = _WORKLOADS if entry.value.value in _WORKLOADS and chance.random() < 0.8 else _KINDS
    return _set(text, entry.value, chance.choice(near))


def _namespace(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    there = [entry for entry in entries if entry.key is not None and entry.key.value == "namespace"]
    if there and chance.random() < 0.6:
        entry = chance.choice(there)
        return _set(text, entry.value, chance.choice(_NAMESPACES))
    metas = [entry for entry in entries if entry.above == "metadata" and entry.index == 0 and entry.key is not None]
    if not metas:
        return None
    entry = chance.choice(metas)
    start = entry.key.start_mark
    space = f"namespace: {json.dumps(chance.choice(_NAMESPACES))}"
    between = ", " if entry.parent.flow_style else "\n" + " " * start.column
    return text[: start.index] + space + between + text[start.index :]


def _comment(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    lines = text.split("\n")
    number = chance.randrange(len(lines))
    if chance.random() < 0.5 and lines[number].strip():
        lines[number] += f"  {chance.choice(_COMMENTS)}"
    else:
        indent = lines[number][: len(lines[number]) - len(lines[number].lstrip(" "))]
        lines.insert(number, indent * chance.randrange(2) + chance.choice(_COMMENTS))
    return "\n".join(lines)


def _restyle(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    """The same data in another style, without its comments."""
    documents = _documents(text)
    if not documents:
        return None
    if chance.random() < 0.2 and len(documents) == 1:
        return json.dumps(documents[0], default=str, indent=chance.choice([None, 1, 2, 4])) + "\n"
    try:
        return str(yaml.safe_dump_all(
            documents, default_flow_style=chance.choice([False, None, True]), indent=chance.choice([2, 3, 4, 8]),
            width=chance.choice([40, 80, 1000]), sort_keys=chance.random() < 0.5, explicit_start=chance.random() < 0.5,
        ))  # fmt: skip
    except yaml.YAMLError:
        return None


def _ends(text: str, entries: list[_Entry], chance: random.Random, more: bool) -> str | None:
    pick = chance.randrange(4)
    if pick == 0:
        return text.rstrip("\n")
    if pick == 1:
        return text.replace("\n", "\r\n") if "\r" not in text else None
    if pick == 2:
        return text + "---\n"
    return "---\n" + text


MUTATIONS = (
    (4, _drop), (2, _twice), (1, _swap_key), (4, _swap_scalar), (6, _graft), (2, _rename), (2, _kind), (2, _namespace),
    (1, _comment), (1, _restyle), (1, _ends),
)  # fmt: skip


def _split(texts: Texts, name: str, chance: random.Random) -> Texts | None:
    """The documents of a file in files of their own, or two files as one."""
    parts = texts[name].split("\n---\n")
    if len(parts) > 1:
        rest = {key: text for key, text in texts.items() if key != name}
        stem, end = os.path.splitext(name)
        folder = chance.choice(["", "more/"])
        return {**rest, **{f"{folder}{stem}-{n}{end}": f"{part}\n" for n, part in enumerate(parts)}}
    others = [other for other in texts if other != name and other.endswith((".yaml", ".yml"))]
    if not others:
        return None
    other = chance.choice(others)
    if "kustomization" in name + other:
        return None
    rest = {key: text for key, text in texts.items() if key not in (name, other)}
    return {**rest, name: texts[name].rstrip("\n") + "\n---\n" + texts[other]}


def mutant(number: int, seed: int, more: bool = True) -> Mutant:
    """The mutant with this number: the same one whenever it is asked for."""
    chance = random.Random(f"{seed}/{number}")
    known = seeds(more)
    golden = [each for each in known if each.name.startswith("golden/")]
    chosen = chance.choice(golden if chance.random() < 0.6 else known)
    texts = dict(chosen.texts)
    made_by: list[str] = []
    weights, how = [weight for weight, _ in MUTATIONS], [each for _, each in MUTATIONS]
    wanted = chance.choice([1, 1, 2, 3, 4])
    for _ in range(40):
        if len(made_by) == wanted:
            break
        names = sorted(name for name in texts if name.endswith((".yaml", ".yml")) and not name.startswith("."))
        if not names:
            break
        name = chance.choice(names)
        if chance.random() < 0.05:
            changed = _split(texts, name, chance)
            if changed is not None:
                texts = changed
                made_by.append("split")
            continue
        mutate = chance.choices(how, weights)[0]
        try:
            entries = _tree(texts[name])
            text = mutate(texts[name], entries, chance, more) if entries else None
            if text is None or text == texts[name]:
                continue
            _tree(text)  # what is no YAML any more is refused, and says little
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        texts[name] = text
        made_by.append(mutate.__name__.lstrip("_"))
    _, profile, max_grade = chance.choices(RUNS, [weight for weight, _, _ in RUNS])[0]
    return Mutant(number, chosen, texts, profile, max_grade, made_by)


# -- hardened twice


def twice(found: Mutant, texts: Texts | None = None) -> Failure | None:
    """Harden a mutant, or ``texts`` in its place, two times; what the second run changed, if anything."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        work = Path(folder).resolve() / "work"
        for name, text in (found.texts if texts is None else texts).items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            _harden(work, found)
            once = _bytes(work)
            ids = _harden(work, found)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {os.path.basename(place.filename)}:{place.name}"
            return Failure(found, kind, traceback.format_exc())
        again = _bytes(work)
    if once == again:
        return None
    return Failure(found, " ".join(sorted(set(ids))) or "no change is told", _difference(once, again))


def _harden(work: Path, found: Mutant) -> list[str]:
    """One run as ``harden apply`` does it; the transforms that changed something."""
    from hardener.commands.run import Choices, plan_of
    from hardener.commands.write_files import write_files
    from hardener.errors import InputError
    from hardener.tree.tree import Tree

    here = os.getcwd()
    os.chdir(work)
    try:
        options = {"as_of": "2026-11-28", **found.seed.options}
        try:
            plan = plan_of(Choices(profile=found.profile, max_grade=found.max_grade, **options), str(work))
            tree = Tree.read([str(work)], root=str(work), settings=plan.settings)
        except InputError:
            return []  # a configuration, or evidence beside the manifests, that is wrong by now
        outcome = plan.run(tree, lambda name: None)
        write_files(outcome)
        return [change.transform.id for change in outcome.changes]
    finally:
        os.chdir(here)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _difference(once: dict[str, bytes], again: dict[str, bytes]) -> str:
    import difflib

    parts: list[str] = []
    for name in sorted(once.keys() | again.keys()):
        one, other = (texts.get(name, b"").decode(errors="replace").splitlines(True) for texts in (once, again))
        parts += difflib.unified_diff(one, other, f"once/{name}", f"twice/{name}")
    return "".join(parts)


def smallest(failure: Failure, seconds: float = 60) -> Texts:
    """A smaller tree that fails in the same way: files and entries are left out as long as it does."""
    texts, end = dict(failure.mutant.texts), time.monotonic() + seconds

    def fails(candidate: Texts) -> bool:
        found = twice(failure.mutant, candidate)
        return found is not None and found.kind == failure.kind

    for name in sorted(texts):
        rest = {key: text for key, text in texts.items() if key != name}
        if rest and fails(rest):
            texts = rest
    smaller = True
    while smaller and time.monotonic() < end:
        smaller = False
        for name in [name for name in sorted(texts) if name.endswith((".yaml", ".yml"))]:
            for text in _shorter(texts[name]):
                if time.monotonic() > end:
                    break
                if fails({**texts, name: text}):
                    texts, smaller = {**texts, name: text}, True
                    break
    return texts


def _shorter(text: str) -> Iterator[str]:
    parts = text.split("\n---\n")
    if len(parts) > 1:
        for index in range(len(parts)):
            yield "\n---\n".join(part for n, part in enumerate(parts) if n != index)
    try:
        entries = _tree(text)
    except yaml.YAMLError:
        return
    spans = {span for entry in entries if (span := _span(text, entry)) is not None}
    for begin, end in sorted(spans, key=lambda span: span[0] - span[1]):
        first = _line_start(text, begin)
        whole = text[:first] + text[end:] if not text[first:begin].strip() else text[:begin] + text[end:].lstrip(" ")
        try:
            _tree(whole)
        except (yaml.YAMLError, ValueError):
            continue
        yield whole


# -- the command


def _some(first: int, last: int, seed: int, more: bool) -> list[Failure]:
    return [failure for number in range(first, last) if (failure := twice(mutant(number, seed, more))) is not None]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="write the smallest tree of each kind of failure below this folder")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more mutants after so long")
    chosen = parser.parse_args(arguments)
    sys.setrecursionlimit(10_000)
    begun, kinds, done = time.monotonic(), Counter[str](), 0
    last = chosen.first + chosen.count
    numbers = iter(range(chosen.first, last, 50))
    with ProcessPoolExecutor(chosen.processes) as pool:
        waiting: list[Any] = []
        while True:
            while len(waiting) < 2 * chosen.processes and time.monotonic() - begun < chosen.seconds:
                start = next(numbers, None)
                if start is None:
                    break
                stop = min(start + 50, last)
                waiting.append((stop - start, pool.submit(_some, start, stop, chosen.seed, True)))
            if not waiting:
                break
            size, future = waiting.pop(0)
            for failure in future.result():
                kinds[failure.kind] += 1
                found = failure.mutant
                made = "+".join(found.made_by)
                print(f"{found.number} {found.profile}/{found.max_grade} {failure.kind} [{made}] {found.seed.name}")
                if chosen.keep and kinds[failure.kind] == 1:
                    _keep(chosen.keep, failure)
            done += size
            sys.stdout.flush()
    print(f"{done} mutants in {time.monotonic() - begun:.0f} s, {sum(kinds.values())} do not hold")
    for kind, count in kinds.most_common():
        print(f"{count:6d}  {kind}")
    return bool(kinds)


def _keep(folder: Path, failure: Failure) -> None:
    target = folder / f"{failure.mutant.number}"
    shutil.rmtree(target, ignore_errors=True)
    found = failure.mutant
    for name, text in smallest(failure).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    again = twice(found, {name: (target / name).read_bytes().decode() for name in smallest_names(target)})
    shown = again.shown if again else failure.shown
    note = f"{failure.kind}\n--profile {found.profile} --max-grade {found.max_grade} {found.seed.options}\n"
    (folder / f"{found.number}.txt").write_text(f"{note}{found.seed.name} {found.made_by}\n{shown}")


def smallest_names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
