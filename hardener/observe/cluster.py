"""A cluster as an engine: kubectl, called as a program, for the one context that a command line names.

Everything stands in namespaces of its own, which bear the label ``LABEL`` with the run that made them, so that the next
run finds what a dead one left. Nothing is read or changed outside of these, but which storage class is the default.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from hardener.observe.engine import LABEL, OUTPUT, SECONDS, Answer, Engine, call_program, is_dead, run_name
from hardener.support import programs
from hardener.support.printable import plain_line
from hardener.support.programs import ProgramError
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]
NAME = "kubectl"
_PREFIX = "harden-observe-"
_INSTALL = "install kubectl (https://kubernetes.io/docs/tasks/tools/)"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_DELETE_SECONDS = 180.0
_REQUEST_SECONDS = "30s"
_AT_ONCE = 8  # calls
_MACHINE = "/etc/machine-id"


class Cluster(Engine):
    """The cluster of ``context``. ``version`` is that of its API server, and ``server`` its address."""

    def __init__(self, program: str, context: str, folder: str, run: str) -> None:
        self.name, self._program, self.folder, self.run, self.seccomp = (
            NAME,
            program,
            folder,
            f"{run}.{_machine()}",
            None,
        )
        self.context, self.rootless, self.storage = context, False, ""
        self.turns = threading.BoundedSemaphore(_AT_ONCE)
        self.worked, self._fault, self.strace, self.default_profile = False, "", None, ""
        self.profiles = {}
        self.version, self.server = "", ""

    @classmethod
    def of(cls, context: str, outside: str) -> Cluster:
        """The cluster that the kubeconfig of this user calls ``context``; kubectl lies not in the folder ``outside``.

        Raises ProgramError: there is no kubectl, no such context, or the cluster does not answer to this user.
        """
        try:
            program = programs.path_of(NAME, outside)
        except ProgramError as error:
            raise ProgramError(f"{error}: {_INSTALL}") from None
        run = run_name()
        found = cls(program, context, tempfile.mkdtemp(prefix=f"{_PREFIX}{run}-"), run)
        try:
            found._greet()
        except BaseException:
            shutil.rmtree(found.folder, ignore_errors=True)
            raise
        return found

    def _greet(self) -> None:
        """Ask where the cluster is and what it is. Raises ProgramError."""
        view = self._json("config", "view", "--minify")
        clusters = mappings(view.get("clusters"))
        self.server = plain_line(str(mapping(clusters[0].get("cluster")).get("server"))) if clusters else ""
        self.version = plain_line(str(self._json("get", "--raw", "/version").get("gitVersion", "")))

    def _json(self, *words: str) -> Map:
        more = [] if "--raw" in words else ["-o", "json"]
        done = self.call(*words, *more)
        try:
            found = json.loads(done.text) if done.ok else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            why = done.reason if not done.ok else "no answer of kubectl"
            raise ProgramError(f"kubectl --context {plain_line(self.context)}: {why}")
        return found

    def call(
        self,
        *words: str,
        seconds: float = SECONDS,
        input: bytes | None = None,
        output: int = OUTPUT,
        environment: Mapping[str, str] | None = None,
        keeps_head: bool = False,
    ) -> Answer:
        """Run kubectl for this context with ``words``. It has the environment of its caller, as the programs need that
        it logs in by, and passes none of it on; settings that change options (kuberc) are off."""
        head = ["--context", self.context, "--request-timeout", _REQUEST_SECONDS]
        given = dict(os.environ) | {"KUBECTL_KUBERC": "false"} | dict(environment or {})
        return call_program(self._program, [*words, *head], self.folder, seconds, input, output, given, keeps_head)

    def get(self, *words: str) -> Map | None:
        """What it tells of one object, or of a list; None where there is none."""
        try:
            return self._json("get", *words)
        except ProgramError:
            return None

    def make(self, objects: Iterable[Map], *, seconds: float = SECONDS) -> Answer:
        """Make ``objects``, whose contents go through a pipe."""
        whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}).encode()
        return self.call(
            "apply", "--server-side", "--force-conflicts", "--field-manager", "harden-observe", "-f", "-",
            input=whole, seconds=seconds,
        )  # fmt: skip

    def provides_claims(self) -> bool:
        """Whether a claim that names no storage class gets a volume."""
        items = mappings((self.get("storageclasses") or {}).get("items"))
        return any(
            mapping(mapping(each.get("metadata")).get("annotations")).get(_DEFAULT_CLASS) == "true" for each in items
        )

    def labels(self) -> list[str]:
        return []

    def enter(self) -> tuple[str, list[str]]:
        return "", []

    def clear(self) -> None:
        """Remove all that this run has made, and wait until it is gone."""
        self._clear({self.run})
        shutil.rmtree(self.folder, ignore_errors=True)

    def clear_dead(self) -> int:
        """Remove the namespaces of runs of this user on this machine that are dead, and return how many those were."""
        listed = mappings((self.get("namespaces", "-l", LABEL) or {}).get("items"))
        labels = {str(mapping(mapping(each.get("metadata")).get("labels")).get(LABEL)) for each in listed}
        own = {label: label.rpartition(".") for label in labels}
        self._clear_folders()
        return self._clear(
            {label for label, (run, _, machine) in own.items() if machine == _machine() and is_dead(run)}
        )

    def _clear(self, runs: set[str]) -> int:
        count = 0
        for run in runs:
            found = self.call("get", "namespaces", "-l", f"{LABEL}={run}", "-o", "name").text.split()
            self.delete_namespaces([name.partition("/")[2] for name in found])
            count += len(found)
        return count

    def delete_namespaces(self, names: list[str]) -> None:
        """Delete namespaces with all that is in them, and wait until they are gone."""
        for name in names:
            # A pod that does not end by itself would keep its namespace for as long as it is given.
            self.call("delete", "pods", "--all", "-n", name, "--force", "--grace-period", "0", "--wait=false")
            self.call("delete", "namespace", name, "--wait=false", "--ignore-not-found")
        self._gone(names)

    def _gone(self, names: list[str]) -> None:
        """Wait until namespaces are gone."""
        until = time.monotonic() + _DELETE_SECONDS
        while names and time.monotonic() < until:
            names = [
                name
                for name in names
                if self.call("get", "namespace", name, "-o", "name", "--ignore-not-found").text.strip()
            ]
            if names:
                time.sleep(0.5)


def _machine() -> str:
    """This machine, as far as it can be told from others: a run of another one is not known to be dead."""
    told = socket.gethostname()
    try:
        with open(_MACHINE, encoding="utf-8") as file:
            told += file.read()
    except OSError:
        pass
    return hashlib.sha256(told.encode()).hexdigest()[:12]
