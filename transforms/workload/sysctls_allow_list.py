from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.kubernetes.pod_security import allowed_sysctls
from hardener.support.data_path import Path
from hardener.tree.core_views import PodTemplate

_SYSCTLS = ("securityContext", "sysctls")


@transform(each=PodTemplate, stage="seccomp", pss="baseline", peers=("kube-linter:unsafe-sysctls",))
def sysctls_allow_list(pod: PodTemplate) -> Steps:
    """Remove unsafe sysctls.

    Problem: the pod sets an unsafe sysctl.

    Result: The pod sets only safe sysctls.

    Why: a sysctl that is not namespaced changes the node for all pods, or gives the pod kernel resources that no limit
    covers.

    May break: the kubelet allows an unsafe sysctl only with a flag, so somebody set it on purpose; without it the
    program runs with the node's value.
    """
    sysctls = pod.items(*_SYSCTLS)
    allowed = allowed_sysctls(pod.tree.settings.kubernetes_version)
    names = [sysctl.get("name") for sysctl in sysctls]
    unsafe = [index for index, name in enumerate(names) if name not in allowed]
    if not unsafe:
        return
    gone: list[Path] = [(*_SYSCTLS, index) for index in unsafe]
    if len(unsafe) == len(sysctls):
        gone = [_SYSCTLS] if len(pod.keys("securityContext")) > 1 else [_SYSCTLS[:1]]
    meant = [
        sysctls[index].fact(
            f"{names[index]} is set, and works only where the kubelet allows it (--allowed-unsafe-sysctls)", "name"
        )
        for index in unsafe
    ]
    for path in gone:
        yield pod.drop(*path, **verdict(against=meant).words)
