from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Grade
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate, View

from ._need import pod_needs

_PROFILE = ("securityContext", "appArmorProfile")
_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


# RuntimeDefault is never written: a kubelet without AppArmor rejects the pod, and where there is AppArmor it is the
# default anyway (VictoriaMetrics/operator#1120, rancher/rke2#483).
@transform(
    each=PodTemplate, stage="seccomp", pss="baseline", after=("seccomp-runtime-default",),
    peers=("polaris:linuxHardening", "kubeaudit:allow-disabled-apparmor"),
)  # fmt: skip
def apparmor_profile(pod: PodTemplate) -> Steps:
    """AppArmor confines every container where the node has it.

    Why: the profile of the container runtime refuses mounts, writes to the kernel's settings and the tracing of other
    processes, which break-outs are made of.

    May break: what mounts file systems or traces processes is refused on nodes with AppArmor.
    """
    weak = [view for view in (pod, *pod.containers) if view.get(*_PROFILE, "type") == "Unconfined"]
    keys = [key for key in pod.metadata.keys("annotations") if key.startswith(_ANNOTATION)]
    keys = [key for key in keys if pod.metadata.text("annotations", key) == "unconfined"]
    if not weak and not keys:
        return
    # Fields and annotations in one step: where they differ, the API server refuses the Pod.
    against = pod_needs(pod)
    grade, basis = (Grade.BREAKING, Basis.INFERRED) if against else (Grade.REVIEW, Basis.ASSUMED)
    evidence = against or [Evidence("unconfined is written, and no need of it shows in the manifest")]
    for view in weak:
        path = _PROFILE if len(view.keys("securityContext")) > 1 else _PROFILE[:1]
        yield view.drop(*path, grade=grade, basis=basis, evidence=evidence)
    yield from _without(pod.metadata, keys, grade, basis, evidence)


def _without(metadata: View, keys: list[str], grade: Grade, basis: Basis, evidence: list[Evidence]) -> Iterator[Edit]:
    whole = len(keys) == len(metadata.keys("annotations"))
    for path in [("annotations",)] if keys and whole else [("annotations", key) for key in keys]:
        yield metadata.drop(*path, grade=grade, basis=basis, evidence=evidence)
