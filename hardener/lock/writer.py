"""``harden.lock`` written: stanzas added and changed in place, comments kept, by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hardener import __version__
from hardener.authoring.config import parsed_file
from hardener.errors import InputError
from hardener.lock import observed
from hardener.lock.model import NAME, VERSION
from hardener.lock.observed import Observation
from hardener.sources import files, yaml
from hardener.sources.files import run_folder, transaction

if TYPE_CHECKING:
    from hardener.lock.oci.image import Found

_HEAD = (
    "# The images and charts of the manifests, as registries had them; written by harden lock, read by harden apply.\n"
)
# From the stanzas of a lock to those that are new or other.
_Changes = Callable[[Mapping[str, dict[str, Any]]], Mapping[str, dict[str, Any]]]


def stanza(found: Found) -> dict[str, Any]:
    """What the lock says of an image."""
    entry: dict[str, Any] = {"digest": found.digest, "mediaType": found.media_type}
    if found.config is not None:
        entry |= {"platforms": list(found.platforms)} if found.platforms else {}
        entry["config"] = found.config
    return entry


def stanzas(root: str) -> dict[str, dict[str, Any]]:
    """The stanzas of the lock in ``root`` as they stand there, {} without one. The file was read by ``lock.load``."""
    path = os.path.join(root, NAME)
    if not os.path.exists(path):
        return {}
    (document,) = parsed_file(path, os.path.relpath(path)).documents
    return document.get("images") or {}


def save(root: str, changed: Mapping[str, dict[str, Any]], gone: Collection[str] = ()) -> None:
    """Put ``changed`` into the lock in the folder ``root``, and take ``gone`` out; all else keeps its bytes. New
    stanzas stand in the order of their names. The file is at any moment the old or the new one, whatever other runs do.

    Raises InputError where it cannot be written.
    """

    def changes(images: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
        return {name: _still_true(entry, images.get(name) or {}) for name, entry in changed.items()}

    _write(root, changes, gone)


def save_files(root: str, read: Mapping[str, tuple[str, dict[str, Any]]]) -> None:
    """Put what was ``read`` of the files of images beside their configs, by name with the digest that it is about; what
    has another digest by now is left alone. Raises InputError where the lock cannot be written."""

    def changes(images: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
        return {
            name: _ordered({**images[name], "files": found})
            for name, (digest, found) in read.items()
            if images.get(name, {}).get("digest") == digest
        }

    _write(root, changes)


def save_observed(root: str, seen: Mapping[str, Sequence[Observation]]) -> None:
    """Put what was ``seen`` of containers beside the configs of their images, by the name of the image in the lock, in
    place of what is there of the same ``runs``; an image that the lock does not hold comes in with the digest that ran.
    All else keeps its bytes. Raises InputError where the lock cannot be written."""

    def changes(images: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
        found = {}
        for name, new in seen.items():
            if new:
                stanza = images.get(name) or {"digest": new[-1].digest}
                there = list(stanza.get("observed") or [])
                found[name] = _ordered({**stanza, "observed": _merged(there, new)})
        return found

    _write(root, changes)


def save_charts(root: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put into the lock what ``change`` makes of its charts, by place and version; all else keeps its bytes. Raises
    InputError where the lock cannot be written."""

    def changes(documents: list[Any]) -> list[Any]:
        document = documents[0]
        charts = document.get("charts")
        changed = change(charts or {})
        if charts != changed:
            document["charts"] = changed
            _stamp(document)
        return documents

    _replace(root, changes, lambda: {"charts": change({})})


def _merged(there: list[Any], new: Sequence[Observation]) -> list[Any]:
    """The entries of a stanza as they stand ``there``, with those of ``new``; what is not new stays as written."""
    written = {each.runs: entry for each, entry in zip(observed.read(there), there, strict=True)}
    fresh = {each.runs for each in new}
    merged = observed.merged(observed.read(there), new)
    return [observed.entry_of(each) if each.runs in fresh else written[each.runs] for each in merged]


def _write(root: str, changes: _Changes, gone: Collection[str] = ()) -> None:
    """Put into the lock what ``changes`` makes of its stanzas, asked when no other run can change them."""

    def first() -> dict[str, Any]:
        changed = changes({})
        return {"images": dict(sorted(changed.items()))} if changed else {}

    _replace(root, lambda documents: _with(documents, changes, gone), first)


def _replace(root: str, change: Callable[[list[Any]], list[Any]], first: Callable[[], dict[str, Any]]) -> None:
    """Let the lock become what ``change`` makes of its documents; where there is none, one with ``first``, unless that
    is empty. Raises InputError where it cannot be written."""
    path = os.path.join(root, NAME)
    name = os.path.relpath(path)
    try:
        with run_folder.alone(root):
            if not os.path.exists(path):
                if stanzas := first():
                    head = {"version": VERSION, "generated-by": f"harden {__version__}"}
                    transaction.create(path, _HEAD + yaml.dump(head | stanzas))
                return
            content = files.read(path)
            text = yaml.rewrite(content.text, change).text
            if text != content.text:
                transaction.replace(path, text, content)
    except files.UnreadableError as error:
        raise InputError(f"{name}: {error.message}: {error.advice}") from None
    except yaml.TextError as refused:
        raise InputError(f"{name}: cannot be extended as it is laid out: {refused.reason}") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be written: {error.strerror}") from None


def _stamp(document: dict[str, Any]) -> None:
    if "generated-by" in document:
        document["generated-by"] = f"harden {__version__}"


def _ordered(entry: dict[str, Any]) -> dict[str, Any]:
    """What is read of an image, then what was seen of it, then what is kept of the past of the lock itself."""
    last = {"observed": 1, "previous": 2, "keep": 2}
    return dict(sorted(entry.items(), key=lambda item: last.get(item[0], 0)))


def _with(documents: list[Any], changes: _Changes, gone: Collection[str]) -> list[Any]:
    document = documents[0]
    images = document.get("images") or {}
    changed = changes(images)
    if any(images.get(name) != entry for name, entry in changed.items()) or not images.keys().isdisjoint(gone):
        kept = {name: entry for name, entry in {**images, **changed}.items() if name not in gone}
        document["images"] = dict(sorted(kept.items()))
        _stamp(document)
    return documents


def _still_true(entry: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """``entry`` with what was seen of containers of the image before, whatever digest they had, since that is said
    there; and with what was read of its files, as long as it has the digest that it had."""
    kept = {"observed": before["observed"]} if "observed" in before else {}
    if "files" in before and before.get("digest") == entry["digest"]:
        kept["files"] = before["files"]
    return _ordered({**entry, **{key: value for key, value in kept.items() if key not in entry}}) if kept else entry
