from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate

_USER = ("securityContext", "windowsOptions", "runAsUserName")
# Source: learn.microsoft.com/virtualization/windowscontainers/manage-containers/container-security: this user may do
# everything in its container, and the API server refuses it beside runAsNonRoot.
_ADMINISTRATORS = frozenset(
    {"containeradministrator", "nt authority\\system", "administrator", "builtin\\administrator"}
)
_HOST_PROCESS = ("securityContext", "windowsOptions", "hostProcess")


@transform(
    each=PodTemplate, stage="user", severity=Severity.MEDIUM, classes=("windows",), only_reports=True,
)  # fmt: skip
def windows_administrator(pod: PodTemplate) -> Steps:
    """Set an ordinary user for Windows containers.

    Problem: a Windows container of the pod runs as administrator.

    Result: The Windows container runs as an ordinary user.

    Why: ContainerAdministrator can change everything in the container, including services and the registry, which is
    the first step of an escape.

    May break: nothing, since it only reports: programs that install services or write outside of their folders need it.
    """
    if pod.get(*_HOST_PROCESS) is True:
        return  # no-host-process has its say
    for view in (pod, *pod.containers):
        name = view.get(*_USER)
        if isinstance(name, str) and name.strip().lower() in _ADMINISTRATORS:
            text = f"runAsUserName is {name}, the administrator of the container"
            advice = "write ContainerUser, and give it the folders that it writes to in the build of the image"
            yield view.finding(text, *_USER, advice=advice)
