"""Which texts may start pods by flags of kubectl; what they start is read by ``kubectl_pods``."""

from __future__ import annotations


def may_start(text: str) -> bool:
    """Whether ``text`` may start such a pod; tells without reading it as shell."""
    return "kubectl" in text and any(word in text for word in ("--overrides", "--privileged", "debug"))
