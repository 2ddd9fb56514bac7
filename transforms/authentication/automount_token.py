from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.api_use import api_use
from hardener.declare import Steps, transform
from hardener.edits import Basis, Evidence, Finding, Grade, Severity
from hardener.errors import HardenError
from hardener.views import PodTemplate

_FIELD = "automountServiceAccountToken"
_LINKERD = "linkerd.io/inject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Whose token goes: that of the ``default`` account only, or of ``all`` accounts."""

    GROUP: ClassVar[str] = "token"
    accounts: str = "all"

    def __post_init__(self) -> None:
        if self.accounts not in ("all", "default"):
            raise HardenError(f"token.accounts: {self.accounts} is neither all nor default")


@transform(each=PodTemplate, stage="token", cis="5.1.6", classes=("windows",), options=Token)
def automount_token(pod: PodTemplate, options: Token) -> Steps:
    """A pod that shows no use of the Kubernetes API gets no credential for it.

    Why: a token in the file system of every pod is what an attacker looks for first; with it a bug in one application
    becomes a login to the API server.

    May break: a program that uses the API, in a way that neither the manifests nor their role bindings show, is refused
    by the API server from its next start.
    """
    mounted = pod.get(_FIELD)
    if mounted is False or (mounted is None and _account_says_no(pod)):
        return
    used = api_use(pod)
    if used:
        yield _finding(
            pod, f"every container gets a token for the API: {used[0].text}",
            "mount a projected token of one hour, only in the containers that use the API",
        )  # fmt: skip
        return
    named = pod.service_account != "default"
    if named and options.accounts == "default":
        yield _finding(
            pod, f"a token of service account {pod.service_account} is mounted, and nothing shows that it is used",
            f"set {_FIELD}: false unless it is",
        )  # fmt: skip
        return
    if named and pod.tree.stream:
        yield _finding(
            pod, f"a token of service account {pod.service_account} is mounted; a stream does not show what it may do",
            f"run harden apply on the tree, or set {_FIELD}: false if it does not use the API",
        )  # fmt: skip
        return
    doubts = _doubts(pod, named, mounted)
    yield pod.set(
        _FIELD, to=False, grade=Grade.REVIEW if doubts else Grade.SAFE, basis=Basis.INFERRED,
        evidence=[Evidence("nothing in the pod uses the Kubernetes API, and no binding names its account"), *doubts],
    )  # fmt: skip


def _doubts(pod: PodTemplate, named: bool, mounted: object) -> list[Evidence]:
    found = []
    if named:
        text = f"service account {pod.service_account} may be bound in another repository"
        key = "serviceAccountName" if pod.has("serviceAccountName") else "serviceAccount"
        found.append(pod.fact(text, key))
    if mounted is not None:
        found.append(pod.fact("the token is asked for by name", _FIELD))
    if pod.metadata.text("annotations", _LINKERD) in ("enabled", "ingress"):
        text = "Linkerd before 2.12 logs in with this token"
        found.append(pod.metadata.fact(text, "annotations", _LINKERD))
    return found


def _account_says_no(pod: PodTemplate) -> bool:
    accounts = pod.tree.relations.service_accounts.get(pod.service_account, [])
    return any(account.get(_FIELD) is False for account in accounts if pod.tree.builds.meet(account, pod.object))


def _finding(pod: PodTemplate, message: str, advice: str) -> Finding:
    path = (_FIELD,) if pod.has(_FIELD) else ()
    return pod.finding(message, *path, advice=advice, severity=Severity.LOW)
