"""How secrets leave the tree: where they go, who reads them, and what stands against it. Transforms make the edits."""

from hardener.secret_moves.backend import Backend, Store
from hardener.secret_moves.moves import SecretMoves, moves_of
from hardener.secret_moves.objects import (
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
