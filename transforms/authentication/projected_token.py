from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.api_use import STANDARD_PATH, Need, Strength, has_token, need
from hardener.facts.cluster.platforms import Platforms
from hardener.tree.core_views import Container, PodTemplate

from ._token import DEFAULT, FIELD, HOUR, Token, account_says_no, is_of_default, seconds_of, sources

_VOLUME = "kube-api-access"  # as the API server calls its own, which ends in random letters


@transform(
    each=PodTemplate, stage="token", severity=Severity.LOW, cis="5.1.6",
    classes=("windows", "node-agent", "control-plane"),
    options=Token,
    peers=(
        "kube-linter:default-service-account", "checkov:CKV_K8S_38", "polaris:automountServiceAccountToken",
        "kubeaudit:allow-automount-service-account-token", "kubescape:C-0034",
    ),
)  # fmt: skip
def projected_token(pod: PodTemplate, options: Token) -> Steps:
    """Mount the API token only where it is needed.

    Problem: the pod mounts its API token in every container.

    Result: Only the containers that may need the API token mount it.

    Why: every container gets the default token, even one that parses untrusted input. The API server accepts it for a
    year, so that clients which read it once keep working. The new token expires after an hour if its clients are known
    to read it again, or with `token.expiration: hour`. For other clients harden asks for 3607 seconds, which the API
    server extends to a year, too.

    May break: where the token expires after an hour, a client that reads it only once is refused then. Where other
    containers of the pod are known to use the API, a container that uses it without a sign of it finds no token.
    """
    mounted = pod.get(FIELD)
    if mounted is False or (mounted is None and account_says_no(pod)):
        return
    found = need(pod)
    if found.strength is Strength.NONE or is_of_default(pod, found):  # automount-token speaks of the latter
        return
    if all(map(has_token, pod.containers)):
        return  # by hand; nothing is mounted beside it
    if found.tokens or found.injected:
        reason = [*found.tokens, *found.injected][0].text
        text = f"every container keeps its default token for the API: {reason}"
        advice = _advice(found) if found.injected else f"set {FIELD}: false if nothing else uses the API"
        yield pod.finding(text, *([FIELD] if pod.has(FIELD) else []), severity=Severity.LOW, advice=advice)
        return
    yield from _edits(pod, found, options)


def _advice(found: Need) -> str:
    if not found.instead:
        return "give its account no more rights than that work needs"
    return f"{found.instead}; then set {FIELD}: false"


def _edits(pod: PodTemplate, found: Need, options: Token) -> Steps:
    basis = Basis.PROVED if found.strength is Strength.PROVED else Basis.INFERRED
    users = _users(pod, found, options)
    seconds, doubt = seconds_of(users, options)
    left_out = [_why_not(container, found) for container in pod.containers if container not in users]
    late = doubt if seconds == HOUR else []
    off = verdict(known=[*found.evidence, *left_out], doubts=late, effect=Effect.WATCHED, basis=basis)
    yield pod.set(FIELD, to=False, late=bool(late), **off.words)
    if pod.kind == "Pod" and not (pod.get("serviceAccountName") or pod.get("serviceAccount")):
        reason = Evidence("the API server refuses a projected token in a Pod that names no account")
        yield pod.set("serviceAccountName", to=DEFAULT, **off.along(reason).words)
    name = _free_name(pod)
    mount = {"name": name, "mountPath": STANDARD_PATH, "readOnly": True}
    for container in users:
        uses = verdict(known=_why(container, found), effect=Effect.WATCHED, basis=basis)
        yield container.append("volumeMounts", value=mount, **uses.words)
    projected = {"sources": sources(seconds, pod.tree.ask(Platforms).of(pod.object))}
    shown = verdict(known=found.evidence[:1], doubts=doubt, effect=Effect.WATCHED, basis=basis)
    yield pod.append("volumes", value={"name": name, "projected": projected}, **shown.words)


def _users(pod: PodTemplate, found: Need, options: Token) -> list[Container]:
    """The containers that get the token: those that show use, and with them those that may use what the account is
    bound to; all of them where that is nobody."""
    shown = [container for container in pod.containers if found.of(container)]
    possible = [container for container in pod.containers if found.none_of(container) is None]
    if shown and (options.containers == "shown" or not found.bound):
        return shown
    return possible or list(pod.containers)


def _why(container: Container, found: Need) -> list[Evidence]:
    return found.of(container) or [
        Evidence(f"nothing shows whether container {container.name} uses the rights of its account")
    ]


def _why_not(container: Container, found: Need) -> Evidence:
    return found.none_of(container) or Evidence(
        f"container {container.name} shows no use of the API, so it gets no token"
    )


def _free_name(pod: PodTemplate) -> str:
    taken = {volume.text("name") for volume in pod.items("volumes")}
    if pod.kind.endswith("StatefulSet"):
        taken |= {claim.text("metadata", "name") for claim in pod.object.items("spec", "volumeClaimTemplates")}
    return next(name for number in range(1, 10_000) if (name := _numbered(number)) not in taken)


def _numbered(number: int) -> str:
    return _VOLUME if number == 1 else f"{_VOLUME}-{number}"
