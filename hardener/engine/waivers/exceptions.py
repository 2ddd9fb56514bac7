"""Waivers in ``.harden.yaml``: ``exceptions``, each with a day on which it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from fnmatch import fnmatchcase

from hardener.authoring import registry
from hardener.authoring.config import Exemption
from hardener.authoring.risks import RISKS
from hardener.engine.waivers.waiver import EVERYTHING, Collection, Waiver, containers_called, unknown
from hardener.facts.kustomize.builds import Builds
from hardener.sources.files.selection import pattern_test
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

_RISK = re.compile(r"K(0[1-9]|10)")


def read(tree: Tree, today: date, pods_of: Callable[[Object], list[PodTemplate]], found: Collection) -> None:
    """Add the exceptions of the configuration to ``found``; ``today`` is the day on which they are judged."""
    for exemption in tree.settings.exemptions:
        ids = _ids(exemption)
        if isinstance(ids, str):
            _refuse(found, exemption, "waiver-unknown", ids, "correct it; harden list shows the transforms")
        elif not exemption.reason.strip():
            _refuse(found, exemption, "waiver-without-reason", "a waiver needs a reason", "write its reason")
        elif exemption.expires < today:
            message = f"exception expired: {exemption.id} was waived until {exemption.expires}"
            _refuse(found, exemption, "waiver-expired", message, f"{_ask(exemption)}, or renew it with a new reason")
        elif _is_far(exemption.expires, today):
            message = f"an exception ends within twelve months; that of {exemption.id} ends on {exemption.expires}"
            _refuse(found, exemption, "waiver-too-long", message, "name an earlier day, and look at it again then")
        else:
            _add(tree, exemption, ids, pods_of, found)


def _ids(exemption: Exemption) -> frozenset[str] | str | None:
    """The ids that are waived; a text where that cannot be told."""
    if exemption.id == "*":
        return EVERYTHING
    if _RISK.fullmatch(exemption.id) and exemption.id in RISKS:
        return frozenset(item.id for item in registry.transforms().values() if item.risk == exemption.id)
    return unknown(exemption.id) or frozenset({exemption.id})


def _ask(exemption: Exemption) -> str:
    return f"have {exemption.owner} correct what it covers" if exemption.owner else "correct what it covers"


def _is_far(expires: date, today: date) -> bool:
    return (expires.year - 1, expires.month, expires.day) > (today.year, today.month, today.day)


def _refuse(found: Collection, exemption: Exemption, id: str, message: str, advice: str) -> None:
    found.refuse(id, message, advice, exemption.file, line=exemption.line)


def _add(
    tree: Tree,
    exemption: Exemption,
    ids: frozenset[str] | None,
    pods_of: Callable[[Object], list[PodTemplate]],
    found: Collection,
) -> None:
    waiver = Waiver(exemption.id, ids, exemption.reason.strip(), "config", [], exemption.file, exemption.line)
    in_path = pattern_test(exemption.path, tree.root) if exemption.path is not None else lambda path: True
    for item in tree.everything:
        if not (_matches(tree, exemption, item) and in_path(item.piece.file.path)):
            continue
        if not item.editable:
            waiver.used = True  # what it waives may be outside the given paths
        elif exemption.container is None:
            waiver.scopes.append((item.piece, item.path))
        else:
            waiver.scopes += containers_called(pods_of(item), exemption.container)
    if (exemption.kind, exemption.name, exemption.namespace, exemption.container) == (None, None, None, None):
        _add_files(tree, waiver, in_path)
    # A stream is a part of what the configuration speaks of.
    waiver.used = waiver.used or tree.stream
    found.waivers.append(waiver)


def _add_files(tree: Tree, waiver: Waiver, in_path: Callable[[str], bool]) -> None:
    """What holds no object, such as a kustomization or the values of a chart: only its path can fit."""
    objects = {item.piece for item in tree.everything}
    for file in tree.files:
        others = [piece for piece in file.pieces if piece not in objects]
        if others and in_path(file.path):
            waiver.used = waiver.used or not file.editable
            waiver.scopes += ((piece, ()) for piece in others)


def _matches(tree: Tree, exemption: Exemption, item: Object) -> bool:
    return (
        exemption.kind in (None, item.kind)
        and (exemption.name is None or fnmatchcase(item.name, exemption.name))
        and (exemption.namespace is None or exemption.namespace in tree.ask(Builds).namespaces(item))
    )
