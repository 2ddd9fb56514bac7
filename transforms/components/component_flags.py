from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table, components, unread

_GONE = {"v1beta2": "1.27", "v1beta3": "1.36"}


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, only_reports=True)
def component_flags(carrier: ControlPlane) -> Steps:
    """Correct insecure component flags.

    Problem: the component has a flag that is insecure or about to be removed.

    Result: Components use certificates between each other, and later versions can read their configuration.

    Why: without certificates anybody on the network path can read requests or answer them. Only the owner of the
    component knows the paths of its certificates, and a wrong path keeps it from starting.

    May break: nothing, since it only reports.
    """
    yield from by_table(carrier, "component-flags")
    for component in components(carrier):
        for name in dict.fromkeys(place.name for place in component.repeated()):
            text = f"--{name} is set more than once, and only the last one counts"
            yield component.finding(text, name, severity=Severity.LOW, advice="remove the others")
    for name, container, weak in unread(carrier):
        holds = f"; the text holds {', '.join(weak)}" if weak else ""
        text = f"{name}: harden cannot read its flags, since a shell, a wrapper or the image starts it{holds}"
        advice = f"write command: [{name}, --flag=value, ...], so that its flags can be read and corrected"
        yield container.finding(text, severity=Severity.HIGH if weak else Severity.LOW, advice=advice)
    if carrier.object.group == "kubeadm.k8s.io" and carrier.object.api_version.endswith(("v1beta2", "v1beta3")):
        version = carrier.object.api_version.rpartition("/")[2]
        text = f"kubeadm {version} is no longer read from Kubernetes {_GONE[version]} on"
        advice = "kubeadm config migrate --old-config OLD --new-config NEW, with a kubeadm that still reads both"
        yield carrier.finding(text, "apiVersion", advice=advice, severity=Severity.LOW)
