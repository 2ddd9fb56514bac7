from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.kustomize.overlays.states import states
from hardener.tree.core_views import PodTemplate

_OLD, _NEW = "serviceAccount", "serviceAccountName"


@transform(
    each=PodTemplate, stage="token", severity=Severity.LOW, classes=("windows", "node-agent", "control-plane"),
    any_image=True,
)  # fmt: skip
def service_account_field(pod: PodTemplate) -> Steps:
    """Rename serviceAccount to serviceAccountName.

    Problem: the pod names its service account in the deprecated field.

    Result: The pod names its service account in serviceAccountName.

    Why: many tools and policies do not read the old field serviceAccount, so they show the rights of another account
    than the one that the pod has.

    May break: nothing in Kubernetes, which treats both fields as one; a patch that names the old field has to name the
    new one.
    """
    old = pod.get(_OLD)
    if not pod.has(_OLD):
        return
    other = next((state for state in states(pod) if state.text(_OLD) != pod.text(_OLD)), None)
    if other is not None:
        text = f"the account is named in {_OLD}, the old name of {_NEW}, and a kustomization patches that field"
        advice = f"rename it to {_NEW} here and in the patch, at the same time"
        yield pod.finding(text, _OLD, advice=advice, severity=Severity.LOW)
        return
    new = pod.get(_NEW)
    if old in ("", new):
        known = pod.fact(f"{_NEW} says the same", _NEW) if old else Evidence("it names no account")
        yield pod.drop(_OLD, **verdict(known=[known], basis=Basis.PROVED).words)
    elif new:
        known = pod.fact(f"{_NEW} is {new}, and Kubernetes reads it before {_OLD}", _NEW)
        yield pod.drop(_OLD, **verdict(known=[known], effect=Effect.WATCHED, basis=Basis.PROVED).words)
    else:
        known = Evidence(f"Kubernetes reads {_OLD} as {_NEW} where that is not set")
        same = verdict(known=[known], basis=Basis.PROVED)
        yield pod.set(_NEW, to=old, **same.words)
        yield pod.drop(_OLD, **same.words)
