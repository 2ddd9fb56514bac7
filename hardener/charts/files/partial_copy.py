"""A copy of a chart that renders some of its objects alone: without the other templates, definitions of resources,
dashboards, rules and documents, which a search for values would render again and again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator

_TEMPLATES = "templates"
_NOTES = "NOTES.txt"  # what helm says to a person
_NAMED = re.compile(r"[\w.-]+\.(?:ya?ml|tpl|txt)")
_DEFINES = re.compile(r"\{\{-?\s*define\b")
# What helm takes no part of for a template, and what no template reads as a rule.
_NO_FOLDERS = frozenset({"crds", "ci", "docs", "img", "tests", "unittests"})
_NO_FILES = re.compile(r"(?i).*\.(?:md|gotmpl|png|svg)|values\.schema\.json")
# What gives another result in each render (helm.sh/docs/chart_template_guide/function_list).
_BY_CHANCE = re.compile(
    r"\b(?:rand\w+|uuidv4|now|ago|shuffle|gen(?:PrivateKey|CA|SelfSigned|Signed)\w*|htpasswd|bcrypt|encryptAES)\b"
)
_BY_TIME = re.compile(r"\b(?:now|ago)\b")
_BY_ORDER = re.compile(r"\b(?:keys|values) +[$.(](?!.*sortAlpha)")
_FIELD = re.compile(r"([A-Za-z][\w.-]*)[\"']?\s*:(?=\s|$)|[\"']([A-Za-z]\w*)[\"']", re.M)
_LARGEST = 4 * 1024 * 1024  # bytes of one file


def chances(folder: str) -> tuple[bool, bool, bool]:
    """Whether a template of the chart in ``folder``, or of a chart below it, may print something else each time,
    whether also something else each second, and whether it takes the keys of a map in no order."""
    found = list(texts(folder))
    by_chance, by_time, by_order = (any(map(each.search, found)) for each in (_BY_CHANCE, _BY_TIME, _BY_ORDER))
    return by_chance, by_time, by_order


def texts(folder: str) -> Iterator[str]:
    """Yield the texts of all templates of the chart in ``folder``, and of those below it."""
    return (_text(path) for path in _template_paths(folder))


class Fields:
    """The names of fields that the templates of the chart in ``folder`` write themselves, which is where a single value
    may come out that no map brings along."""

    def __init__(self, folder: str) -> None:
        self._names = {
            name
            for path in _template_paths(folder)
            for found in _FIELD.finditer(_text(path))
            for name in found.groups()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._names


def copy_for(folder: str, target: str, sources: Collection[str]) -> bool:
    """Copy the chart in ``folder`` to ``target``, with those templates that make objects only where ``sources``, paths
    seen from ``folder``, name them. What others include or only define stays. Returns False, and copies nothing, where
    no template would be left out."""
    gone = _without_use(folder, {os.path.join(folder, source) for source in sources})
    if all(os.path.basename(path) == _NOTES for path in gone):
        return False

    def ignored(place: str, names: list[str]) -> list[str]:
        inside = _TEMPLATES in os.path.relpath(place, folder).split(os.sep)
        return [name for name in names if os.path.join(place, name) in gone or (not inside and _is_aside(place, name))]

    shutil.copytree(folder, target, ignore=ignored)
    return True


def _without_use(folder: str, kept: Collection[str]) -> set[str]:
    """The templates of the chart in ``folder`` that are not ``kept``, define nothing, and are named by no other."""
    read = {path: _text(path) for path in _template_paths(folder)}
    named = {name for text in read.values() for name in _NAMED.findall(text)}
    used = {path for path, text in read.items() if os.path.basename(path) in named or _DEFINES.search(text)}
    return {
        path for path in read if os.path.basename(path) == _NOTES or not (path in {*kept, *used} or _is_helper(path))
    }


def _is_helper(path: str) -> bool:
    return os.path.basename(path).startswith("_")


def _is_aside(place: str, name: str) -> bool:
    path = os.path.join(place, name)
    return name in _NO_FOLDERS if os.path.isdir(path) else _NO_FILES.fullmatch(name) is not None


def _template_paths(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        if _TEMPLATES in os.path.relpath(place, folder).split(os.sep):
            yield from (os.path.join(place, name) for name in sorted(names))


def _text(path: str) -> str:
    with open(path, "rb") as handle:
        return handle.read(_LARGEST).decode("utf-8", "replace")
