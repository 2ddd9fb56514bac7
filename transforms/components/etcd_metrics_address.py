from __future__ import annotations

from urllib.parse import urlsplit

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.flag_values import entries
from hardener.tree.control_plane import Component, ControlPlane, components, how, signs

_FLAG = "listen-metrics-urls"


@transform(each=ControlPlane, stage="components", severity=Severity.LOW)
def etcd_metrics_address(carrier: ControlPlane) -> Steps:
    """Bind etcd metrics to the local host.

    Problem: etcd serves its metrics beyond its own host.

    Result: Etcd serves its metrics on its own host only.

    Why: the metrics port asks for no certificate, and shows the size and load of the whole cluster.

    May break: programs that read the metrics of etcd from another host.
    """
    for etcd in components(carrier, "etcd"):
        yield from _one(etcd)


def _one(etcd: Component) -> Steps:
    urls = entries(etcd.get(_FLAG))
    open_ones = [url for url in urls if not signs.is_loopback(_host(url))]
    if not open_ones:
        return
    sign = signs.scraped(etcd) or signs.probed_from_outside(etcd)
    if sign is not None:
        text = f"etcd shows its metrics at {', '.join(open_ones)}, and {sign.text}"
        advice = "listen on 127.0.0.1 once nothing connects from outside; until then close the port to others"
        yield etcd.finding(text, _FLAG, severity=Severity.LOW, advice=advice)
        return
    new = dict.fromkeys(url.replace(_host(url), "127.0.0.1", 1) if url in open_ones else url for url in urls)
    yield etcd.set(_FLAG, ",".join(new), how(etcd, etcd.state(_FLAG)))


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition(":")[0] or urlsplit(url).netloc
