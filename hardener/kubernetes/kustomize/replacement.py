"""What ``replacements`` of a kustomization do, as plain data: where a value comes from, and where it goes.

Source: sigs.k8s.io/kustomize 5.8, api/filters/replacement, api/types/replacement.go, kyaml/yaml (match.go, fns.go).
What its versions do in different ways, and what nobody can tell without the tags of YAML, is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hardener.kubernetes.kustomize.patch import PatchError
from hardener.kubernetes.kustomize.target import Identity, is_read, is_selected
from hardener.sources import yaml
from hardener.support import shapes

Data = dict[str, Any]

_NAME = "metadata.name"  # where no path is said
_ENTRY = frozenset({"source", "targets"})
_IDENTITY = frozenset({"group", "version", "kind", "name", "namespace"})
_SELECTORS = ("labelSelector", "annotationSelector")
_SOURCE = _IDENTITY | {"fieldPath", "options"}
_TARGET = frozenset({"select", "reject", "fieldPaths", "options"})
_OPTIONS: dict[str, type] = {"delimiter": str, "index": int, "create": bool}
_ITEM = re.compile(r"\[(?P<key>[\w/-]*)=(?P<value>[\w/-]+)\]")  # the same as text and as pattern
_NEW: Any = object()  # what a path has made, and nobody has filled in


def check(entry: Mapping[Any, Any]) -> None:
    """Raise PatchError where ``entry`` of ``replacements`` says anything that is not known here."""
    _only(entry, _ENTRY, "a replacement")
    source, targets = entry.get("source"), entry.get("targets")
    if not isinstance(source, dict) or not isinstance(targets, list) or not targets:
        raise PatchError("a replacement needs a source and targets")
    _only(source, _SOURCE, "its source")
    _options(source)
    for target in targets:
        _check_target(target)


def _check_target(target: Any) -> None:
    if not isinstance(target, dict) or not isinstance(target.get("select"), dict) or not target["select"]:
        raise PatchError("a target of a replacement selects nothing")
    _only(target, _TARGET, "its target")
    _options(target)
    _only(target["select"], _IDENTITY.union(_SELECTORS), "its target")
    if not all(is_read(key, target["select"]) for key in _SELECTORS):
        raise PatchError("harden does not know which objects this selects")
    rejected = target.get("reject") or []
    if not isinstance(rejected, list) or not all(isinstance(each, dict) for each in rejected):
        raise PatchError("what a target rejects is no list of objects")
    for each in rejected:
        _only(each, _IDENTITY, "what its target rejects")


def _only(found: Mapping[Any, Any], known: frozenset[str], what: str) -> None:
    unknown = next((key for key in found if key not in known), None)
    if unknown is not None:
        raise PatchError(f"harden does not know a field of {what}")


def _options(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    options = holder.get("options") or {}
    if not isinstance(options, dict):
        raise PatchError("options are no mapping")
    if any(key not in _OPTIONS or type(value) is not _OPTIONS[key] for key, value in options.items()):
        raise PatchError("harden does not know one of its options")
    return options


def is_source(source: Mapping[str, Any], ids: Iterable[Identity]) -> bool:
    """Whether ``source`` names the object that has, or had, ``ids``."""
    return any([_is_identified(source, item) for item in ids])


def is_target(target: Mapping[str, Any], ids: Sequence[Identity]) -> bool:
    """Whether a value goes to the object that has, or had, ``ids``."""
    rejected = [each for each in shapes.mappings(target.get("reject")) if each]
    if any([_is_identified(each, item) for each in rejected for item in ids]):
        return False
    select = target["select"]
    labels = {key: select[key] for key in _SELECTORS if select.get(key)}
    return is_selected(labels, ids[0]) and any([_is_identified(select, item) for item in ids])


def _is_identified(wanted: Mapping[str, Any], item: Identity) -> bool:
    """Whether ``item`` is one that ``wanted`` names; patterns are for newer versions only."""
    named: dict[str, frozenset[str]] = {
        "group": frozenset([item.group]), "version": frozenset([item.version]), "kind": frozenset([item.kind]),
        "name": item.names, "namespace": item.namespaces,
    }  # fmt: skip
    said = {key: wanted[key] for key in named if wanted.get(key) not in (None, "")}
    exactly = all(value in named[key] for key, value in said.items())
    if not all(is_read(key, said) for key in said) or exactly is not is_selected(said, item):
        raise PatchError("versions of kustomize select other objects by a pattern")
    return exactly


# Where a value comes from.


def field_path(holder: Mapping[str, Any]) -> list[str]:
    """The path at which the source of a replacement stands."""
    return _parts(holder.get("fieldPath") or _NAME)


def value_of(source: Mapping[str, Any], data: Data) -> Any:
    """What ``source`` takes from the object ``data``. Raises PatchError where there is nothing."""
    found: Any = data
    for part in field_path(source):
        found = _step(found, part)
    if found in (None, "", {}, []):
        raise PatchError("its source has no such field")
    options = _options(source)
    if not options.get("delimiter"):
        return found
    parts, index = _text(found).split(options["delimiter"]), options.get("index", 0)
    if not 0 <= index < len(parts):
        raise PatchError("its source has fewer parts")
    return parts[index]


def _step(found: Any, part: str) -> Any:
    item = _ITEM.fullmatch(part)
    if item is not None and isinstance(found, list):
        return next((each for each in found if _said(each, item["key"]) == item["value"]), None)
    if part.isdigit() and isinstance(found, list):
        return found[int(part)] if int(part) < len(found) else None
    if item is not None or isinstance(found, list) or part in ("*", "-"):
        raise PatchError("harden does not follow the path of its source")
    return shapes.mapping(found).get(part)


def _said(each: Any, key: str) -> str | None:
    """What an item of a list says at ``key``, as text; of "", what it is."""
    found = each if not key else shapes.mapping(each).get(key)
    return _text(found) if isinstance(found, str | int) else None


def _parts(path: Any) -> list[str]:
    if not isinstance(path, str):
        raise PatchError("a path is no text")
    found: list[str] = []
    for part in path.split("."):
        if found and found[-1].endswith("\\"):
            found[-1] = f"{found[-1][:-1]}.{part}"
        else:
            found.append(part)
    if not all(found) or any("\\" in part or (part[0] == "[" and not _ITEM.fullmatch(part)) for part in found):
        raise PatchError("harden does not follow a path of it")
    return found


# Where it goes.


def replaced(data: Data, target: Mapping[str, Any], value: Any) -> Data:
    """``data`` with ``value`` in each place that ``target`` names; ``data`` stays as it is."""
    options = _options(target)
    root: list[Any] = [shapes.plain_copy(data)]
    for path in shapes.listed(target.get("fieldPaths")) or [_NAME]:
        places = list(_places(root, 0, _parts(path), create=bool(options.get("create"))))
        if not places:
            raise PatchError("it has no such field")
        for holder, key in places:
            holder[key] = _filled(holder[key], value, options)
    found: Data = root[0]
    return found


def leads_to(target: Mapping[str, Any], path: tuple[str | int, ...]) -> int:
    """How much of ``path`` the target names at most."""
    return max((_shared(_parts(each), path) for each in shapes.texts(target.get("fieldPaths")) or [_NAME]), default=0)


def _shared(parts: list[str], path: tuple[str | int, ...]) -> int:
    depth = 0
    while depth < min(len(parts), len(path)) and (isinstance(path[depth], int) or parts[depth] == path[depth]):
        depth += 1
    return depth


_Place = tuple[Any, Any]


def _places(holder: Any, key: Any, parts: list[str], *, create: bool) -> Iterator[_Place]:
    """The places that ``parts`` lead to below ``holder[key]``; ``create`` makes what is not there."""
    if not parts:
        yield holder, key
        return
    if holder[key] is _NEW:
        holder[key] = [] if _is_of_list(parts[0]) else {}
    for number in _keys(holder[key], parts, create=create):
        yield from _places(holder[key], number, parts[1:], create=create)


def _is_of_list(part: str) -> bool:
    return part.isdigit() or _ITEM.fullmatch(part) is not None


def _keys(value: Any, parts: list[str], *, create: bool) -> list[Any]:
    """The keys and indexes of ``value`` that the first of ``parts`` means."""
    part = parts[0]
    if part == "*" or _is_of_list(part):
        if not isinstance(value, list):
            raise PatchError("a path leads to no list")
        return _indexes(value, part, create=create)
    if not isinstance(value, dict):
        raise PatchError("a path leads to no mapping")
    if part in value:
        return [part] if value[part] is not None or len(parts) == 1 else []
    if not create:
        return []
    value[part] = _NEW
    return [part]


def _indexes(value: list[Any], part: str, *, create: bool) -> list[int]:
    if part == "*":
        return list(range(len(value)))
    item = _ITEM.fullmatch(part)
    if item is None:
        if int(part) == len(value) and create:
            value.append(_NEW)
        if int(part) >= len(value):
            raise PatchError("a list of it has fewer items")
        return [int(part)]
    found = [number for number, each in enumerate(value) if item["value"] in (_said(each, item["key"]) or "")]
    if not found and create:
        value.append({item["key"]: item["value"]} if item["key"] else item["value"])
        found = [len(value) - 1]
    return found


def _filled(there: Any, value: Any, options: Mapping[str, Any]) -> Any:
    """What comes to stand in a place where ``there`` stands: a single value keeps its type."""
    if options.get("delimiter"):
        value = _joined(_text(there), _text(value), options["delimiter"], options.get("index", 0))
    if isinstance(there, dict | list):
        return shapes.plain_copy(value)
    if there is _NEW:
        return _made(value)
    convert = _OF_TYPE.get(type(there))
    if convert is None or isinstance(value, dict | list):
        raise PatchError("what is replaced is of another type")
    return convert(_text(value))


def _joined(text: str, part: str, delimiter: str, index: int) -> str:
    parts = text.split(delimiter)
    if index < 0:
        parts.insert(0, part)
    elif index >= len(parts):
        parts.append(part)
    else:
        parts[index] = part
    return delimiter.join(parts)


def _made(value: Any) -> Any:
    """What a field that is made comes to hold: a text stands there without quotes."""
    if isinstance(value, str) and _as_yaml(value) != value:
        raise PatchError("the type of a value that it makes is not known")
    return shapes.plain_copy(value)


def _as_yaml(text: str) -> Any:
    try:
        documents = yaml.documents(f"a: {text}\n")
    except yaml.TextError:
        return None
    return documents[0].get("a") if len(documents) == 1 and isinstance(documents[0], dict) else None


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise PatchError("what is replaced is true or false, and the value is not")
    return text == "true"


def _whole(text: str) -> int:
    if not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text):
        raise PatchError("what is replaced is a number, and the value is none")
    return int(text)


_OF_TYPE: dict[type, Callable[[str], Any]] = {str: str, bool: _truth, int: _whole}


def _text(value: Any) -> str:
    """A single value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise PatchError("a value is no text")
