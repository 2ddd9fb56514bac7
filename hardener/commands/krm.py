"""``harden fn``: a KRM function, which kustomize, kpt and others start with a ResourceList on standard input.

The list is edited as any other text: what kustomize left of comments and order stays. It is a stream, so what concludes
from absence is a result and no change.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from hardener import __version__
from hardener.authoring.edits import Grade
from hardener.authoring.profile import BUILT_IN
from hardener.commands.filter import standard_input
from hardener.commands.run import Choices, informed, plan_of
from hardener.errors import InputError
from hardener.report.krm import results
from hardener.sources import files
from hardener.sources.yaml import TextError, dump, parse, rewrite, segments
from hardener.support.printable import plain_line
from hardener.tree.tree import Tree, lock_of

_VERSIONS = ("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1")
_TEXTS = ("profile", "max-risk", "kubernetes-version", "as-of")
_LISTS = ("accept", "only", "skip", "set")


def fn() -> int:
    """Harden the ResourceList on standard input to standard output, one line about it on standard error. Returns 0.

    Raises InputError when it is no ResourceList, or when its functionConfig asks for what there is not.
    """
    text = standard_input().removeprefix("\ufeff")
    choices = _choices(_resource_list(text).get("functionConfig"))
    root = os.path.realpath(files.git_root(os.getcwd()) or os.getcwd())
    if choices.profile not in (None, *BUILT_IN) and not files.is_inside(os.path.realpath(str(choices.profile)), root):
        raise InputError(f"functionConfig: profile {choices.profile} lies outside of the tree, and is not read")
    plan = plan_of(choices, root)
    tree = Tree.from_text(text, plan.settings, lock_of(root))
    outcome = plan.run(tree, lambda name: None)
    redactor = informed(outcome)
    found = results(outcome, redactor)
    changed = outcome.files[0].text if outcome.files else text
    sys.stdout.buffer.write(_written(changed, found).encode())
    sys.stdout.buffer.flush()
    counts = outcome.summary()
    # Kustomize leaves an exec function out without a word when it may not run it: this line shows that it ran.
    line = (
        f"harden {__version__}: profile {outcome.profile}, {len(tree.objects)} objects, {counts['edits']} edits, "
        f"{counts['held']} held back, {counts['findings']} findings"
    )
    print(plain_line(redactor.text(line)), file=sys.stderr)
    return 0


def _resource_list(text: str) -> dict[str, Any]:
    try:
        documents = [document for document in parse(text).documents if document is not None]
    except TextError as refused:
        raise InputError(f"standard input: {refused.reason}") from None
    first = documents[0] if len(documents) == 1 else None
    if not isinstance(first, dict) or first.get("kind") != "ResourceList" or first.get("apiVersion") not in _VERSIONS:
        raise InputError(
            "standard input is no ResourceList of config.kubernetes.io/v1; plain manifests are for harden filter"
        )
    return first


def _choices(config: Any) -> Choices:
    """What the functionConfig asks for: the data of a ConfigMap, the spec of any other kind."""
    if config is None:
        return Choices()
    if not isinstance(config, dict):
        raise InputError("functionConfig is an object, with its choices in spec, or in data of a ConfigMap")
    key = "data" if config.get("kind") == "ConfigMap" else "spec"
    given = config.get(key) or {}
    if not isinstance(given, dict):
        raise InputError(f"functionConfig: {key} is a mapping")
    unknown = given.keys() - {*_TEXTS, *_LISTS}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"functionConfig: unknown {names}; there are {', '.join((*_TEXTS, *_LISTS))}")
    taken: dict[str, Any] = {name.replace("-", "_"): _one(name, given[name]) for name in _TEXTS if name in given}
    taken |= {name: _several(name, given[name]) for name in _LISTS if name in given}
    if taken.get("max_risk", "review") not in list(Grade):
        raise InputError(f"functionConfig: max-risk is one of {', '.join(Grade)}")
    return Choices(**taken)


def _one(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"functionConfig: {name} is a text, perhaps in quotes")
    return value


def _several(name: str, value: Any) -> list[str]:
    # A ConfigMap holds texts only: there it is one entry per line, or ids with commas between them.
    found = value.splitlines() if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise InputError(f"functionConfig: {name} is a list of texts, or a text with one of them per line")
    return [part.strip() for part in found if part.strip()]


def _written(text: str, found: list[dict[str, Any]]) -> str:
    """The ResourceList ``text`` with results; documents that the run made behind it become items of it."""
    parts = [(part.text, parse(part.text).documents) for part in segments(text)]
    filled = [part for part in parts if any(document is not None for document in part[1])]
    own, made = filled[0][0], [document for _, documents in filled[1:] for document in documents]

    def mutate(documents: list[Any]) -> None:
        (document,) = (document for document in documents if document is not None)
        if made:
            document["items"] = [*(document.get("items") or []), *made]
        if found:
            document["results"] = found
        else:
            document.pop("results", None)

    try:
        return rewrite(own, mutate).text
    except TextError:  # a spelling that does not bear an addition: then it is written anew
        documents = parse(own).documents
        mutate(documents)
        return dump(next(document for document in documents if document is not None))
