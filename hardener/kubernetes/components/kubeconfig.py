"""Kubeconfig files: which text is one, and what in it is a credential.

Source: k8s.io/client-go tools/clientcmd/api/v1, types.go (AuthInfo, Cluster).
"""

from __future__ import annotations

from hardener.kubernetes.secrets.secret_words import compiled, is_placeholder

SECRETS = ("client-key-data", "token", "password")
"""The fields of a user that hold a credential."""
PROVIDER_SECRETS = ("access-token", "id-token", "refresh-token", "client-secret")
"""The keys of the configuration of its auth-provider that do."""

_OMITTED = ("DATA+OMITTED", "DATA OMITTED")  # as kubectl config view prints them
_FORM = r"(?m)^[ \t]*[\"']?(?:clusters|users|contexts)[\"']?[ \t]*:|[\"'](?:clusters|users|contexts)[\"'][ \t]*:"
_KIND = r"(?:^|[\s{,])[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?Config\b"


def is_kubeconfig(text: str) -> bool:
    """Whether a text may be a kubeconfig; tells without parsing. Others of kind Config have neither users nor
    clusters."""
    return "Config" in text and bool(compiled(_KIND).search(text)) and bool(compiled(_FORM).search(text))


def is_credential(value: str | None) -> bool:
    """Whether a field that may hold a credential does: not where it is empty, or a stand-in."""
    return bool(value) and value not in _OMITTED and not is_placeholder(value or "")
