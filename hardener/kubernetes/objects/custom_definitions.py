"""What CustomResourceDefinitions declare, read off their text: parsed whole they would be most of the bytes of a tree.

Block layout, as every generator writes it; ``names`` and ``subresources`` may stand in one line each. Source:
apiextensions v1, types.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.kubernetes.objects.discovery import Row
from hardener.kubernetes.rbac.rules import VERBS

_KIND = re.compile(r"^kind: *[\"']?CustomResourceDefinition\b", re.M)
_SUBRESOURCE = re.compile(r"^( +)subresources:[ \t]*\n((?:\1 +.*\n?|[ \t]*\n)+)", re.M)
_SUBRESOURCE_LINE = re.compile(r"^ +subresources: *(\{.*)", re.M)
_NAMES_LINE = re.compile(r"^ +names: *(\{.*)", re.M)
_VERBS_OF = {"status": ("get", "update", "patch"), "scale": ("get", "update", "patch")}


def definitions(text: str) -> Iterator[Row]:
    """The resources that the definitions in ``text`` declare, with their status and scale."""
    if "CustomResourceDefinition" not in text:
        return
    for part in f"\n{text}".split("\n---"):  # a word is found faster than a pattern
        document = part[part.find("\n") :] if "\n" in part else ""
        if "CustomResourceDefinition" not in document or not _KIND.search(document):
            continue
        group, plural, kind = (_field(document, name) for name in ("group", "plural", "kind"))
        if not (group and plural and kind):
            continue
        namespaced = _field(document, "scope") != "Cluster"
        yield Row(group, plural, kind, namespaced, VERBS, custom=True)
        bodies = "".join(match[2] for match in _found(_SUBRESOURCE, document))
        bodies += "".join(f" {match[1]}\n" for match in _found(_SUBRESOURCE_LINE, document))
        for name, verbs in _VERBS_OF.items():
            if re.search(rf"(?:^ +|[{{,] *){name}:", bodies, re.M):
                yield Row(group, f"{plural}/{name}", kind, namespaced, verbs, custom=True)


def _found(pattern: re.Pattern[str], document: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern that begins with the line of ``subresources``, of which a long document has few."""
    position = document.find("subresources:")
    while position >= 0:
        match = pattern.match(document, document.rfind("\n", 0, position) + 1)
        if match is not None:
            yield match
        position = document.find("subresources:", position + 1 if match is None else match.end())


def _field(document: str, name: str) -> str | None:
    """The value of a key of ``spec`` or of its ``names``: two or four columns in."""
    pattern = rf"^(?: {{2}}| {{4}}){name}: *[\"']?([\w.-]+)[\"']? *(?:#.*)?$"
    match = re.search(pattern, document, re.M)
    line = _NAMES_LINE.search(document) if match is None else None
    if line is not None:
        match = re.search(rf"[{{,] *{name}: *[\"']?([\w.-]+)", line[1])
    return match[1] if match else None
