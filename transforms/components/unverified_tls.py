"""K07: callers check whom they talk to."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.data_path import Path
from hardener.tree.addon_views import ApiService, BackendTls, Monitor
from hardener.tree.core_views import Container
from hardener.tree.view import View

# Where a monitor holds how it connects: each entry of a list, or a part of the spec.
_LISTS = ("endpoints", "podMetricsEndpoints")
_SKIPS = "insecureSkipVerify"
# Where a gateway or a mesh holds that it does not check the servers behind it. Sources: the references of Traefik
# (ServersTransport), Envoy Gateway (Backend) and Istio (DestinationRule, ClientTLSSettings).
_BACKENDS: tuple[Path, ...] = (
    ("spec", _SKIPS), ("spec", "tls", _SKIPS), ("spec", "trafficPolicy", "tls", _SKIPS),
)  # fmt: skip
# Names that no public CA signs: Baseline Requirements of the CA/Browser Forum, 4.2.2 (internal names).
_INTERNAL = (".svc", ".local", ".internal")
# Flags of programs that are installed in many clusters, by the last part of their image.
_FLAGS = {"metrics-server": ("--kubelet-insecure-tls",)}


@transform(
    each=ApiService | Monitor | BackendTls | Container, stage="components", severity=Severity.MEDIUM,
    classes=("node-agent", "system-namespace", "windows"), only_reports=True,
)  # fmt: skip
def unverified_tls(target: ApiService | Monitor | BackendTls | Container) -> Steps:
    """Enable verification of TLS certificates.

    Problem: a caller does not check the certificate of its server.

    Result: The caller checks the certificate of its server.

    Why: whoever is on the network path can answer in place of the server when nobody checks its certificate: the API
    server then accepts false answers for an API group, and Prometheus sends its token to somebody else.

    May break: nothing, since it only reports: the CA that signed the certificate has to be named first.
    """
    if isinstance(target, ApiService):
        if target.get("spec", _SKIPS.replace("Verify", "TLSVerify")) is True:
            yield _of_api_service(target)
    elif isinstance(target, Monitor):
        yield from _of_monitor(target)
    elif isinstance(target, BackendTls):
        yield from _of_backend(target)
    else:
        yield from _of_container(target)


def _of_api_service(service: ApiService) -> Finding:
    name = service.object.name
    return service.finding(
        f"the API server does not check the certificate of the server behind {name}",
        "spec",
        "insecureSkipTLSVerify",
        advice="set spec.caBundle to the CA of that server (cert-manager writes it with the annotation "
        "cert-manager.io/inject-ca-from) and remove insecureSkipTLSVerify",
    )


def _of_monitor(monitor: Monitor) -> Iterator[Finding]:
    places: list[Path] = [("spec", "tlsConfig")]
    places += [("spec", key, at, "tlsConfig") for key in _LISTS for at, _ in enumerate(monitor.items("spec", key))]
    for path in places:
        if monitor.get(*path, _SKIPS) is True:
            yield monitor.finding(
                "Prometheus does not check the certificate of what it reads",
                *path,
                _SKIPS,
                advice="name the CA in tlsConfig.ca and the name of the certificate in tlsConfig.serverName; remove "
                "insecureSkipVerify",
                topic="monitor without a check of certificates",
            )


def _of_backend(backend: BackendTls) -> Iterator[Finding]:
    for path in _BACKENDS:
        if backend.get(*path) is True:
            yield backend.finding(
                f"{backend.object} does not check the certificate of the servers behind it",
                *path,
                advice=f"name the CA that signs their certificates, and the name in them; remove {_SKIPS}",
            )
    path = ("spec", "validation", "wellKnownCACertificates")
    host = backend.text("spec", "validation", "hostname") or ""
    if backend.get(*path) == "System" and (host.endswith(_INTERNAL) or (host and "." not in host)):
        yield backend.finding(
            f"{host} is a name of the cluster, for which no public CA gives a certificate",
            *path,
            advice="name the CA of the cluster in caCertificateRefs, in place of wellKnownCACertificates",
            severity=Severity.LOW,
        )


def _of_container(container: Container) -> Iterator[Finding]:
    name = (container.image.repository or "").rpartition("/")[2] if container.image is not None else ""
    for key in ("command", "args") if name in _FLAGS else ():
        for at, word in enumerate(container.strings(key)):
            flag, _, value = word.partition("=")
            if flag in _FLAGS[name] and value != "false":
                yield _of_flag(container, (key, at), word)


def _of_flag(container: View, path: Path, word: str) -> Finding:
    return container.finding(
        f"{word}: the certificates of the kubelets are not checked",
        *path,
        advice="have the kubelets ask for certificates of the CA of the cluster (serverTLSBootstrap: true, and approve "
        "their requests), and remove the flag",
    )
