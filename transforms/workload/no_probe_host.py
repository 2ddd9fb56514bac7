from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, View

_LOOPBACK = late_pattern(r"localhost|127(\.\d{1,3}){3}|::1|\[::1\]")
_ADDRESS = late_pattern(r"[\d.]+|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*\]?")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HANDLERS = (*((probe,) for probe in _PROBES), ("lifecycle", "postStart"), ("lifecycle", "preStop"))
_FIRST_VERSION = (1, 34)  # from which on baseline forbids it


@transform(each=Container, stage="host", pss="baseline", after=("no-host-network",))
def no_probe_host(container: Container) -> Steps:
    """Remove host from probes and hooks.

    Problem: {container} has a probe or hook that calls a fixed host.

    Result: Probes and hooks call the pod that they belong to.

    Why: the kubelet makes the call from the node. So whoever may write a pod can scan addresses that pods cannot reach.

    May break: a probe that was meant for another host now fails, and the kubelet restarts the container; a server with
    virtual hosts gets the name in a Host header.
    """
    if container.tree.settings.kubernetes_version < _FIRST_VERSION:
        return
    for handler in _HANDLERS:
        if not container.has(*handler):
            continue
        for action in ("httpGet", "tcpSocket"):
            call = container.view(*handler, action)
            if call.get("host"):
                yield list(_own_pod(container, call, hook=handler[0] == "lifecycle"))


def _own_pod(container: Container, call: View, *, hook: bool) -> Iterator[Edit]:
    host = str(call.get("host"))
    loopback = _LOOPBACK.fullmatch(host) is not None
    meant = "the node's own loopback, which is not the pod's" if loopback else "the host in the manifest"
    nothing_else = call.fact(f"the kubelet calls {meant}", "host")
    found = verdict(against=_against(container, call, loopback, hook), absent=[nothing_else])
    yield call.drop("host", **found.words)
    named = not (loopback or hook) and _ADDRESS.fullmatch(host) is None
    if named and call.path[-1] == "httpGet" and not _has_host_header(call):
        header = {"name": "Host", "value": host}
        yield call.append("httpHeaders", value=header, **found.words)


def _against(container: Container, call: View, loopback: bool, hook: bool) -> Iterator[Evidence]:
    if loopback:
        if container.pod.get("hostNetwork") is True:
            yield call.fact("in the node's network the server may listen on the loopback only", "host")
        return
    if hook:
        yield call.fact("the hook calls another host, not its own pod", "host")
    ports = [value for port in container.items("ports") for value in (port.get("containerPort"), port.text("name"))]
    if ports and call.get("port") not in ports:
        yield call.fact("it calls a port of another host that the container does not serve", "port")


def _has_host_header(call: View) -> bool:
    return any(str(header.get("name")).lower() == "host" for header in call.items("httpHeaders"))
