"""K07: configuration of components that stands as a text in a ConfigMap."""

from __future__ import annotations

from typing import NamedTuple

from hardener.authoring.edits import OpaqueError, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.tree.cloud_views import ConfigMap
from hardener.tree.control_plane import Component, held_components, signs


class _Weak(NamedTuple):
    """A flag of a component, its wrong values (none: whatever it is), what that means, and what to write."""

    component: str
    flag: str
    wrong: tuple[str, ...]
    means: str
    advice: str
    severity: Severity


# Source: CIS Kubernetes Benchmark 1.12, 1.2.1-1.2.7, 4.2.1-4.2.5 and 4.3.1; the flag references of Kubernetes 1.36.
_WEAK = (
    _Weak(
        "kubelet", "anonymous-auth", ("true",), "whoever reaches port 10250 asks without a login",
        "authentication.anonymous.enabled: false", Severity.CRITICAL,
    ),
    _Weak(
        "kubelet", "authorization-mode", ("AlwaysAllow",), "whoever has a name runs commands in all of its pods",
        "authorization.mode: Webhook", Severity.CRITICAL,
    ),
    _Weak(
        "kubelet", "authentication-token-webhook", ("false",), "the kubelet checks no token",
        "authentication.webhook.enabled: true", Severity.HIGH,
    ),
    _Weak(
        "kubelet", "protect-kernel-defaults", ("false",), "the kubelet changes settings of the kernel at its start",
        "protectKernelDefaults: true, once the settings are made on the nodes", Severity.LOW,
    ),
    _Weak(
        "kubelet", "rotate-certificates", ("false",), "the certificate of the kubelet expires and is not renewed",
        "rotateCertificates: true", Severity.MEDIUM,
    ),
    _Weak(
        "kube-apiserver", "authorization-mode", ("AlwaysAllow",), "every caller is an administrator",
        "Node,RBAC", Severity.CRITICAL,
    ),
    _Weak(
        "kube-apiserver", "anonymous-auth", ("true",), "requests without a login reach the rules of access",
        "an AuthenticationConfiguration that lets health checks alone through without one", Severity.MEDIUM,
    ),
    _Weak(
        "kube-apiserver", "token-auth-file", (), "tokens of a file, which never expire, open the API",
        "people sign in through an identity provider (--oidc-issuer-url)", Severity.HIGH,
    ),
    _Weak(
        "kube-apiserver", "basic-auth-file", (), "no API server since 1.19 starts",
        "people sign in through an identity provider (--oidc-issuer-url)", Severity.HIGH,
    ),
    _Weak(
        "kube-apiserver", "profiling", ("true",), "the API server serves profiles of itself",
        "false", Severity.LOW,
    ),
    _Weak(
        "etcd", "client-cert-auth", ("false",), "etcd takes requests without a certificate: every Secret is open",
        "true", Severity.CRITICAL,
    ),
)  # fmt: skip


@transform(each=ConfigMap, stage="components", severity=Severity.CRITICAL, cis="4.2.1", only_reports=True)
def held_component_config(config_map: ConfigMap) -> Steps:
    """Require a login in component configuration.

    Problem: the ConfigMap configures a component to accept callers without a login.

    Result: The component accepts nobody without a login.

    Why: kubeadm keeps the configuration of kubelets, of kube-proxy and of the control plane in ConfigMaps of
    kube-system, and gives it to each node that joins or is upgraded.

    May break: nothing, since it only reports: only kubeadm brings a changed text to the nodes.
    """
    for key, component in held_components(config_map):
        try:
            yield from _of(config_map, key, component)
        except (OpaqueError, WrongShapeError):
            continue


def _of(config_map: ConfigMap, key: str, component: Component) -> Steps:
    for weak in _WEAK:
        value = component.get(weak.flag) if weak.component == component.name else None
        if value is not None and (not weak.wrong or set(value.split(",")) & set(weak.wrong)):
            name = component.called(weak.flag)
            message = f"{component.name} in {key}: {name} is {value}, so that {weak.means}"
            advice = f"write {weak.advice}" if weak.wrong else f"remove it: {weak.advice}"
            yield config_map.finding(message, "data", key, advice=advice, severity=weak.severity)
    if component.name == "kubelet" and (component.get("read-only-port") or "0") != "0":
        message = f"kubelet in {key}: {component.called('read-only-port')} opens a port without a login"
        advice = "write readOnlyPort: 0, or remove it"
        yield config_map.finding(message, "data", key, advice=advice, severity=Severity.HIGH)
    address = component.get("metrics-bind-address") if component.name == "kube-proxy" else None
    if address is not None and not signs.is_loopback(address):
        message = f"kube-proxy in {key}: its metrics are open to whoever reaches the node ({address})"
        advice = "write metricsBindAddress: 127.0.0.1:10249, unless a program of another host reads them"
        yield config_map.finding(message, "data", key, advice=advice, severity=Severity.LOW)
