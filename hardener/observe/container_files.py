"""What is told of a container that is there: the files that it changed, its folders, and its log."""

from __future__ import annotations

import json

from hardener.observe.accepted import is_path
from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity
from hardener.observe.engine import Engine
from hardener.observe.image_folders import entries

_LINES, _LINE = 2000, 500


def changed(engine: Engine, container: str) -> dict[str, str] | None:
    """The paths of its image that a container changed, each with A, C or D; None where nobody can say."""
    if engine.name == "podman":
        done = engine.call("diff", "--format", "json", container)
        try:
            found = json.loads(done.text) if done.ok else None
        except ValueError:
            return None
        if not isinstance(found, dict):
            return None
        kinds = (("added", "A"), ("changed", "C"), ("deleted", "D"))
        return {str(path): kind for name, kind in kinds for path in found.get(name) or []}
    done = engine.call("diff", container)
    lines = (line.split(" ", 1) for line in done.text.splitlines() if " " in line)
    return {path: kind for kind, path in lines} if done.ok else None


def is_folder(engine: Engine, container: str, path: str) -> bool:
    """Whether a container has a folder at ``path``."""
    entry = next(entries(engine, container, path), None)
    return entry is not None and entry.isdir()


def prepared(agent: AgentClient, pid: int, seen: Activity) -> set[str]:
    """Empty folders of the image of a container with the first process ``pid`` (0: none) that belong to one of its
    users other than root."""
    users = sorted(seen.users - {0})
    found = agent("prepared", pid, users, sorted(seen.wrote)) if users and pid else None
    return {path for path in found or () if is_path(path)}


def log(engine: Engine, container: str) -> list[str]:
    """The last lines that a container printed."""
    done = engine.call("logs", "--tail", str(_LINES), container, keeps_head=True)
    lines = [*done.text.splitlines(), *done.error.splitlines()]
    return [line[:_LINE] for line in lines]
