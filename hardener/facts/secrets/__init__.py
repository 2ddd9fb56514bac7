"""How secrets leave the tree: where they go, who reads them, and what stands against it. Transforms make the edits."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardener.facts.secrets.backend import Backend, Store
    from hardener.facts.secrets.moves import SecretMoves, moves_of
    from hardener.facts.secrets.objects import (
        ClusterConfig,
        ConfigMap,
        EncryptionConfiguration,
        ExternalSecrets,
        Kustomization,
    )

__all__ = [
    "Backend",
    "ClusterConfig",
    "ConfigMap",
    "EncryptionConfiguration",
    "ExternalSecrets",
    "Kustomization",
    "SecretMoves",
    "Store",
    "moves_of",
]


def __getattr__(name: str) -> Any:
    if name in __all__:  # what moves secrets is loaded where there are some
        for module in ("objects", "backend", "moves"):
            found = getattr(import_module(f"hardener.facts.secrets.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'hardener.facts.secrets' has no attribute {name!r}")
