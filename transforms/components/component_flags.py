from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, by_table, components, unread

_GONE = {"v1beta2": "1.27", "v1beta3": "1.36"}


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, only_reports=True)
def component_flags(carrier: ControlPlane) -> Steps:
    """Components talk to each other with certificates, and their configuration has a future.

    Why: without certificates whoever is on the way reads or answers; with a wrong path a component does not start,
    so only its owner can name the files.

    May break: nothing, since it only reports.
    """
    yield from by_table(carrier, "component-flags")
    for component in components(carrier):
        for name in dict.fromkeys(place.name for place in component.repeated()):
            yield component.finding(
                f"--{name} is written more than once, and only the last one holds", name, severity=Severity.LOW,
                advice="take the others out, so that nobody reads them for what holds",
            )  # fmt: skip
    for name, container, weak in unread(carrier):
        holds = f"; the text holds {', '.join(weak)}" if weak else ""
        yield container.finding(
            f"{name}: its flags are not read, since a shell, a wrapper or the image starts it{holds}",
            severity=Severity.HIGH if weak else Severity.LOW,
            advice=f"write command: [{name}, --flag=value, ...], so that its flags can be told and corrected",
        )  # fmt: skip
    if carrier.object.group == "kubeadm.k8s.io" and carrier.object.api_version.endswith(("v1beta2", "v1beta3")):
        version = carrier.object.api_version.rpartition("/")[2]
        yield carrier.finding(
            f"kubeadm {version} is not read any more from Kubernetes {_GONE[version]} on", "apiVersion",
            advice="kubeadm config migrate --old-config OLD --new-config NEW, with a kubeadm that still reads both",
            severity=Severity.LOW,
        )  # fmt: skip
