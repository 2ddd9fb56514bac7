from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import ConfigMap
from hardener.kubernetes.secrets.secret_values import SecretClass, classify
from hardener.tree.core_views import PodTemplate, Secret

from ._values import is_credential, values_of

_ACTS = (SecretClass.SECRET, SecretClass.WEAK)


@transform(
    each=ConfigMap | Secret | PodTemplate, stage="secrets", severity=Severity.HIGH,
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def secret_git_history(target: ConfigMap | Secret | PodTemplate) -> Steps:
    """Replace credentials that were in Git.

    Problem: a credential of the object is in the Git history.

    Result: The credential is new and was never in Git.

    Why: removing it from the file leaves it in every earlier commit, in every clone, and in every backup of them.

    May break: nothing, since it only reports: only the owner of the service that checks the credential can replace it.
    """
    if _holds(target):
        yield target.finding(
            "the file holds credentials; the Git history keeps them after their removal",
            advice="replace each of them where it is checked, and revoke the old value",
            severity=Severity.HIGH,
            once=target.object.piece.file.name,
            topic="file with credentials in the Git history",
        )


def _holds(target: ConfigMap | Secret | PodTemplate) -> bool:
    if isinstance(target, Secret):
        return any(is_credential(key, value) for key, value in (values_of(target) or {}).items())
    if isinstance(target, ConfigMap):
        return any(_is_one(key, target.text("data", key)) for key in target.keys("data"))
    return any(
        _is_one(entry.text("name"), entry.text("value"))
        for container in target.containers
        for entry in container.items("env")
    )


def _is_one(name: str | None, value: str | None) -> bool:
    return bool(name and value) and classify(name or "", value)[0] in _ACTS
