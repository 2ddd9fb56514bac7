from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, Finding, Severity
from hardener.authoring.transform import WHOLE_IN_FILES, Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.api_use import Need, need, seen_without
from hardener.facts.images.known_image import unknown_image
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.hardened_by_hand import hardened_beside
from hardener.tree.core_views import Object, PodTemplate, ServiceAccount

from ._token import DEFAULT, FIELD, Token, account_says_no, is_of_default


@transform(
    each=PodTemplate | ServiceAccount, stage="token", cis="5.1.6",
    classes=("windows", "node-agent", "control-plane"), options=Token,
    after=("projected-token",),
    peers=(
        "kube-linter:default-service-account", "checkov:CKV_K8S_38", "polaris:automountServiceAccountToken",
        "kubeaudit:allow-automount-service-account-token", "kubescape:C-0034",
    ),
)  # fmt: skip
def automount_token(target: PodTemplate | ServiceAccount, options: Token) -> Steps:
    """Set automountServiceAccountToken: false.

    Problem: an API token is mounted without a sign that it is used.

    Result: A pod that shows no use of the Kubernetes API gets no credential for it.

    Why: a token in the file system of every pod is what an attacker looks for first; with it a bug in one application
    becomes a login to the API server.

    May break: a program that uses the API, in a way that neither the manifests nor their role bindings show, is refused
    by the API server from its next start; so is a pod of another repository that uses the account.
    """
    if isinstance(target, PodTemplate):
        yield from _pod(target, options)
    else:
        yield from _account(target, options)


def _pod(pod: PodTemplate, options: Token) -> Steps:
    mounted = pod.get(FIELD)
    if mounted is False or (mounted is None and account_says_no(pod)):
        return
    shown = need(pod)
    if shown.evidence and not (is_of_default(pod, shown) and _is_needless(pod, shown)):
        if is_of_default(pod, shown):
            yield _of_default(pod, shown)
        return
    yield from _taken(pod, options, mounted, shown)


def _taken(pod: PodTemplate, options: Token, mounted: object, shown: Need) -> Steps:
    named = any(state.service_account != DEFAULT for state in states(pod))
    if named and (options.accounts == DEFAULT or pod.tree.stream):
        message = f"a token of service account {pod.service_account} is mounted"
        if pod.tree.stream and options.accounts != DEFAULT:
            message += "; a stream does not show what it may do"
            advice = f"set {FIELD}: false if the pod does not use the API; or {WHOLE_IN_FILES}"
        else:
            message += ", and nothing shows that the pod uses it"
            advice = f"set {FIELD}: false if the pod does not use the API"
        yield pod.finding(message, *([FIELD] if pod.has(FIELD) else []), advice=advice, severity=Severity.LOW)
        return
    found = verdict(
        against=_meant(pod) if mounted is not None else (),
        known=[*_unused(pod, shown), *seen_without(pod)],
        doubts=_doubts(pod, named, mounted),
    )
    yield pod.set(FIELD, to=False, **found.words)


def _unused(pod: PodTemplate, shown: Need) -> list[Evidence]:
    if shown.bound:
        return [fact for container in pod.containers if (fact := shown.none_of(container)) is not None]
    return [Evidence("nothing in the pod uses the Kubernetes API, and no binding names its account")]


def _is_needless(pod: PodTemplate, shown: Need) -> bool:
    """Whether each of its containers is known to make no use of the API."""
    return all(shown.none_of(container) is not None for container in pod.containers)


def _of_default(pod: PodTemplate, shown: Need) -> Finding:
    """Rights of an account that many run as say nothing of this pod: its token is left as it is."""
    text = f"every container keeps its default token for the API: {shown.bound[0].text}"
    text += f", {DEFAULT}, and nothing shows whether this pod uses its rights"
    advice = f"give the workload that uses them an account of its own, and set {FIELD}: false in the others"
    return pod.finding(text, *([FIELD] if pod.has(FIELD) else []), advice=advice, severity=Severity.LOW)


def _meant(pod: PodTemplate) -> list[Evidence]:
    """Why a token that is asked for by name is meant: a person hardened the containers that get it."""
    return list({fact.text: fact for each in pod.containers for fact in hardened_beside(each)}.values())


def _doubts(pod: PodTemplate, named: bool, mounted: object) -> Iterator[Evidence]:
    if named:
        state = next(state for state in states(pod) if state.service_account != DEFAULT)
        text = f"service account {state.service_account} may be bound in another repository"
        yield state.fact(text, "serviceAccountName" if state.has("serviceAccountName") else "serviceAccount")
    if mounted is not None:
        yield pod.fact(f"the manifest asks for the token ({FIELD}: true)", FIELD)
    if "node-agent" in pod.classes:
        yield Evidence(f"agents of a node often use the API ({pod.classes['node-agent']})")
    shown = need(pod)
    yield from shown.maybe
    yield from shown.bound[:1]
    unknown = (unknown_image(container) for container in pod.containers if shown.none_of(container) is None)
    yield from [fact for fact in unknown if fact is not None][:1]


def _account(account: ServiceAccount, options: Token) -> Steps:
    """An account whose pods all say for themselves whether they want its token, and that has no rights, keeps it back;
    of any other it is said where it asks for its token by name."""
    item = account.object
    written = account.get(FIELD)
    if written is False:
        return
    accounts = account.tree.ask(ServiceAccounts)
    pods = accounts.pods(item)
    open_ones: list[Object] = [pod.object for pod in pods if not pod.has(FIELD)]
    open_ones += accounts.others(item)
    more = f" and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
    looked_at = not account.tree.stream and (options.accounts != DEFAULT or item.name == DEFAULT)
    if not looked_at or not pods or accounts.rights(item):
        if written is True:
            relying = f": {open_ones[0]}{more}" if open_ones else f", and no {'other ' * bool(pods)}pod of it is shown"
            text = f"service account {item.name} mounts its token in every pod that does not set {FIELD}{relying}"
            advice = f"set {FIELD}: false here, and true in its pods that use the API"
            yield account.finding(text, FIELD, advice=advice, severity=Severity.LOW)
        return
    if open_ones:
        path = (FIELD,) if account.has(FIELD) else ()
        text = (
            f"service account {item.name} mounts its token in every pod that does not set {FIELD}; not changed:"
            f" {open_ones[0]}{more} may need it"
        )
        advice = f"set {FIELD} in each such pod, then false here"
        yield account.finding(text, *path, advice=advice, severity=Severity.LOW)
        return
    count = "its only pod" if len(pods) == 1 else f"each of its {len(pods)} pods"
    known = Evidence(f"{count} in the tree sets {FIELD} itself, and no binding names the account")
    unseen = Evidence("a pod outside the tree that uses this account gets no token any more")
    yield account.set(FIELD, to=False, **verdict(known=[known], doubts=[unseen]).words)
