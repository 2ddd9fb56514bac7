"""The marks of other scanners, which say the same in their words: honoured, since the decision is written down.

kube-linter, Checkov, Polaris and kube-score read annotations, kubeaudit labels, Kubescape a JSON file of exceptions,
Kyverno a PolicyException (each peer's documentation of its suppressions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from hardener.engine.waivers import kubeaudit, marks
from hardener.engine.waivers.annotations import Holder, holders
from hardener.engine.waivers.waiver import EVERYTHING, Collection, Scope, Waiver
from hardener.sources.manifests import ManifestFile
from hardener.support.data_path import Path
from hardener.support.shapes import mapping, mappings, texts
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

_CLAUSES = ("any", "all")
_NAMED = frozenset({"kinds", "names", "namespaces", "operations"})
_CHECKOV = re.compile(r"checkov\.io/skip\d+")

Checks = Mapping[str, Mapping[str, frozenset[str]]]
"""By scanner and name of its check, what it waives here."""

# (ids, carrier, reason, scopes)
_Said = tuple[frozenset[str] | None, str, str, list[Scope]]


def read(item: Object, pods: list[PodTemplate], checks: Checks, found: Collection) -> None:
    """Add the marks on ``item`` and on its pod templates ``pods`` to ``found``."""
    for holder in holders(item, pods):
        for key in ("annotations", "labels"):
            for name, value in holder.mapping(key).items():
                if key == "annotations":
                    said = _annotation(name, value, holder, checks)
                else:
                    said = _label(item, name, value, holder, checks)
                if said is not None and (said[0] is EVERYTHING or said[0]) and said[3]:
                    ids, carrier, reason, scopes = said
                    path = (*holder.path, key, name)
                    where = item.piece.file.name
                    found.waivers.append(
                        Waiver(name, ids, reason, carrier, scopes, where, piece=item.piece, path=path, object=item)
                    )


def _annotation(name: str, value: str, holder: Holder, checks: Checks) -> _Said | None:
    scopes = [holder.scope]
    prefix, _, check = name.partition("/")
    if name == "kube-linter.io/ignore-all":
        return EVERYTHING, "kube-linter", value or name, scopes
    if prefix == "ignore-check.kube-linter.io":
        return checks["kube-linter"].get(check, frozenset()), "kube-linter", value or name, scopes
    if _CHECKOV.fullmatch(name):
        check, _, reason = value.partition("=")
        ids = checks["checkov"].get(check.strip(), frozenset())
        return ids, "checkov", reason.strip() or f"{name}: {check}", scopes
    if name == "kube-score/ignore":
        known = (checks["kube-score"].get(each.strip(), frozenset()) for each in value.split(","))
        return frozenset[str]().union(*known), "kube-score", f"{name}: {value}", scopes
    if prefix == "polaris.fairwinds.com" and value == "true":
        if check == "exempt":
            return EVERYTHING, "polaris", f"{name}: true", scopes
        if check.endswith("-exempt"):
            ids = checks["polaris"].get(check.removesuffix("-exempt"), frozenset())
            return ids, "polaris", f"{name}: true", scopes
    return None


def _label(item: Object, name: str, value: str, holder: Holder, checks: Checks) -> _Said | None:
    if "audit" not in name or any(pod.template_path != holder.scope[1] for pod in holder.pods):
        return None  # where pods have labels of their own, kubeaudit reads no others

    override = kubeaudit.read(item, name, value)
    if override is None:
        return None
    scopes = kubeaudit.scopes(override, item, holder)
    return _overridden(override.what, checks), "kubeaudit", override.reason, scopes


def _overridden(what: str, checks: Checks) -> frozenset[str]:
    # Those that end in a dash are followed by a capability, or by the name of a volume.
    known = checks["kubeaudit"].items()
    meant = (ids for check, ids in known if (what.startswith(check) if check.endswith("-") else what == check))
    return frozenset[str]().union(*meant)


def read_kubescape(tree: Tree, file: ManifestFile, checks: Checks, found: Collection) -> None:
    """Add the exceptions of Kubescape in ``file`` to ``found``."""
    for piece in file.pieces:
        for number, document in enumerate(piece.data):
            for index, policy in enumerate(document if isinstance(document, list) else []):
                if not isinstance(policy, dict) or policy.get("policyType") != marks.KUBESCAPE:
                    continue
                ids = frozenset[str]().union(*(checks["kubescape"].get(id, ()) for id in _controls(policy)))
                scopes = [scope for item in tree.objects if item.editable for scope in _scopes(policy, item)]
                if ids and scopes:
                    name = str(policy.get("name") or "exception")
                    path: Path = (number, index)
                    reason = str(policy.get("reason") or name)
                    found.waivers.append(
                        Waiver(name, ids, reason, "kubescape", scopes, file.name, piece=piece, path=path)
                    )


def read_kyverno(tree: Tree, item: Object, checks: Checks, found: Collection) -> None:
    """Add ``item``, a PolicyException of Kyverno, to ``found``, as far as it names what it is for: namespaces and
    objects. One for everything is a finding, and one with selectors or conditions is not known here."""
    spec = mapping(item.data.get("spec"))
    if spec.get("conditions") or spec.get("matchConditions"):
        return
    ids, scopes = _excepted(spec, checks["kyverno"]), _bounded(spec, tree, item)
    if ids and scopes:
        name, where = item.name or "exception", item.piece.file.name
        path = (*item.path, "spec")
        found.waivers.append(Waiver(name, ids, name, "kyverno", scopes, where, piece=item.piece, path=path))


def _excepted(spec: dict[str, Any], checks: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The transforms that answer one of the policies that an exception names."""
    named = [str(entry.get("policyName") or "") for entry in mappings(spec.get("exceptions"))]
    named += [str(entry.get("name") or "") for entry in mappings(spec.get("policyRefs"))]
    known = (ids for check, ids in checks.items() if any(fnmatchcase(check, name) for name in named))
    return frozenset[str]().union(*known)


def _bounded(spec: dict[str, Any], tree: Tree, exception: Object) -> list[Scope]:
    """The objects that an exception names, by name or namespace."""
    clauses = [mapping(each.get("resources")) for key in _CLAUSES for each in _plain_clauses(spec, key)]
    bound = [clause for clause in clauses if _bounds(clause)]
    if not bound:
        return []
    objects = [each for each in tree.objects if each.editable and each is not exception]
    return [(each.piece, each.path) for each in objects if any(_matches(clause, each) for clause in bound)]


def _plain_clauses(spec: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """The clauses of a match that name resources and nothing else."""
    for clause in mappings(mapping(spec.get("match")).get(key)):
        if clause.keys() <= {"resources"} and mapping(clause.get("resources")).keys() <= _NAMED:
            yield clause


def _bounds(clause: dict[str, Any]) -> bool:
    """Whether it names a namespace or an object."""
    return any(set(texts(clause.get(key))) - {"*"} for key in ("names", "namespaces"))


def _matches(clause: dict[str, Any], item: Object) -> bool:
    values = {"kinds": item.kind, "names": item.name, "namespaces": item.namespace or ""}
    return all(
        any(fnmatchcase(values[key], pattern.rpartition("/")[2]) for pattern in texts(clause[key]))
        for key in values
        if clause.get(key)
    )


def _controls(policy: dict[str, Any]) -> Iterator[str]:
    for entry in mappings(policy.get("posturePolicies")):
        # Kubescape takes a framework alone for everything in it; that is more than anybody means to say here.
        yield str(entry.get("controlID") or entry.get("controlId") or "").upper()


def _scopes(policy: dict[str, Any], item: Object) -> Iterator[Scope]:
    for resource in mappings(policy.get("resources")):
        attributes = resource.get("attributes")
        if isinstance(attributes, dict) and attributes and all(_fits(k, v, item) for k, v in attributes.items()):
            yield item.piece, item.path
            return


def _fits(key: str, pattern: Any, item: Object) -> bool:
    # The values are regular expressions for the whole text; a cluster, or a label, is not known here.
    value = {"kind": item.kind, "name": item.name, "namespace": item.namespace, "apiVersion": item.api_version}.get(key)
    try:
        return value is not None and re.fullmatch(str(pattern), value) is not None
    except re.error:
        return False
