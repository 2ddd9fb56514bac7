"""K07: the kubelet knows who calls and what the caller may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ComponentFile, ControlPlane, components, how, signs

_KUBEADM_CA = "/etc/kubernetes/pki/ca.crt"
# What is wrong, and what is right.
_WEAK = {
    "anonymous-auth": ("true", "false"),
    "authentication-token-webhook": ("false", "true"),
    "authorization-mode": ("AlwaysAllow", "Webhook"),
}


@dataclass(frozen=True)
class Kubelet:
    """``client_ca``: where hosts keep the CA of the API server's client certificate; empty: as the tree shows."""

    GROUP: ClassVar[str] = "kubelet"
    client_ca: str = ""


@transform(
    each=ControlPlane | ComponentFile, stage="components", severity=Severity.CRITICAL, cis="4.2.1", options=Kubelet
)
def kubelet_auth(carrier: ControlPlane | ComponentFile, options: Kubelet) -> Steps:
    """Require authentication and authorization on the kubelet.

    Problem: the kubelet accepts requests that it does not check.

    Result: The kubelet asks the API server who a caller is and what the caller may do.

    Why: an unauthenticated kubelet lets anyone who can reach port 10250 run commands in every pod of the node.

    May break: clients that call the kubelet anonymously or without a role (old metrics collectors); a wrong path of the
    CA keeps the kubelet from starting.
    """
    for kubelet in components(carrier, "kubelet"):
        yield from _one(kubelet, options)


def _one(kubelet: Component, options: Kubelet) -> Steps:
    weak = [flag for flag, (wrong, _) in _WEAK.items() if kubelet.get(flag) == wrong and kubelet.can(flag)]
    nobody_checks = kubelet.is_file and kubelet.get("client-ca-file") is None
    if not weak:
        if nobody_checks and not signs.beside_kubeadm(kubelet.view):  # kubeadm adds it
            text = "no clientCAFile: the kubelet accepts no client certificate, so kubectl logs and exec fail"
            advice = f"set authentication.x509.clientCAFile (kubeadm and EKS: {_KUBEADM_CA})"
            yield kubelet.finding(text, advice=advice, severity=Severity.LOW)
        return
    evidence = [kubelet.state(flag) for flag in weak]
    ca = ""
    requires: tuple[str, ...] = ()
    if nobody_checks:
        sign = _client_ca(kubelet, options)
        if sign is None:
            yield kubelet.finding(
                f"{' and '.join(fact.text for fact in evidence)}; whoever reaches port 10250 can run commands in its"
                " pods",
                weak[0],
                severity=Severity.CRITICAL,
                advice="set kubelet.client-ca to the CA file on the hosts, and run this again: without "
                "authentication.x509.clientCAFile kubectl logs and exec would fail",
            )
            return
        ca = options.client_ca or _KUBEADM_CA
        evidence.append(sign)
        requires = (f"on each node, check that the CA is there: test -s {ca}",)
    words = how(kubelet, *evidence, requires=requires, impact="kubelet-closed")
    edits = kubelet.set(weak[0], _WEAK[weak[0]][1], words)
    words = words._replace(impact=None)  # it is counted once
    for flag in weak[1:]:
        edits += kubelet.set(flag, _WEAK[flag][1], words)
    if ca:
        edits += kubelet.set("client-ca-file", ca, words)
    yield edits


def _client_ca(kubelet: Component, options: Kubelet) -> Evidence | None:
    if options.client_ca:
        return Evidence(f"the configuration names {options.client_ca} as the CA")
    return signs.layout(kubelet)
