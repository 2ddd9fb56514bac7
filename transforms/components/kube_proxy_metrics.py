from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ComponentFile, ControlPlane, components, how, signs

_FLAG = "metrics-bind-address"
_PORT = "10249"


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.LOW, cis="4.3.1")
def kube_proxy_metrics(carrier: ControlPlane | ComponentFile) -> Steps:
    """Bind kube-proxy metrics to the local host.

    Problem: kube-proxy serves its metrics beyond its node.

    Result: kube-proxy serves its metrics on its node only.

    Why: the port asks for no login, and shows which Services exist.

    May break: programs that read the metrics of kube-proxy from another host.
    """
    for proxy in components(carrier, "kube-proxy"):
        yield from _one(proxy)


def _one(proxy: Component) -> Steps:
    address = proxy.get(_FLAG)
    if address is None or signs.is_loopback(address):
        return
    sign = signs.scraped(proxy)
    if sign is not None:
        text = f"kube-proxy shows its metrics at {address}, and {sign.text}"
        advice = "set 127.0.0.1:10249 once nothing connects from outside; until then close the port to others"
        yield proxy.finding(text, _FLAG, severity=Severity.LOW, advice=advice)
        return
    port = address.rpartition(":")[2]
    port = port if port.isdigit() and ":" in address else _PORT
    yield proxy.set(_FLAG, f"127.0.0.1:{port}", how(proxy, proxy.state(_FLAG)))
