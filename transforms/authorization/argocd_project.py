"""K02: what an Argo CD project lets its applications reach."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.addon_views import ArgoProject

_ALL = "*"
_DEFAULT = "default"  # Argo CD makes it so, and it is there in every installation


@transform(each=ArgoProject, stage="authorization", severity=Severity.HIGH, only_reports=True)
def argocd_project(project: ArgoProject) -> Steps:
    """Restrict the Argo CD project.

    Problem: the Argo CD project allows any repository, namespace or cluster-wide kind.

    Result: The Argo CD project names its repositories, its namespaces and its cluster-wide kinds.

    Why: Argo CD usually has administrator rights in the cluster. Whoever may write an Application of a project without
    limits, or push to its repository, can create any object in any namespace.

    May break: nothing, since it only reports: applications whose repository or namespace is not in the list are no
    longer synchronized.
    """
    reach = _destination(project)
    everywhere = reach is not None
    kinds = any(_is_all(entry.text("kind")) for entry in project.items("spec", "clusterResourceWhitelist"))
    sources = _ALL in project.strings("spec", "sourceRepos")
    if not everywhere:
        return
    path = ("spec", "destinations", reach) if reach is not None else ("spec",)
    said = ["deploys to every namespace"]
    said += ["makes every kind of cluster-wide object"] if kinds else []
    said += ["takes manifests from every repository"] if sources else []
    message = f"project {project.object.name} {_joined(said)}"
    advice = (
        "list in spec.destinations the namespaces of its applications, in spec.sourceRepos their repositories, and in "
        "spec.clusterResourceWhitelist the kinds that they need (often only Namespace)"
    )
    severity = Severity.HIGH if kinds or sources else Severity.MEDIUM
    yield project.finding(message, *path, advice=advice, severity=severity)


def _destination(project: ArgoProject) -> int | None:
    """The index of the destination that names every namespace; None where there is none."""
    for at, entry in enumerate(project.items("spec", "destinations")):
        if _is_all(entry.text("namespace")):
            return at
    return None


def _is_all(text: str | None) -> bool:
    return text == _ALL


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
