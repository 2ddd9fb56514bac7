"""The addresses of a node at which pods get the credentials of a cloud that are meant for them.

Sources: Google Kubernetes Engine, "Network policy and Workload Identity Federation" (Dataplane V1 rewrites the address
before policies are asked, V2 after); Amazon EKS, "Set up the Amazon EKS Pod Identity Agent".
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.network.network_policies import Isolation
from hardener.tree.core_views import OpaqueError, PodTemplate

_GKE = (("169.254.169.252/32", (987, 988)), ("169.254.169.254/32", (80, 8080)))
_EKS = "169.254.170.23/32"


def metadata_rules(pods: list[PodTemplate], *, closed: bool) -> Iterator[tuple[str, tuple[int, ...], Evidence]]:
    """Addresses, ports and why; ``closed`` tells that no other rule opens link-local addresses."""
    for pod in pods:
        identities = pod.tree.ask(Isolation).identities
        if not identities.are_there:
            return
        try:
            gke, eks = identities.gke(pod), identities.eks(pod)
        except (OpaqueError, WrongShapeError):
            continue
        if gke is not None:
            for address, ports in _GKE:
                yield address, ports, gke
        if eks is not None and closed:
            yield _EKS, (80,), eks
