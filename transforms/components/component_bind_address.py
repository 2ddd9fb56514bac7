from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ControlPlane, components, how, signs

_FLAG = "bind-address"


@transform(each=ControlPlane, stage="components", severity=Severity.LOW, cis="1.3.7")
def component_bind_address(carrier: ControlPlane) -> Steps:
    """Bind the component to the local host.

    Problem: the component listens beyond its own host.

    Result: The component listens on its own host only.

    Why: its port serves internal data that no other host needs.

    May break: programs that read their metrics from another host.
    """
    for component in components(carrier, "kube-controller-manager", "kube-scheduler"):
        yield from _one(component)


def _one(component: Component) -> Steps:
    address = component.value(_FLAG)
    if address is None or signs.is_loopback(address) or not component.can(_FLAG):
        return
    sign = signs.scraped(component) or signs.probed_from_outside(component)
    if sign is not None:
        text = f"the component serves on {address}, and {sign.text}"
        advice = "set --bind-address=127.0.0.1 once nothing connects from outside; until then close its port to others"
        yield component.finding(text, _FLAG, severity=Severity.LOW, advice=advice)
        return
    basis = Basis.PROVED if component.get(_FLAG) is not None else Basis.INFERRED
    yield component.set(_FLAG, "127.0.0.1", how(component, component.state(_FLAG), basis=basis))
