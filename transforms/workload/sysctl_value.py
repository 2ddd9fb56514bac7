from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate

_SYSCTLS = ("securityContext", "sysctls")
# A value with a plus or an equals sign was split into more settings by pinns of CRI-O (CVE-2022-0811, "cr8escape"), and
# one that begins with a pipe names a program that the kernel starts on the node (core(5)).
_SIGNS = ("+", "=", "|")


@transform(
    each=PodTemplate, stage="seccomp", severity=Severity.HIGH,
    classes=("node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def sysctl_value(pod: PodTemplate) -> Steps:
    """Correct the value of a sysctl.

    Problem: a sysctl of the pod has a value that changes other settings.

    Result: The sysctl holds a plain value.

    Why: a value such as `x+kernel.core_pattern=|/program` set the core_pattern of the node in CRI-O before 1.23.2
    (CVE-2022-0811), so a container could run a program as root on the node.

    May break: nothing, since it only reports.
    """
    for at, setting in enumerate(pod.items(*_SYSCTLS)):
        value = setting.text("value") or ""
        if any(sign in value for sign in _SIGNS):
            text = f"the value of {setting.text('name')} holds a character that makes more settings of it"
            advice = "write a value alone; keep CRI-O at 1.23.2, 1.22.3, 1.21.6 or later"
            yield pod.finding(text, *_SYSCTLS, at, "value", advice=advice, severity=Severity.HIGH)
