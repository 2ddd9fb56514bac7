"""Where the pages of the transforms are, as far as this installation can know it.

The pages stand in the repository, as ``docs/transforms/<id>.md``. The first of these that says where that is counts:

- ``HARDEN_DOCS``, the folder ``docs`` as a URL: what the action of GitHub knows of itself;
- ``direct_url.json`` of an installation from a repository (PEP 610), at the commit that was installed;
- the URL called ``Repository`` or ``Source`` in the metadata of the package (the well-known labels of
  packaging.python.org, "Well-known Project URLs in Metadata").

None of them is asked over the network, and without one nothing is made up.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from hardener.authoring.transform import Transform

_FOLDER = "docs"
_DISTRIBUTION = "hardener"
_BUILT_IN = "hardener.transforms."
_LABELS = {"repository", "source", "sourcecode", "github"}  # without punctuation, in lower case


def page_of(transform: Transform) -> str | None:
    """Return the address of the page of ``transform``; None where it is not known, and for one that a package
    brings."""
    base = _base()
    return f"{base}/transforms/{transform.id}.md" if base and transform.module.startswith(_BUILT_IN) else None


def schema_of(name: str) -> str | None:
    """Return the address of the JSON schema ``name`` (``docs/schemas``) as a file; None where it is not known."""
    base = _base()
    return f"{base.replace('/blob/', '/raw/', 1)}/schemas/{name}.schema.json" if base else None


def _base() -> str | None:
    named = os.environ.get("HARDEN_DOCS")
    return _clean(named) if named else _of_installation()


@cache
def installed_from() -> tuple[str, str] | None:
    """Return the web address of the repository and the commit that this installation is of; None where it is not
    known."""
    found = _distribution()
    try:
        record = json.loads((found and found.read_text("direct_url.json")) or "{}")
        commit, url = record["vcs_info"]["commit_id"], _clean(record["url"])
        return (url.removesuffix(".git"), commit) if url and re.fullmatch("[0-9a-f]{7,64}", commit) else None
    except (ValueError, KeyError, TypeError):
        return None


@cache
def _of_installation() -> str | None:
    if (origin := installed_from()) is not None:
        return _folder_of(*origin)
    found = _distribution()
    return _of_urls(found.metadata.get_all("Project-URL") or []) if found else None


def _distribution() -> Any:
    """What is known of the installed package; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, distribution  # late: a report with addresses alone asks it

    try:
        return distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _of_urls(entries: list[str]) -> str | None:
    """From the URLs of the project, each ``Label, URL``."""
    for entry in entries:
        label, _, url = entry.partition(",")
        if re.sub(r"[^a-z0-9]", "", label.lower()) in _LABELS:
            return _folder_of(url.strip(), "HEAD")
    return None


def _folder_of(url: str, revision: str) -> str | None:
    base = _clean(url)
    return f"{base.removesuffix('.git')}/blob/{revision}/{_FOLDER}" if base else None


def _clean(url: str) -> str | None:
    """A web address without a login and without a slash at its end; None for anything else, such as one of ssh."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not host or not re.fullmatch(r"(/[A-Za-z0-9._~%@+-]+)*/?", parts.path):
        return None
    return urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))
