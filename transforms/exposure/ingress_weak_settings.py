"""K06: annotations of an Ingress that take a check away."""

from __future__ import annotations

import re
from typing import NamedTuple

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.network.ingress import INGRESSES
from hardener.tree.route_views import Ingress

_ANNOTATIONS = ("metadata", "annotations")
_NGINX = "nginx.ingress.kubernetes.io/"
# What ends the directive of nginx that the value stands in, and begins another one (CVE-2025-1097, CVE-2025-1098,
# CVE-2025-24514).
_BREAKS_OUT = re.compile(r"[\n;{}]")
_TEXTS = ("auth-url", "auth-tls-match-cn", "mirror-target", "mirror-host", "rewrite-target", "auth-signin")
_REGEX = frozenset({"rewrite-target", "auth-tls-match-cn"})  # in which braces count characters
_CORS_WITH = f"{_NGINX}cors-allow-credentials"


class _Weak(NamedTuple):
    """A wrong value of an annotation, what that means, and what to do."""

    value: str
    means: str
    advice: str
    severity: Severity


# Source: the page on annotations of ingress-nginx.
_WEAK = {
    "auth-tls-verify-client": _Weak(
        "off", "the certificate of a client is not asked for", "set on, or remove auth-tls-secret too", Severity.MEDIUM,
    ),
    "proxy-ssl-verify": _Weak(
        "off", "the certificate of the Service behind it is not checked",
        "set on, and name the CA in proxy-ssl-secret", Severity.LOW,
    ),
}  # fmt: skip


@transform(each=Ingress, stage="exposure", severity=Severity.MEDIUM, only_reports=True)
def ingress_weak_settings(ingress: Ingress) -> Steps:
    """Correct weak settings of an Ingress.

    Problem: the Ingress switches a check off or has an annotation that can inject configuration.

    Result: The Ingress keeps the checks of its controller, and its annotations hold plain values.

    Why: a disabled check lets in clients that a certificate should keep out. A value with a semicolon or a brace ends
    its own setting and adds what follows to the configuration of a process that holds the certificates of all
    Ingresses.

    May break: nothing, since it only reports: clients that rely on it have to change first.
    """
    if ingress.names not in INGRESSES:
        return
    annotations = ingress.object.annotations
    for key, value in annotations.items():
        name = key.removeprefix(_NGINX)
        if name == key:
            continue
        weak = _WEAK.get(name)
        if weak is not None and value.strip().lower() == weak.value:
            text = f"annotation {name} is {weak.value}: {weak.means}"
            yield ingress.finding(text, *_ANNOTATIONS, key, advice=weak.advice, severity=weak.severity)
        elif name in _TEXTS and _breaks_out(name, value):
            text = f"annotation {name} holds characters that end its place in the configuration of the controller"
            advice = "remove them, and keep the controller at a version that checks them (1.12.1, 1.11.5 or later)"
            yield ingress.finding(text, *_ANNOTATIONS, key, advice=advice, severity=Severity.HIGH)
        elif name == "cors-allow-origin" and "*" in value.split(","):
            yield from _cors(ingress, key)
        elif name == "ssl-redirect" and value.strip().lower() == "false" and ingress.items("spec", "tls"):
            if annotations.get(f"{_NGINX}force-ssl-redirect", "").lower() != "true":
                text = "annotation ssl-redirect is false: callers that begin with HTTP stay in clear text"
                yield ingress.finding(text, *_ANNOTATIONS, key, advice="remove it", severity=Severity.MEDIUM)


def _breaks_out(name: str, value: str) -> bool:
    text = re.sub(r"\{\d+(?:,\d*)?\}", "", value) if name in _REGEX else value
    return _BREAKS_OUT.search(text) is not None


def _cors(ingress: Ingress, key: str) -> Steps:
    """Any page may read answers; with cookies only where credentials are not switched off, which is the default."""
    alone = ingress.object.annotations.get(_CORS_WITH, "").strip().lower() == "false"
    text = "annotation cors-allow-origin is *: scripts of every page may read the answers"
    advice = "name the origins of your own pages"
    yield ingress.finding(text, *_ANNOTATIONS, key, advice=advice, severity=Severity.LOW if alone else Severity.MEDIUM)
