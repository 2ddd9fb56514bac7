"""The folder that ``--secrets-out`` names: the values that leave the tree, and the commands that take them to a store.

Nothing of it may come into the repository, nothing in it is overwritten, and it is on the disk before the first
manifest changes.
"""

from __future__ import annotations

import binascii
import errno
import json
import os
from collections.abc import Iterable
from typing import Any

from hardener.authoring.edits import Kept
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files.selection import is_ignored
from hardener.sources.files.transaction import Transaction
from hardener.support.printable import plain
from hardener.support.shell_words import command, refusal

_INDEX, _SCRIPT = "index.json", "push.sh"
# The command of each way to keep a value. For kubectl: apply would note the values, and the next one without them take
# them away.
_FORMS = {
    "aws": "aws secretsmanager create-secret --name {} --secret-string {file_url}",
    "gcp": "gcloud secrets create {} --data-file={file}",
    "azure": 'az keyvault secret set --vault-name "$VAULT_NAME" --name {} --file {file}',
    "kubectl": "kubectl create -f {file}",
    "sops": "sops encrypt --encrypted-regex '^(data|stringData)$' --output-type yaml {file} > {encrypted}",
    "sealed": "# {} is sealed in the repository",
    "vault": "vault kv put -mount={} {} {at_file}",
    "vault-patch": "vault kv patch -mount={} {} {at_file}",
}
_UNNAMED = ("kubectl", "sops")  # what these write has its names in the file


def check(folder: str, read: list[str]) -> None:
    """Raise InputError unless ``folder`` (a real path, there or not) may hold secrets.

    It is outside of all that is ``read`` (files and folders) and of every Git work tree, but for what Git ignores.
    """
    for path in read:
        if files.is_inside(folder, path):
            raise InputError(f"--secrets-out {folder}: it is inside of {path}, which is read as manifests")
    root = files.git_root(_standing(folder))
    if root is not None and not _is_ignored(root, folder):
        raise InputError(
            f"--secrets-out {folder}: it is in the Git repository {root}, which would take the secrets in again"
        )
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"--secrets-out {folder}: not a folder")


def _standing(path: str) -> str:
    """The deepest folder above ``path``, or it, that there is."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _is_ignored(root: str, folder: str) -> bool:
    return all(is_ignored(os.path.join(folder, name), root) for name in (_INDEX, "a__b.json"))


def write(folder: str, kept: Iterable[Kept]) -> list[str]:
    """Write ``kept`` to new files in ``folder`` and return their paths; all of it is on the disk then.

    Raises InputError, and leaves nothing of this run behind, where a file is there already or cannot be written.
    """
    with Transaction() as run:
        paths = stage(folder, kept, run)
        try:
            run.place()
        except OSError as error:
            raise _not_written(folder, error) from None
    return paths


def stage(folder: str, kept: Iterable[Kept], run: Transaction) -> list[str]:
    """Let ``run`` write ``kept`` to new files in ``folder``, before all else that it writes; their paths.

    Raises InputError where a file is there already or cannot be written.
    """
    by_key: dict[str, list[Kept]] = {}
    for one in dict.fromkeys(kept):
        by_key.setdefault(one.key, []).append(one)
    if not by_key:
        return []
    for key, values in by_key.items():
        names = [one.name for one in values]
        if len(set(names)) < len(names):  # a bug of ours, and no value is lost for it
            raise InputError(f"--secrets-out {folder}: two values are called {key}; no manifest was changed")
    _check(folder, by_key)
    made: list[str] = []

    def create(name: str, content: bytes, mode: int) -> str:
        made.append(os.path.join(folder, name))
        run.create(made[-1], content, private=True, mode=mode)
        return made[-1]

    try:
        _close_to_others(folder)
        commands = []
        for key, values in by_key.items():
            commands.append(_command(values[0], create(_file_name(key), _content(values), 0o600)))
        create(_SCRIPT, _script(commands), 0o700)
        create(_INDEX, _index(by_key), 0o600)
    except OSError as error:
        raise _not_written(folder, error) from None
    return made


def _not_written(folder: str, error: OSError) -> InputError:
    name = os.path.basename(getattr(error, "path", None) or error.filename or folder)
    reason = "it is there already, and is not overwritten: name a new folder"
    reason = reason if error.errno == errno.EEXIST else str(error.strerror)
    return InputError(f"--secrets-out {folder}: {name}: {reason}; no manifest was changed")


def _close_to_others(folder: str) -> None:
    """Nobody else may read a folder that is there: an empty one is closed, another one is refused."""
    if os.path.isdir(folder) and os.stat(folder).st_mode & 0o077:
        if os.listdir(folder):
            error = PermissionError(0, "other users may read it: chmod 700 it, or name a new folder")
            error.filename = folder
            raise error
        os.chmod(folder, 0o700)


def _file_name(key: str) -> str:
    return "__".join(part for part in key.split("/") if part not in ("", ".", "..")) + ".json"


def text_of(value: bytes) -> tuple[str, bool]:
    """``value`` as a store keeps it, and whether that is base64: for what is no text."""
    try:
        return value.decode(), False
    except UnicodeDecodeError:
        return binascii.b2a_base64(value, newline=False).decode(), True


def _content(kept: list[Kept]) -> bytes:
    """The values by name; the whole Secret where that is what is applied or encrypted."""
    content: dict[str, Any] = {one.name: text_of(one.value)[0] for one in kept}
    if kept[0].via[0] in ("kubectl", "sops"):
        namespace, name = kept[0].secret
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        data = {one.name: binascii.b2a_base64(one.value, newline=False).decode() for one in kept}
        content = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _index(by_key: dict[str, list[Kept]]) -> bytes:
    entries = [
        {
            "file": _file_name(key), "key": key, "name": one.name, "source": one.source,
            "secret": {"namespace": one.secret[0], "name": one.secret[1]}, "base64": text_of(one.value)[1],
        }
        for key, values in by_key.items() for one in values
    ]  # fmt: skip
    return (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode()


def _script(commands: list[str]) -> bytes:
    lines = ["#!/bin/sh", "# Takes the values in this folder to the store. Delete the folder afterwards.", "set -eu"]
    return ("\n".join([*lines, *commands]) + "\n").encode()


def _command(kept: Kept, path: str) -> str:
    """The command that takes the file ``path`` to where its values are kept; it holds no value."""
    way, *place = kept.via
    names = [] if way in _UNNAMED else [*place, kept.key]
    paths = {"file": path, "at_file": f"@{path}", "file_url": f"file://{path}", "encrypted": "".join(place)}
    return command(_FORMS[way], *names, **paths)


def _check(folder: str, by_key: dict[str, list[Kept]]) -> None:
    """Raise InputError where a script of sh cannot name a key or a file: nothing is written then."""
    for key, values in by_key.items():
        names = [key, *values[0].via[1:], os.path.join(os.path.abspath(folder), _file_name(key))]
        refused = next(filter(None, map(refusal, names)), None)
        if refused is not None:
            raise InputError(f"--secrets-out {plain(folder)}: {refused}; no manifest was changed")
