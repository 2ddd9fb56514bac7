"""What annotations of an Ingress tell its controller: where TLS ends, who signs in before it, how it reaches a Service.

Sources: the pages on annotations of ingress-nginx, NGINX Ingress Controller, AWS Load Balancer Controller, GKE Ingress,
Application Gateway Ingress Controller, Traefik, HAProxy, haproxy-ingress, Kong, OpenShift, Tencent TKE and Huawei CCE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Annotations = Mapping[str, str]

_CLASS = "kubernetes.io/ingress.class"
_ALB = "alb.ingress.kubernetes.io/"
_NEG = "cloud.google.com/neg"

# Patterns stay texts: re compiles one when it is first needed, and most runs need none.
_CERTIFICATE = (
    r"/(?:certificate-arn|managed-certificates|pre-shared-cert|appgw-ssl-certificate|certmap|ssl-policy)$"
    r"|^route\.openshift\.io/termination$"
)
_TLS_WHERE_TRUE = r"/(?:ssl-redirect|force-ssl-redirect|ssl-passthrough|router\.tls|redirect-to-https)$"
_TLS_CLASSES = frozenset({"cloudflare-tunnel", "ngrok", "tailscale"})  # TLS ends at the edge of the provider

_AUTH = r"/(?:auth-(?:url|signin|type|secret|tls-secret|realm|proxy)|basic-auth-secret|jwt-key|oauth)$"
_NAMES = r"/(?:router\.middlewares|plugins|policies)$"  # of what stands before it, in objects of their own
_AUTH_WORD = r"(?i)auth|oidc|jwt|sso|login|saml|ldap|pomerium|keycloak|password"
_RANGES = r"/(?:(?:white|allow)-?list(?:-source-range)?|inbound-cidrs)$"

# Text for the configuration of a controller: of ingress-nginx, NGINX Ingress Controller, HAProxy (each of its prefixes)
# and haproxy-ingress.
_SNIPPET = (
    r"^(?:nginx\.)?ingress\.kubernetes\.io/[a-z-]+-snippet$|^nginx\.(?:org|com)/[a-z-]+-snippets$"
    r"|^haproxy\.(?:org|com)/[a-z-]+-snippet$"
    r"|^(?:haproxy-ingress\.github|ingress\.kubernetes)\.io/config-(?:backend|frontend|tcp)"
)

# Controllers that reach a Service through the ports of the nodes unless told otherwise.
_NODE_PORT_CLASSES = frozenset({"gce", "gce-internal", "qcloud", "cce"})
_GCE = r"^(?:networking\.gke\.io|ingress\.gcp\.kubernetes\.io)/|/ingress\.(?:global|regional)-static-ip"


def ingress_class(named: str | None, annotations: Annotations) -> str:
    """The class of an Ingress: what annotations for one controller only show, else the field ``named``, else ""."""
    if any(key.startswith(_ALB) for key in annotations):
        return "alb"
    found = named or annotations.get(_CLASS)
    return found or ("gce" if any(re.search(_GCE, key) for key in annotations) else "")


def ends_tls(named: str | None, annotations: Annotations) -> bool:
    """Whether TLS is served for an Ingress without a section for it: by its class, or by what an annotation names."""
    if ingress_class(named, annotations) in _TLS_CLASSES:
        return True
    return any(_ends_tls(key, value.strip().lower()) for key, value in annotations.items())


def _ends_tls(key: str, value: str) -> bool:
    if re.search(_CERTIFICATE, key):
        return True
    if re.search(_TLS_WHERE_TRUE, key):
        return value == "true" or value.isdigit()
    if key.endswith("/listen-ports"):
        return "https" in value
    if key.endswith(("/router.entrypoints", "konghq.com/protocols")):
        return all("secure" in word or "https" in word for word in value.split(","))
    return key.endswith("/ingress.allow-http") and value == "false"


def signs_in(annotations: Annotations) -> str | None:
    """The annotation by which a controller asks who is there before it lets anybody through; None where none does."""
    for key, value in annotations.items():
        if re.search(_NAMES, key):
            if is_sign_in(value):
                return key
        elif re.search(_AUTH, key) and value.strip().lower() not in ("", "none", "off", "false"):
            return key
    return None


def is_sign_in(name: str) -> bool:
    """Whether the name of a middleware, filter, policy or program says that it asks who is there."""
    return re.search(_AUTH_WORD, name) is not None


def narrows(annotations: Annotations) -> str | None:
    """The annotation that lets only some addresses in; None where none does."""
    found = (key for key, value in annotations.items() if re.search(_RANGES, key) and "0.0.0.0/0" not in value)
    return next(found, None)


def is_snippet(key: str) -> bool:
    """Whether an annotation holds text that goes as it is into the configuration of the controller."""
    return re.search(_SNIPPET, key) is not None


def needs_node_port(named: str | None, annotations: Annotations, service: Annotations) -> bool:
    """Whether the controller of an Ingress reaches a Service with the annotations ``service`` through node ports.

    The load balancer of GKE does unless there is a network endpoint group, that of AWS unless it targets addresses of
    pods; so do those of Tencent and Huawei.
    """
    found = ingress_class(named, annotations)
    if found == "alb":
        key = f"{_ALB}target-type"
        return (service.get(key) or annotations.get(key) or "instance") == "instance"
    if found.startswith("gce"):
        return re.search(r'"ingress"\s*:\s*true', service.get(_NEG, "")) is None
    return found in _NODE_PORT_CLASSES
