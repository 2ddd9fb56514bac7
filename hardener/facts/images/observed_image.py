"""What ``harden observe`` saw of a container, as facts about its image.

It saw one start: the user that its first process had then, the ports that it listened on, and the folders that it wrote
to. Who the image runs as for a kubelet is said by its config alone, as an entrypoint may become another user.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hardener.facts.images.observations import seen
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.images.config import OBSERVED, SOME_NUMBER, ImageFacts, ImagePath, KnownBy
from hardener.lock.observed import Observation
from hardener.tree.core_views import Container

_SAW = "harden.lock: harden observe saw it"


def with_observation(known: ImageFacts, container: Container, run: Observation) -> ImageFacts:
    """``known``, and over it what was seen of ``container``; as it is where the container did not come up."""
    if not run.came_up:
        return known
    return replace(known, **_user(known, container, run), **_ports(known, run), **_paths(known, run))


def _user(known: ImageFacts, container: Container, run: Observation) -> dict[str, Any]:
    if run.user is None:
        return {}
    source = f"{OBSERVED} ({seen(run)})"
    if run.user == 0:
        if known.user is None and container.tree.ask(WrittenContexts).number(container) is None:
            return {"user": "root", "user_by": KnownBy.OBSERVED, "user_source": source, "sure": True}
        return {}
    # Beside another number nobody can tell which of them it ran as then.
    if container.effective("runAsUser") not in (None, run.user):
        return {}
    kind, same = known.kind_of_user, known.uid == run.user
    if kind == "number" and known.user not in (SOME_NUMBER, str(run.user)):
        return {}
    if same and known.sure_of_number:
        return {}  # where it is from says more
    gid = run.groups[0] if len(run.groups) == 1 else known.gid if same else None
    # An image of root may need to begin as root to become this user.
    sure = kind in ("number", "name")
    return {"uid": run.user, "gid": gid, "uid_by": KnownBy.OBSERVED, "uid_source": source, "sure_of_number": sure}


def _ports(known: ImageFacts, run: Observation) -> dict[str, Any]:
    listens = {int(number) for number, _, _ in (port.partition("/") for port in run.listens) if number.isdecimal()}
    if not listens:
        return {}
    more = not listens >= set(known.ports)  # one that was not opened in so short a time
    source = f"{_SAW}, or {known.ports_source}" if more else f"{OBSERVED} ({seen(run)})"
    return {"ports": tuple(sorted(listens | set(known.ports))), "ports_source": source}


def _paths(known: ImageFacts, run: Observation) -> dict[str, Any]:
    writable = [ImagePath(path, f"{_SAW} write to {path}") for path in run.wrote if _is_free(path, run)]
    hiding = [
        ImagePath(path, f"{_SAW} write to {path}, where {_obstacle(path)}")
        for path in run.wrote
        if not _is_free(path, run)
    ]
    return {
        "writable": (*writable, *known.writable), "hiding": tuple(hiding), "paths_by": KnownBy.OBSERVED,
        "seen_for": f"{OBSERVED}: in {run.seconds} s it wrote nowhere else ({seen(run)})",
    }  # fmt: skip


def _is_free(path: str, run: Observation) -> bool:
    """Whether a volume at ``path`` hides no file; no path of a volume has a colon, and none is the root itself."""
    return path not in (*run.occupied, "/") and ":" not in path


def _obstacle(path: str) -> str:
    return "no volume can be mounted" if ":" in path else "its image has files"
