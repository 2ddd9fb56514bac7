"""A real API server for the tests, without a node: what it says of an object that is sent to it, and stores nothing.

``../shared/cluster`` brings the programs. An object stands in a namespace with the Pod Security levels that its own
has, whatever that is called, so that no test waits for another.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ..conftest import shared
from .node import Map, free_port

_LABEL = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
_CREATE = "fieldManager=harden&fieldValidation=Warn"
_APPLY = f"{_CREATE}&force=true"
_JSON, _PATCH = "application/json", "application/apply-patch+yaml"
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_POD_SECURITY = re.compile(r'(?:would violate|violates) PodSecurity "([^":]+)[^"]*": (.*)', re.DOTALL)
_CHECK = re.compile(r"(?:^|\), )([^(]+?) \(")  # each check of the level, before what it says of places
_WARNING = re.compile(r'299 \S+ "(.*)"$', re.DOTALL)
_ALREADY_EXISTS = 409


class Resource(NamedTuple):
    """Where the objects of a kind are sent."""

    group_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str) -> str:
        """The collection of it."""
        root = f"/{'apis' if '/' in self.group_version else 'api'}/{self.group_version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{root}/{self.plural}"


@dataclass
class Said:
    """What an API server says of an object, without what differs from one run to another: why it is ``refused``, what
    it ``warned`` of, and the fields that it does not know."""

    refused: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def __or__(self, other: Said) -> Said:
        return Said(self.refused | other.refused, self.warned | other.warned, self.unknown | other.unknown)

    def __sub__(self, other: Said) -> Said:
        """What is said here, and not there."""
        return Said(self.refused - other.refused, self.warned - other.warned, self.unknown - other.unknown)

    def __bool__(self) -> bool:
        return bool(self.refused or self.warned or self.unknown)


class Server:
    """An API server that was started in ``folder``."""

    def __init__(self, folder: Path) -> None:
        config = yaml.safe_load((folder / "kubeconfig").read_text(encoding="utf-8"))
        self._token = config["users"][0]["user"]["token"]
        address = config["clusters"][0]["cluster"]["server"].removeprefix("https://")
        # Its certificate was made when it started, and nobody else is asked.
        self._connection = HTTPSConnection(address, context=ssl._create_unverified_context(), timeout=60)
        self._resources: dict[str, dict[str, Resource]] = {}
        self._spaces: dict[tuple[tuple[str, str], ...], str] = {}

    def ask(
        self,
        method: str,
        path: str,
        body: Map | None = None,
        *,
        kind: str = _JSON,
        user: Mapping[str, str] | None = None,
    ) -> tuple[int, Map, list[str]]:
        """The status, the object and the warnings that it answers with."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, **(user or {})}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        warnings = [_warning(value) for name, value in answer.getheaders() if name.lower() == "warning"]
        content = answer.read()
        found: Map = json.loads(content) if content.startswith(b"{") else {"message": content.decode(errors="replace")}
        return answer.status, found, warnings

    def resource(self, item: Map) -> Resource | None:
        """Where ``item`` is sent; None for a kind that is not served."""
        version = str(item.get("apiVersion", ""))
        if version not in self._resources:
            root = "apis" if "/" in version else "api"
            _, found, _ = self.ask("GET", f"/{root}/{version}")
            self._resources[version] = {
                each["kind"]: Resource(version, each["name"], each["namespaced"])
                for each in found.get("resources", ())
                if "/" not in each["name"]
            }
        return self._resources[version].get(str(item.get("kind")))

    def judged(self, item: Map, levels: Mapping[str, str]) -> Said | None:
        """What it says when ``item`` is created, and when it is applied; None for a kind that is not served."""
        resource = self.resource(item)
        if resource is None:
            return None
        sent = item
        if resource.namespaced:
            space = self.namespace(levels)
            sent = {**item, "metadata": {**(item.get("metadata") or {}), "namespace": space}}
        place = resource.path(sent["metadata"].get("namespace", "")) if resource.namespaced else resource.path("")
        status, found, warnings = self.ask("POST", f"{place}?dryRun=All&{_CREATE}", sent)
        said = Said() if status == _ALREADY_EXISTS else _said(status, found, warnings)
        name = (sent.get("metadata") or {}).get("name")
        if name and not said.refused and not said.unknown:  # else it says the same in other words
            said |= _said(*self.ask("PATCH", f"{place}/{name}?dryRun=All&{_APPLY}", sent, kind=_PATCH))
        return said

    def namespace(self, levels: Mapping[str, str]) -> str:
        """A namespace with these labels, which is there from now on."""
        key = tuple(sorted(levels.items()))
        if key not in self._spaces:
            name = f"levels-{len(self._spaces)}"
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(levels)}})
            self._spaces[key] = name
        return self._spaces[key]

    @cached_property
    def metrics(self) -> str:
        """What it measures, with the feature gates that it has."""
        return str(self.ask("GET", "/metrics")[1]["message"])

    def place(self, item: Map) -> str:
        """The path of the collection that ``item`` belongs to."""
        resource = self.resource(item)
        assert resource is not None, item["kind"]
        return resource.path(item["metadata"].get("namespace", "default"))

    def create(self, item: Map) -> None:
        """Store ``item``."""
        status, found, _ = self.ask("POST", f"{self.place(item)}?fieldValidation=Strict", item)
        assert status == 201, found

    def stored(self, item: Map) -> Map:
        """``item`` as it is stored, which it is from now on."""
        status, found, _ = self.ask("POST", self.place(item), item)
        if status == _ALREADY_EXISTS:
            status, found, _ = self.ask("GET", f"{self.place(item)}/{item['metadata']['name']}")
        assert status in (200, 201), found
        return found

    def delete(self, item: Map) -> None:
        """Take away what was stored."""
        status, found, _ = self.ask("DELETE", f"{self.place(item)}/{item['metadata']['name']}")
        assert status == 200, found


def _said(status: int, found: Map, warnings: list[str]) -> Said:
    said = Said()
    for text in warnings:
        _take(text, said.warned, said.unknown)
    if status >= 400:
        causes = (found.get("details") or {}).get("causes") or ()
        texts = [f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes]
        for text in texts or [found.get("message", "")]:
            _take(text, said.refused, said.unknown)
        if not said.refused:
            said.refused.add("unknown fields")
    return said


def _take(text: str, into: set[str], unknown: set[str]) -> None:
    level = _POD_SECURITY.search(text)
    if fields := _UNKNOWN.findall(text):
        unknown.update(fields)
    elif level is not None:
        into.update(f"{level[1]}: {check}" for check in _CHECK.findall(level[2]))
    else:
        into.add(text)


def _warning(header: str) -> str:
    found = _WARNING.match(header)
    return header if found is None else re.sub(r"\\(.)", r"\1", found[1])


@contextmanager
def started() -> Iterator[Server]:
    """An API server; skips where it cannot be, and says why."""
    start = shared("cluster", "start")
    folder = Path(tempfile.mkdtemp(prefix="server-"))
    try:
        command = [str(start), str(folder), str(free_port())]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if done.returncode == 2:
            pytest.skip(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, done.stderr
        yield Server(folder)
    finally:
        _end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _end(folder: Path) -> None:
    """End the programs of ``folder``; ``stop`` would take the bridge of a node away that runs beside."""
    for name in ("apiserver", "etcd"):
        noted = folder / f"{name}.pid"
        if noted.exists():
            _end_one(int(noted.read_text(encoding="ascii")))


def _end_one(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.1)


def levels_of(labels: Any) -> dict[str, str]:
    """The Pod Security levels among the labels of a namespace; a server takes no others."""
    given = labels if isinstance(labels, dict) else {}
    levels = {str(name): str(value) for name, value in given.items() if str(name).startswith(_LABEL)}
    return {name: value for name, value in levels.items() if name.endswith("-version") or value in _LEVELS}
