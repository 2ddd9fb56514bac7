"""Components that run other people's workloads, and so hold rights in the whole cluster by design.

`data/platform-rbac.json` names their accounts, images and labels as their vendors' manifests do. A name alone proves
nothing: anybody may call an account argocd-server.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from msgspec import Struct

_DATA = Path(__file__).parents[1] / "data" / "platform-rbac.json"
_MAGIC = frozenset("*?[")
PART_OF = "app.kubernetes.io/part-of"
# Accounts of monitoring agents, which read the metrics of kubelets.
_MONITORING = (
    "prometheus*", "*-prometheus", "otel*", "*opentelemetry*", "datadog*", "node-problem-detector*", "grafana-agent*",
    "alloy*", "vmagent*", "metrics-server*", "newrelic*", "dynatrace*", "telegraf*", "*-kube-prometheus-prometheus",
)  # fmt: skip


class Platform(Struct, frozen=True):
    """A component: ``accounts`` and ``images`` are globs, ``part_of`` labels, ``advice`` its way to fewer rights."""

    component: str
    accounts: tuple[str, ...]
    images: tuple[str, ...]
    part_of: tuple[str, ...]
    advice: str | None = None


def named_like(account: str) -> list[Platform]:
    """The components that have an account of this name."""
    return [each for each in _platforms() if any(_fits(account, glob) for glob in each.accounts)]


def proved(platform: Platform, images: Collection[str], labels: Collection[str]) -> bool:
    """Whether an image that runs as the account (its repository), or a part-of label, shows the component too."""
    if any(label in platform.part_of for label in labels):
        return True
    return any(_fits(image, glob) for image in images for glob in platform.images)


def is_monitoring(account: str) -> bool:
    """Whether an account is called like that of a monitoring agent."""
    return any(_fits(account, glob) for glob in _MONITORING)


def _fits(name: str, glob: str) -> bool:
    """``fnmatchcase``, without compiling a pattern where stars stand at the ends only, as in nearly all."""
    middle = glob.strip("*")
    if not _MAGIC.isdisjoint(middle):
        return fnmatchcase(name, glob)
    if not glob.startswith("*"):
        return name.startswith(middle) if glob.endswith("*") else name == glob
    return middle in name if glob.endswith("*") else name.endswith(middle)


@cache
def _platforms() -> tuple[Platform, ...]:
    entries = json.loads(_DATA.read_text(encoding="utf-8"))
    return tuple(
        Platform(
            entry["component"],
            tuple(entry["accounts"]),
            tuple(entry["images"]),
            tuple(entry["part_of"]),
            entry.get("advice"),
        )
        for entry in entries
    )
