"""The options of the profile that all transforms of secrets share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Secrets:
    """``backend``: auto, external-secrets, sealed-secrets, sops or secret. ``store``: KIND/NAME. ``remote-key``: how
    the store names a secret, with {ns} and {name}. ``delivery``: env, both or file. ``mount-path``: where files of
    secrets go. ``eso-api``: v1 or v1beta1. ``move``: whether anything is moved. ``sealed-secrets-cert``: a file.
    ``unseen-api``: whether an API version is changed although nothing shows that the cluster has the new one."""

    GROUP: ClassVar[str] = "secrets"
    backend: str = "auto"
    store: str = ""
    remote_key: str = "{ns}/{name}"
    delivery: str = "both"
    mount_path: str = "/etc/secrets"
    eso_api: str = "v1"
    move: bool = True
    sealed_secrets_cert: str = ""
    unseen_api: bool = True
