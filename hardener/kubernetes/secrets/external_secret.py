"""ExternalSecrets of the External Secrets Operator: how one is written, and how stores name what they hold.

Sources: its CRDs (version v1 is served since 0.16, v1beta1 is not since 0.17), and the rules for names of Vault, AWS
Secrets Manager, Google Secret Manager and Azure Key Vault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hardener.support.late_pattern import late_pattern

GROUP = "external-secrets.io"
API = f"{GROUP}/v1"
STORES = ("SecretStore", "ClusterSecretStore")
SECRET_KEY = late_pattern(r"[-._a-zA-Z0-9]{1,253}")
"""What a key of a Secret, and `secretKey` of an ExternalSecret, looks like."""

# The key of `spec.provider` -> its name here; others take a name with slashes, too.
PROVIDERS = {"vault": "vault", "aws": "aws", "gcpsm": "gcp", "azurekv": "azure"}
_FLAT = frozenset({"gcp", "azure"})  # of their names, only letters, digits and dashes are legal in both


def remote_key(template: str, namespace: str, name: str, provider: str) -> str:
    """The name under which a store keeps the secret ``name``: ``template`` with `{ns}` and `{name}` filled in."""
    key = template.replace("{ns}", namespace).replace("{name}", name)
    return re.sub(r"[^A-Za-z0-9-]+", "-", key).strip("-") if provider in _FLAT else key


def entries(key: str, names: Iterable[tuple[str, bool]]) -> list[dict[str, Any]]:
    """The `data` of an ExternalSecret: each of ``names`` is a property of ``key``, binary ones are kept as base64."""
    found = []
    for name, binary in names:
        reference = {"key": key, "property": name} | ({"decodingStrategy": "Base64"} if binary else {})
        found.append({"secretKey": name, "remoteRef": reference})
    return found


def spec(
    store: tuple[str, str],
    secret: str,
    data: list[dict[str, Any]],
    *,
    template: dict[str, Any] | None = None,
    immutable: bool = False,
) -> dict[str, Any]:
    """The `spec` of an ExternalSecret that makes the Secret ``secret`` of ``data`` from ``store`` (kind, name).

    A ``template`` without data keeps what was fetched.
    """
    target: dict[str, Any] = {"name": secret, "creationPolicy": "Owner"}
    if immutable:
        target["immutable"] = True
    if template:
        target["template"] = template
    return {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": store[0], "name": store[1]},
        "target": target,
        "data": data,
    }
