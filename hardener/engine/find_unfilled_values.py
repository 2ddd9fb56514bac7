"""Values of objects that something fills in later, wherever they stand: a transform says so of those that it asks for,
and what no transform asks for is nobody's. Only a gate looks for these (``--no-waivers``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.kubernetes.pods.custom_resource import is_defined
from hardener.sources.open_values import OpenDict, OpenList
from hardener.sources.script import SCRIPT
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree
from hardener.tree.view import literal

# What is text to harden, whatever it comes to: a shell and the kubelet fill in some of it themselves.
_TEXT = frozenset({
    "annotations", "args", "binaryData", "command", "data", "env", "exec", "generateName", "host", "hostname",
    "hostnames", "hosts", "httpGet", "labels", "name", "stringData",
})  # fmt: skip
# Which of these decide something all the same, by API group or kind: whom a role is given to, a level of Pod Security.
_DECIDES = {"rbac.authorization.k8s.io": frozenset({"name"}), "Namespace": frozenset({"labels"})}
_ADVICE = "write the value here, or check what it is rendered to"
_MOST_DEPTH = 64


def reports(tree: Tree, said: Iterable[Report]) -> Iterator[Report]:
    """One finding for each object of the files that may be edited with such values, but those of which one of ``said``
    tells."""
    told = {id(report.object) for report in said if report.id == "opaque-value"}
    pods = {pod.object for pod in tree.pod_templates}
    for item in tree.objects:
        if item.editable and id(item) not in told and (item in pods or not _is_elsewhere(item)):
            places = list(_unfilled(item))
            if places:
                yield _report(item, *places[0], more=len(places) - 1)


def _is_elsewhere(item: Object) -> bool:
    """Whether other findings tell of all of ``item``, or its values are no business of whoever fills in manifests: a
    patch, a resource of a definition, what a run makes. A script is no object."""
    return "patch" in item.classes or item.piece.is_new or is_defined(item.group) or (item.group, item.kind) == SCRIPT


def _unfilled(item: Object) -> Iterator[tuple[Path, str]]:
    """The places below ``item`` that are filled in later, each with what does."""
    text = _TEXT - _DECIDES.get(item.group, frozenset()) - _DECIDES.get(item.kind, frozenset())
    waiting: list[tuple[Path, object]] = [((), item.data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, OpenDict) or (isinstance(value, OpenList) and not value.alike):
            yield path, f"may get more from {value.why}"
        if len(path) > _MOST_DEPTH:
            yield path, "is deeper than is followed"
        elif isinstance(value, dict):
            waiting += [((*path, key), value[key]) for key in reversed(value) if key not in text]
        elif isinstance(value, list):
            waiting += reversed([((*path, index), child) for index, child in enumerate(value)])
        elif isinstance(value, str) and literal(value) != value and path[-2:-1] != ("metadata",):
            yield path, f"is {value}, which is filled in later"


def _report(item: Object, path: Path, what: str, *, more: int) -> Report:
    others = f" (and {more} more place{'s' * (more > 1)})" if more else ""
    message = f"not decided: {dotted(path) or 'the object'} {what}{others}"
    file = item.piece.file.name
    return Report(
        "opaque-value", None, Severity.LOW, message, _ADVICE, file, item, item.piece, (*item.path, *path),
        not_looked_at=True,
    )  # fmt: skip
