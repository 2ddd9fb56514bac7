from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.api_use import STANDARD_PATH
from hardener.tree.core_views import PodTemplate

# What people write who mean the API server, which takes its issuer for its audience unless it is told another.
_MEANT = frozenset({"api-server", "apiserver", "kube-apiserver"})
_FLAGS = ("api-audiences", "service-account-issuer")
_SOURCE = "serviceAccountToken"


@transform(
    each=PodTemplate,
    stage="authentication",
    severity=Severity.MEDIUM,
    classes=("windows", "node-agent", "control-plane"),
)
def sa_token_audience(pod: PodTemplate) -> Steps:
    """Set the audience of the API server.

    Problem: the token has an audience that the API server refuses.

    Result: The token has an audience that the API server accepts.

    Why: the API server accepts only tokens issued for its own audience; another one makes the token useless for it, and
    the pod falls back to a token with more rights or a longer lifetime.

    May break: a service of this name that is not an API server, and checks its callers' tokens for this audience.
    """
    for volume in pod.items("volumes"):
        for source in volume.items("projected", "sources"):
            audience = source.get(_SOURCE, "audience")
            if audience not in _MEANT or audience in _audiences(pod):
                continue
            fact = source.fact(f"no API server of the tree has the audience {audience}", _SOURCE, "audience")
            takes = Evidence("without an audience the token is for the API server, whatever its name")
            found = verdict(known=[fact, takes], effect=Effect.WATCHED)
            yield source.drop(_SOURCE, "audience", **found.words)
            if not source.has(_SOURCE, "path"):
                refused = Evidence("the API server refuses a projected token without the name of its file")
                yield source.set(_SOURCE, "path", to="token", **found.along(refused, basis=Basis.INFERRED).words)
            yield from _place(pod, volume.text("name"))


def _audiences(pod: PodTemplate) -> set[str]:
    """The audiences that API servers of the tree take for theirs."""
    from hardener.tree.control_plane import components, control_planes  # late: hardly a pod names such an audience

    return {
        entry
        for carrier in control_planes(pod.tree)
        for server in components(carrier, "kube-apiserver")
        for flag in _FLAGS
        for entry in server.entries(flag)
    }


def _place(pod: PodTemplate, volume: str | None) -> Steps:
    """A word about where clients look for the token, where it stands elsewhere."""
    for container in pod.containers:
        for index, mount in enumerate(container.items("volumeMounts")):
            where = mount.text("mountPath") or ""
            if mount.text("name") == volume and where.rstrip("/") != STANDARD_PATH:
                text = f"the token for the API server is mounted at {where}, where clients do not look for it"
                advice = (
                    f"mount it at {STANDARD_PATH}, with ca.crt of ConfigMap kube-root-ca.crt and the"
                    " namespace (downwardAPI, metadata.namespace) beside it, unless the program reads it from there"
                )
                yield container.finding(text, "volumeMounts", index, "mountPath", severity=Severity.LOW, advice=advice)
