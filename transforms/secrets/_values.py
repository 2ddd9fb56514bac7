"""The values of a Secret that are written in its manifest, and which of them are credentials."""

from __future__ import annotations

import binascii

from hardener.kubernetes.secrets.secret_values import SecretClass, classify
from hardener.kubernetes.secrets.secret_words import is_placeholder
from hardener.tree.core_views import Secret

# Made and read by the cluster itself, or by what runs the releases.
_NEVER = frozenset({
    "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1",
})  # fmt: skip
_NEVER_LABELS = ("sealedsecrets.bitnami.com/sealed-secrets-key",)
_SHOWN = (SecretClass.SECRET, SecretClass.WEAK, SecretClass.SUSPECT)


def values_of(secret: Secret) -> dict[str, bytes] | None:
    """The values by key; None where they are no concern: none, or stand-ins that something fills in."""
    if secret.text("kind") != "Secret" or secret.text("type") in _NEVER:
        return None
    if any(secret.text("metadata", "labels", label) is not None for label in _NEVER_LABELS):
        return None
    if any(key.startswith("avp.kubernetes.io/") for key in secret.keys("metadata", "annotations")):
        return None
    found: dict[str, bytes] = {}
    for key in secret.keys("data"):
        text = secret.text("data", key)
        try:
            found[key] = binascii.a2b_base64("".join((text or "").split()), strict_mode=True)
        except ValueError:
            found[key] = (text or "").encode()  # a stand-in, or no valid Secret
    for key in secret.keys("stringData"):  # it wins over data
        found[key] = (secret.text("stringData", key) or "").encode()
    return None if all(_is_stand_in(value) for value in found.values()) else found


def is_credential(key: str, value: bytes) -> bool:
    """Whether a value shows that it is one; a Secret may hold a file of settings, too."""
    return classify(key, value.decode("utf-8", "replace"))[0] in _SHOWN


def _is_stand_in(value: bytes) -> bool:
    text = value.decode("utf-8", "replace").strip()
    return not text or is_placeholder(text)
