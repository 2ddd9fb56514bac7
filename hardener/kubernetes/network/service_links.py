"""The variables by which a container is told of the Services of its namespace (`enableServiceLinks`).

Source: pkg/kubelet/envvars/envvars.go. The variables of the API server (KUBERNETES_SERVICE_HOST ...) are there with and
without the links, so they do not count.
"""

from __future__ import annotations

from hardener.support.late_pattern import late_pattern

_VARIABLE = late_pattern(
    r"(?<![A-Z0-9_])(?!KUBERNETES_)(?:[A-Z][A-Z0-9_]*_SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?"
    r"|[A-Z][A-Z0-9_]*_PORT_\d{1,5}_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)(?![A-Z0-9_])"
    r"|GET_HOSTS_FROM\W{1,4}env\b"
)


def mentions(text: str) -> list[str]:
    """The variables of service links that a text names, each once; GET_HOSTS_FROM=env stands for all of them."""
    # Most texts have none of these words, and finding that out is cheap.
    if "_SERVICE_" not in text and "_PORT_" not in text and "GET_HOSTS_FROM" not in text:
        return []
    found = (match[0] for match in _VARIABLE.finditer(text))
    return list(dict.fromkeys("GET_HOSTS_FROM=env" if name.startswith("GET_HOSTS") else name for name in found))
