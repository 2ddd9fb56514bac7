"""Which texts may start pods by flags of kubectl, or make objects; what they do is read by ``kubectl_pods`` and
``kubectl_objects``."""

from __future__ import annotations

from hardener.support.late_pattern import late_pattern

_OTHERS = late_pattern(
    r"\b(?:helm[ \t]+(?:install|upgrade|template)|oc[ \t]+\w+|kapp[ \t]+deploy)\b"
    r"|\b(?:argocd|flux|istioctl)[ \t]+\w+|/apis?/[\w.-]*/?v\d\w*/"
)


def may_start(text: str) -> bool:
    """Whether ``text`` may start such a pod; tells without reading it as shell."""
    return "kubectl" in text and any(word in text for word in ("--overrides", "--privileged", "debug"))


def may_make(text: str) -> bool:
    """Whether ``text`` may make objects by commands; tells without reading it as shell."""
    return "kubectl" in text or bool(_OTHERS.search(text))
