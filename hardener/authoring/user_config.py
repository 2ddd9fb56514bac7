"""What the user says, outside of every repository: which registries are spoken to without TLS, and which mirrors serve.

A repository's ``.harden.yaml`` may be a stranger's. What could send a login elsewhere is here.
Source of the place: specifications.freedesktop.org/basedir-spec.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from hardener.authoring.config import Registry, checked_registries, parsed_file, registry_record
from hardener.authoring.document_errors import explained
from hardener.errors import InputError
from hardener.sources.files import is_inside

_FOLDER, _NAME = "harden", "config.yaml"


def place() -> str:
    """Return where the file of the user is, whether or not there is one."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):  # as the specification has it: a relative one is not heeded
        folder = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, _FOLDER, _NAME)


def shown() -> str:
    """Return ``place()`` for a message, with ~ for the home folder."""
    path, home = place(), os.path.expanduser("~")
    return f"~{path[len(home) :]}" if home != "/" and path.startswith(f"{home}/") else path


def registries(root: str, named: str | None = None) -> dict[str, Registry]:
    """Return, by host, what the file ``named`` says of registries, else the file of the user; {} without one.

    Raises InputError where it is missing or wrong, and where the file of the user lies in the repository at ``root``
    and nobody named it: then it may be anybody's.
    """
    path = named or place()
    name = named or shown()
    if not os.path.lexists(path):
        if named:
            raise InputError(f"{named}: no such file of registries")
        return {}
    if not named and is_inside(os.path.realpath(path), os.path.realpath(root)):
        raise InputError(f"{name}: lies in the repository, so it may be a stranger's: name it with --registries")
    documents = parsed_file(path, name).documents
    if not documents or documents == [None]:
        return {}
    if len(documents) > 1:
        raise InputError(f"{name}: a config file is one document")

    registry = registry_record()
    document = msgspec.defstruct(
        "Document",
        [("registries", dict[str, registry], {})],  # type: ignore[valid-type]
        forbid_unknown_fields=True,
    )
    try:
        found: Any = msgspec.convert(documents[0], document)
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {explained(error, {'': document, 'registries': registry})}") from None
    return checked_registries(found.registries, name)
