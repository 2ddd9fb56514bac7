"""What a run makes of a tree, sent to a real API server beside what the tree was: objects, and the pods they make."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hardener import harden_tree
from hardener.report.results import FindingRecord

from .api_server import Said, Server, levels_of
from .node import Map

VERSION = "1.36"  # of the server
# As docs/profiles.md has them: what a run makes unasked, and all that there is.
RUNS = (("restricted", None), ("strict", "breaking"))
_ENDINGS = (".yaml", ".yml", ".json")
_BESIDE = frozenset({".git", ".harden.yaml", "harden.lock", "harden.evidence.yaml"})
_PLACEHOLDER = re.compile(r"\$\{\w+\}|\{\{")  # filled in before an API server sees it
_SEPARATOR = re.compile(r"(?m)^---(?=[ \t\r]|$)")


class Key(NamedTuple):
    """An object of a file, or the pod that it makes."""

    path: str
    kind: str
    namespace: str
    name: str
    part: str = ""
    number: int = 0  # of several that are called the same


class Sent(NamedTuple):
    """What is sent, and the Pod Security levels of its namespace."""

    item: Map
    levels: dict[str, str]


@dataclass
class Compared:
    """What came out of trees: objects ``sent``, kinds that are not served, and lines about what a run made worse, and
    about fields that the server does not know and no finding names."""

    sent: Counter[str] = field(default_factory=Counter)
    unserved: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    refused: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.sent.total()} objects sent, {self.unserved.total()} of kinds that are not served; newly refused "
            f"{len(self.refused)}, newly warned {len(self.warned)}; {self.unknown} fields that the server does not "
            f"know, without a finding {len(self.unsaid)}"
        )


class _Loader(yaml.CSafeLoader):
    """Reads a day as a text, as an API server does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def objects(folder: Path) -> dict[Key, Sent]:
    """The objects that stand in files of ``folder``, read by another reader than that of a run."""
    found = [(path, item) for path in _files(folder) for item in _documents(path) if not _is_owned(item)]
    levels = {
        _name(item): levels_of(_metadata(item).get("labels")) for _, item in found if item.get("kind") == "Namespace"
    }
    sent: dict[Key, Sent] = {}
    for path, item in found:
        space = str(_metadata(item).get("namespace") or "")
        of = Key(path.relative_to(folder).as_posix(), str(item["kind"]), space, _name(item))
        made = ((of._replace(part="pod"), pod) for pod in _pods(item))
        for key, each in ((of, _with_account(item)), *made):
            while key in sent:
                key = key._replace(number=key.number + 1)
            sent[key] = Sent(each, levels.get(space, {}))
    return sent


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in _ENDINGS and path.is_file() and not _BESIDE & set(path.relative_to(folder).parts)
    ]


def _documents(path: Path) -> Iterator[Map]:
    """Its objects; a document that is no YAML, such as a template, has none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return
    for part in _SEPARATOR.split(text):
        if _PLACEHOLDER.search(part):
            continue
        try:
            found = list(yaml.load_all(part, Loader=_Loader))
        except (yaml.YAMLError, ValueError):
            continue
        for each in found:
            yield from _items(each)


def _items(document: Any) -> Iterator[Map]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        return
    if document["kind"].endswith("List") and isinstance(document.get("items"), list):
        for each in document["items"]:
            yield from _items(each)
    elif isinstance(document.get("apiVersion"), str) and "$patch" not in document:
        yield document


def _metadata(item: Map) -> Map:
    found = item.get("metadata")
    return found if isinstance(found, dict) else {}


def _is_owned(item: Map) -> bool:
    """Whether a controller makes it, so that nobody applies it: of a tree that was exported."""
    return bool(_metadata(item).get("ownerReferences"))


def _name(item: Map) -> str:
    return str(_metadata(item).get("name") or _metadata(item).get("generateName") or "")


def _pods(item: Map) -> Iterator[Map]:
    """The pod that a workload makes, as its controller would send it."""
    spec = item.get("spec")
    if item["kind"] == "CronJob" and isinstance(spec, dict) and isinstance(spec.get("jobTemplate"), dict):
        spec = spec["jobTemplate"].get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if isinstance(template, dict) and isinstance(template.get("spec"), dict) and template["spec"].get("containers"):
        labels = {k: v for k, v in _metadata(template).items() if k in ("labels", "annotations")}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**labels, "name": "made"}, "spec": template["spec"]}
        yield _with_account(pod)


def _with_account(item: Map) -> Map:
    """A pod names its account before it is judged: another plug-in of the API server sees to it, which is off where
    there are no controllers."""
    if item["kind"] != "Pod" or not isinstance(item.get("spec"), dict):
        return item
    named = item["spec"].get("serviceAccountName") or item["spec"].get("serviceAccount") or "default"
    return {**item, "spec": {**item["spec"], "serviceAccountName": named, "serviceAccount": named}}


@contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    """A copy, with nothing around it that a run would take for evidence."""
    with tempfile.TemporaryDirectory() as there:
        copy = Path(there).resolve() / "tree"
        shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        for path in copy.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)
        yield copy


def compare(server: Server, folder: Path) -> Compared:
    """What the runs make of ``folder``, against what it was."""
    found = Compared()
    with copy_of(folder) as whole:
        before = objects(whole)
        judged = {key: server.judged(*each) for key, each in before.items()}
        found.unserved.update(key.kind for key, said in judged.items() if said is None)
        for profile, grade in RUNS:
            with copy_of(whole) as copy:
                done = harden_tree(copy, profile=profile, max_grade=grade, kubernetes_version=VERSION, write=True)
                after = objects(copy)
            named = f"{folder}, {profile}"
            for key, each in after.items():
                if before.get(key) != each:
                    _judge(found, named, key, judged.get(key) or Said(), server.judged(*each))
            if profile == RUNS[0][0]:
                _look_for_findings(found, str(folder), judged, done.findings)
    found.sent.update(key.kind for key, said in judged.items() if said is not None)
    return found


def _judge(found: Compared, tree: str, key: Key, was: Said, now: Said | None) -> None:
    if now is None:
        found.unserved[key.kind] += 1
        return
    found.sent[key.kind] += 1
    new = now - was
    if was.refused or _is_of_node(key):  # of what is refused a server tells no warnings
        new.warned.clear()
    place = f"{tree}: {' '.join(filter(None, key[:5]))}"
    found.refused += [f"{place}: {text}" for text in sorted(new.refused)]
    found.warned += [f"{place}: {text}" for text in sorted(new.warned)]
    found.unsaid += [f"{place}: written, and not known: {name}" for name in sorted(new.unknown)]


def _is_of_node(key: Key) -> bool:
    """Pods of the control plane are made by the kubelet from files, and stand in a namespace that no level holds for:
    their audit log is on a volume of the node."""
    return key.kind == "Pod" and key.namespace == "kube-system"


def _look_for_findings(
    found: Compared, tree: str, judged: dict[Key, Said | None], findings: tuple[FindingRecord, ...]
) -> None:
    """A field that the server does not know is a finding at it, or above it."""
    said = {(os.path.basename(each.file), place) for each in findings for place in _places(each)}
    for key, each in judged.items():
        if each is None or key.part:
            continue
        for name in each.unknown:
            found.unknown += 1
            if not any((os.path.basename(key.path), above) in said for above in _above(name)):
                found.unsaid.append(f"{tree}: {key.path} {key.kind} {key.name}: no finding names {name}")


def _places(finding: FindingRecord) -> Iterator[str]:
    yield "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in finding.path).lstrip(".")


def _above(name: str) -> Iterator[str]:
    """``name``, and each place that it stands in, but for the whole object."""
    while name:
        yield name
        name = name[: max(name.rfind("."), name.rfind("["), 0)]
