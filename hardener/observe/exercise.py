"""What a user gives to find out whether a workload works: a command on this machine, or a Job or Pod of the tree."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from hardener.observe.agent_client import AgentClient
from hardener.observe.engine import Engine
from hardener.support import programs
from hardener.support.programs import ProgramError

_OF_TREE = re.compile(r"(?:Job|Pod|CronJob)/[a-z0-9.-]+")
_SECONDS = 300.0  # for one command
_OUTPUT = 1024 * 1024  # bytes that it may print


class Exercise(Struct, frozen=True):
    """``text``: a command for sh, or the key of a workload ("Job/smoke"); the command is run in ``folder``."""

    text: str
    folder: str

    @property
    def key(self) -> str | None:
        """The workload of the tree that it is; None for a command."""
        return self.text if _OF_TREE.fullmatch(self.text) else None


class Target(Struct, frozen=True):
    """Whom a command is run against: the key of a workload, its namespace, its address on the private network, its
    ports, and a process in that network."""

    key: str
    namespace: str
    address: str
    ports: tuple[int, ...]
    pid: int


def problem_with(command: Exercise, target: Target, engine: Engine, agent: AgentClient) -> str | None:
    """What goes wrong with ``command`` against ``target``, in one line; None where it ends with 0."""
    with _exposed(target, agent) as ports:
        program, before = engine.enter()
        words = [*before, "/bin/sh", "-c", command.text]
        try:
            done = programs.bounded(
                program or words[0],
                words if program else words[1:],
                seconds=_SECONDS,
                output=_OUTPUT,
                memory=None,
                folder=command.folder,
                environment=os.environ | variables(target, ports),
                keeps_head=True,
            )
        except ProgramError as error:
            return str(error)
    if done.end is programs.End.TIME:
        return f"it does not end in {_SECONDS:.0f} s"
    if done.returncode == 0:
        return None
    said = (done.error or done.output).decode("utf-8", "replace").strip().splitlines()
    return f"it ends with {done.returncode}{': ' if said else ''}{said[-1] if said else ''}"


def variables(target: Target, ports: Mapping[int, int]) -> dict[str, str]:
    """The variables of a command: where it reaches the ``ports`` of ``target``, each with the one that leads there."""
    found = {"HARDEN_WORKLOAD": target.key, "HARDEN_NAMESPACE": target.namespace, "HARDEN_HOST": "127.0.0.1"}
    for number, (port, local) in enumerate(ports.items()):
        if number == 0:
            found |= {"HARDEN_PORT": str(local), "HARDEN_URL": f"http://127.0.0.1:{local}"}
        found[f"HARDEN_PORT_{port}"] = str(local)
    return found | {"HARDEN_ADDRESS": target.address}


@contextmanager
def _exposed(target: Target, agent: AgentClient) -> Iterator[dict[int, int]]:
    """The ports of ``target``, each with one of the loopback that leads there."""
    found: dict[int, int] = {}
    try:
        for port in target.ports:
            local = agent("expose", target.pid, target.address, port)
            if isinstance(local, int):
                found[port] = local
        yield found
    finally:
        for local in found.values():
            agent("hide", local)
