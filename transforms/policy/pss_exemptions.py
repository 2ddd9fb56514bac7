"""K04: exemptions that void Pod Security."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import AdmissionFile
from hardener.support.data_path import Path
from hardener.tree.view import View

_PLUGIN = "PodSecurity"
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
# Accounts that make pods for everybody: an exemption of one exempts all pods of its workloads. Source:
# kubernetes.io/docs/concepts/security/pod-security-admission, Exemptions.
_CONTROLLERS = "system:serviceaccount:kube-system:"
_ORDINARY_RUNTIMES = frozenset({"runc", "crun", "default"})


@transform(each=AdmissionFile, stage="policy", severity=Severity.HIGH, cis="5.2.1", only_reports=True)
def pss_exemptions(target: AdmissionFile) -> Steps:
    """Remove broad Pod Security exemptions.

    Problem: Pod Security exempts callers or namespaces that start pods for others.

    Result: Pod Security exempts nobody who makes pods for others.

    Why: an exempt user, runtime class or namespace is never checked. A controller makes the pods of every Deployment,
    and the ordinary runtime class starts any pod: if one of them is exempt, no level has an effect.

    May break: nothing, since it only reports: pods that need the exemption are refused without it.
    """
    for path, found in _configurations(target):
        yield from _weighed(target, found, (*path, "exemptions"))


def _configurations(target: AdmissionFile) -> Iterator[tuple[Path, View]]:
    if target.object.kind == "PodSecurityConfiguration":
        yield (), target
        return
    for at, plugin in enumerate(target.items("plugins")):
        if plugin.text("name") == _PLUGIN and plugin.has("configuration"):
            yield ("plugins", at, "configuration"), plugin.view("configuration")


def _weighed(target: View, configuration: View, path: Path) -> Iterator[Finding]:
    exempt = configuration.view("exemptions")
    for at, name in enumerate(exempt.strings("usernames")):
        if name.startswith(_CONTROLLERS):
            controller = name.removeprefix(_CONTROLLERS)
            message = f"Pod Security exempts {controller}, which makes the pods of every namespace: no level holds"
            advice = "remove it; exempt a namespace where some pods need more"
            yield target.finding(message, *path, "usernames", at, advice=advice, severity=Severity.HIGH)
    for at, name in enumerate(exempt.strings("runtimeClasses")):
        if name in _ORDINARY_RUNTIMES:
            message = f"Pod Security exempts runtime class {name}, by which any pod is started: no level holds"
            advice = "remove it; exempt only runtime classes that isolate by themselves, such as a virtual machine"
            yield target.finding(message, *path, "runtimeClasses", at, advice=advice, severity=Severity.HIGH)
    for at, name in enumerate(exempt.strings("namespaces")):
        if name not in _SYSTEM:
            message = f"Pod Security exempts namespace {name}: none of its pods is checked"
            advice = "remove it, and label the namespace with the level that its pods reach"
            yield target.finding(message, *path, "namespaces", at, advice=advice, severity=Severity.MEDIUM)
