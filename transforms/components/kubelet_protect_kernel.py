"""K07: the kubelet does not change the settings of the kernel."""

from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect
from hardener.kubernetes.components.kernel_settings import DROP_IN, INSTALL, NAME
from hardener.tree.control_plane import Component, ComponentFile, ControlPlane, components, how


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM)
def kubelet_protect_kernel(carrier: ControlPlane | ComponentFile) -> Steps:
    """Set protectKernelDefaults.

    Problem: the kubelet starts even with wrong kernel settings.

    Result: The kubelet does not start with kernel settings that differ from what it needs, and changes none of them.

    Why: a drift from the settings of the hardened node image becomes visible; without this the kubelet overwrites it
    silently.

    May break: on a node without these settings the kubelet does not start, often only after the next reboot. Copy the
    sysctl drop-in file that harden writes with the change to every node first.
    """
    for kubelet in components(carrier, "kubelet"):
        written = kubelet.get("protect-kernel-defaults")
        if written == "true" or not (kubelet.is_file or written == "false"):
            continue
        # A forgotten drop-in stops the kubelet; docs/design/decisions.md 11 says why the file itself is changed.
        effect = Effect.WATCHED if kubelet.is_file else Effect.BEYOND
        yield from _one(kubelet, effect)


def _one(kubelet: Component, effect: Effect) -> Steps:
    edits: list[Edit] = []
    why = (kubelet.state("protect-kernel-defaults"), Evidence(f"{NAME} holds what the kubelet asks for"))
    words = how(kubelet, *why, effect=effect, requires=(INSTALL,), impact="kernel-settings")
    for item in kubelet.view.host_file(NAME, DROP_IN, **words.words):
        if isinstance(item, Finding):
            yield item
            return
        edits.append(item)
    yield [*kubelet.set("protect-kernel-defaults", "true", words), *edits]
