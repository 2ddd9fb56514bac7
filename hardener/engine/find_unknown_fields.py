"""What an API server drops, or refuses, since it is written wrong: fields that Kubernetes does not know at its version,
protocols in small letters, selectors that do not match the labels of their template, subjects without a namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.objects import known_fields
from hardener.kubernetes.objects.known_fields import Unknown, WrongProtocol
from hardener.kubernetes.pods.pod_template import group
from hardener.kubernetes.rbac.subjects import GROUP as RBAC
from hardener.kubernetes.validity import objects
from hardener.support.data_path import Path, dotted
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object
from hardener.tree.pod_fragments import is_fragment
from hardener.tree.tree import Tree

ID = "unknown-field"
_REFUSED = "not-valid-kubernetes"
_DROPPED = "the API server drops it, and kubectl apply refuses the object"


def reports(tree: Tree, said: Iterable[Report]) -> Iterator[Report]:
    """One finding for each such place of the files that may be edited, but for those of which one of ``said`` tells."""
    said = list(said)
    taken = {(id(report.piece), report.path) for report in said if "API server" in report.message}
    for report in _reports(tree, said):
        if (id(report.piece), report.path) not in taken:
            yield report


def _reports(tree: Tree, said: Iterable[Report]) -> Iterator[Report]:
    keys = {(report.file, report.line) for report in said if report.id == "python-key"}
    for item in [*tree.objects_and_held, *tree.fragments]:
        if item.editable and not item.piece.is_new:
            yield from _of_names(item, tree.settings.kubernetes_version, keys)
            if item.piece.source.is_manifest and "patch" not in item.classes:
                yield from _of_labels(item)
                yield from _of_subjects(item)


def _of_names(item: Object, version: tuple[int, int], keys: Set[tuple[str, int | None]]) -> Iterator[Report]:
    source = item.piece.source
    if not source.is_manifest and not source.is_program and source.sends_defaults(item.piece):
        return  # a resource of a provider with fields of its own, which knows them
    judge = known_fields.judged_pod if is_fragment(item.data) else known_fields.judged
    for found in judge(item.sent, version):
        report = _wrong_protocol(item, found) if isinstance(found, WrongProtocol) else _unknown(item, found, version)
        if not keys or (report.file, _line(item, report.path)) not in keys:
            yield report


def _line(item: Object, path: Path) -> int:
    return item.piece.line + item.piece.source.line_of(item.piece.read(), path)


def _unknown(item: Object, found: Unknown, version: tuple[int, int]) -> Report:
    release = f"Kubernetes {version[0]}.{version[1]}"
    message = f"{release} knows no field {dotted(found.path)}: {_DROPPED}"
    topic = f"field {found.path[-1]} of {found.holder}, which {release} does not know"
    return _report(ID, item, found.path, message, _advice(found), topic, _severity(found))


def _advice(found: Unknown) -> str:
    name = found.path[-1]
    if found.since is not None:
        return f"take it out, or name the version: {name} is known from Kubernetes {found.since} on"
    if found.until is not None:
        return f"take it out: {name} was known up to Kubernetes {found.until}"
    if found.meant is not None:
        return f"you meant {found.meant}: write that, if so"
    if found.home is not None and found.home.endswith(".matchLabels"):
        return f"write it below {found.home}"
    if found.home is not None:
        return f"you meant {name} of {found.home}: write it there, if so"
    return f"take it out, or write what was meant; kubectl explain lists the fields of {found.holder}"


def _severity(found: Unknown) -> Severity:
    if found.since is not None or found.until is not None:
        return Severity.LOW
    if found.is_security:
        return Severity.HIGH
    return Severity.MEDIUM if found.meant or found.home else Severity.LOW


def _wrong_protocol(item: Object, found: WrongProtocol) -> Report:
    message = f"{dotted(found.path)} is not in capitals: the API server refuses the object"
    return _report(_REFUSED, item, found.path, message, f"write {found.meant}", "protocol in small letters")


def _of_labels(item: Object) -> Iterator[Report]:
    rule = objects.RULES.get((group(item.api_version), item.kind))
    if rule is not objects.selector or _is_filled_in(item):
        return
    for broken in objects.selector(item.sent):
        advice = "write the same labels into spec.selector.matchLabels and into the template"
        topic = "selector of other labels than those of its template"
        message = f"{broken.message}: the API server refuses the object"
        yield _report(_REFUSED, item, broken.path, message, advice, topic, Severity.MEDIUM)


def _is_filled_in(item: Object) -> bool:
    """Whether a label, or a value in the selector, is written by something else than this file."""
    spec = mapping(item.data.get("spec"))
    wanted = mapping(mapping(spec.get("selector")).get("matchLabels"))
    labels = mapping(mapping(mapping(spec.get("template")).get("metadata")).get("labels"))
    texts = [str(each) for pair in (*wanted.items(), *labels.items()) for each in pair]
    return any(sign in text for text in texts for sign in ("$", "{{")) or bool(item.tree.ask(Builds).of(item))


def _of_subjects(item: Object) -> Iterator[Report]:
    if item.kind != "ClusterRoleBinding" or item.group != RBAC or item.tree.ask(Builds).of(item):
        return  # kustomize fills in the namespace of accounts
    for index, subject in enumerate(mappings(item.data.get("subjects"))):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            path = ("subjects", index)
            message = f"the ServiceAccount {subject.get('name')} has no namespace: the API server refuses the object"
            advice = "write its namespace: a ClusterRoleBinding has none that it could come from"
            yield _report(_REFUSED, item, path, message, advice, "subject without a namespace", Severity.MEDIUM)


def _report(
    id: str, item: Object, path: Path, message: str, advice: str, topic: str, severity: Severity = Severity.LOW
) -> Report:
    file = item.piece.file.name
    return Report(id, None, severity, message, advice, file, item, item.piece, (*item.path, *path), topic=topic)
