"""What works with the token of a pod without standing in its manifest: added by a webhook, or done by an operator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.namespace_contents import Namespaces
from hardener.kubernetes.pods import operator_pods as rendered
from hardener.kubernetes.pods.token_users import OPERATED, SIDECAR_KEYS, SIDECARS, OwnToken, Setting, Sidecar
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_MAY_SAY = (("install.istio.io", "IstioOperator"), ("sailoperator.io", "Istio"))
_OFF = [(row.own, path, value) for row in SIDECARS if row.own is not None for path, value in row.own.off]
_KINDS = ("annotations", "labels")


class TokenUser(Struct, frozen=True):
    """What works with the token of a pod, as ``evidence``, and what a person does to spare that (``instead``, "" where
    nothing does). ``sure``: not only where it is of a version that the tree does not show."""

    evidence: Evidence
    instead: str
    sure: bool


def token_users(pod: PodTemplate) -> Iterator[TokenUser]:
    """What is added to ``pod``, or done with it, by something else, and works with its token. Raises OpaqueError."""
    yield from _sidecars(pod)
    for row in OPERATED:
        if row.part in ("", *pod.path) and row.is_of(pod.object.data):
            yield TokenUser(pod.fact(row.does), row.instead, sure=True)


class ChartsWithoutOwnToken(AsRead, dict[OwnToken, Evidence]):
    """The values of charts, and objects of installers, that say that a sidecar has no token of its own."""

    def __init__(self, tree: Tree) -> None:
        for kind in sorted(rendered.RENDERED_ELSEWHERE | set(_MAY_SAY)):
            for item in tree.of(*kind):
                for place, values in rendered.placed_values(item.data):
                    self._read(item, place, values)

    def _read(self, item: Object, place: Path, values: Mapping[str, Any]) -> None:
        for own, path, value in _OFF:
            if value_at(values, path) == value:
                text = f"{item} sets {'.'.join(map(str, path))}: {str(value).lower()}"
                self.setdefault(own, item.fact(text, *place, *path))


def _sidecars(pod: PodTemplate) -> Iterator[TokenUser]:
    """The sidecars that ``pod`` or its namespace asks for, and that have no other token."""
    spaces = list(_namespaces(pod))
    if not any(holder.may_hold(kind, SIDECAR_KEYS) for holder in (pod.metadata, *spaces) for kind in _KINDS):
        return  # nearly always
    for row in SIDECARS:
        asked = _asked(row, [pod.metadata, *(spaces if row.by_namespace else ())])
        if asked is not None and not any(_holds(setting, pod) for setting in row.needless):
            sure = True if row.own is None else _is_without_own(pod, row.own)
            if sure is not None:
                yield TokenUser(asked, row.instead, sure)


def _holds(setting: Setting, pod: PodTemplate) -> bool:
    return setting.holds(pod.metadata.text("annotations", setting.key))


def _asked(row: Sidecar, holders: list[View]) -> Evidence | None:
    """What asks for the sidecar; what the pod says counts before what its namespace says."""
    for holder, kind, key in product(holders, _KINDS, row.keys):
        said = _said(holder, kind, key)
        if said is not None:
            return holder.fact(row.does, kind, key) if row.is_asked_by(said) else None
    return None


def _said(holder: View, kind: str, key: str) -> str | None:
    """A label or annotation; labels that are computed elsewhere are taken for those of selectors."""
    try:
        return holder.text(kind, key) if holder.has(kind) else None
    except OpaqueError:
        if kind == "labels":
            return None
        raise


def _is_without_own(pod: PodTemplate, own: OwnToken) -> bool | None:
    """Whether a sidecar has no token of its own for sure; None where it has one."""
    if own in pod.tree.ask(ChartsWithoutOwnToken):
        return True
    if own.since is None:
        return None
    said = pod.metadata.text("annotations", own.version_key)
    version = re.search(r"(\d{1,9})\.(\d{1,9})", said) if said else None
    if version is None:
        return False
    return True if (int(version[1]), int(version[2])) < own.since else None


def _namespaces(pod: PodTemplate) -> Iterator[View]:
    """The metadata of the Namespace objects of ``pod``."""
    for name in pod.tree.ask(Builds).namespaces(pod.object):
        space = pod.tree.ask(Namespaces).get(name) if name else None
        if space is not None and space.declared:
            yield space.view("metadata")
