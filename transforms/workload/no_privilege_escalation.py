from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.images.container_commands import every_word, own_command, spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.pods.capabilities import plain
from hardener.kubernetes.pods.command_evidence import setuid_commands
from hardener.tree.core_views import Container

from ._file_capabilities import has_no_privileged, lost_without_raising, may_serve_low_ports, raisers, within_reach
from ._grounds import assumption
from ._need import explicit_evidence, while_privileged, written_root
from ._user import final_user, is_guess

_FIELD = ("securityContext", "allowPrivilegeEscalation")
_PRIVILEGED = ("securityContext", "privileged")
_ADDED = ("securityContext", "capabilities", "add")


@transform(
    each=Container, stage="capabilities", pss="restricted", cis="5.2.6",
    classes=("node-agent", "control-plane", "partial"), after=("drop-capabilities",),
    peers=(
        "kube-linter:privilege-escalation-container", "checkov:CKV_K8S_20", "polaris:privilegeEscalationAllowed",
        "kubeaudit:allow-privilege-escalation", "kubescape:C-0016",
    ),
)  # fmt: skip
def no_privilege_escalation(container: Container) -> Steps:
    """Set allowPrivilegeEscalation: false.

    Problem: {container} can gain more privileges than it starts with.

    Result: No process of the container can gain more privileges than it starts with.

    Why: with no_new_privs set, an intruder cannot become root through a setuid program or a file capability of the
    image.

    May break: sudo, su, cron daemons and older builds of ping raise their privileges and fail.
    """
    written = container.get(*_FIELD)
    # The API server refuses the pair of false with either of the two.
    if container.privileged:
        advice = "remove privileged if the container runs without it; no-privileged says what needs it"
        yield container.finding(while_privileged(container), *_PRIVILEGED, severity=Severity.LOW, advice=advice)
    elif written is False:
        return
    elif _is_administrator(container):
        text = "its processes may raise their privileges while it adds SYS_ADMIN"
        advice = "remove SYS_ADMIN, then set allowPrivilegeEscalation: false"
        yield container.finding(text, *_ADDED, advice=advice, severity=Severity.LOW)
    else:
        yield container.set(*_FIELD, to=False, **_judged(container).words)


def _judged(container: Container) -> Verdict:
    """Return how sure it is that no process of ``container`` has to raise its privileges."""
    written = container.get(*_FIELD)
    against = list(signs(container, _needs))
    if written is not None:  # what is written may be meant
        against = list({fact.text: fact for fact in (*against, *explicit_evidence(container))}.values())
    user = final_user(container)
    may_need = list(signs(container, _may_need)) if not against else []
    nothing = [] if against or may_need else [Evidence("nothing in its commands raises privileges")]
    doubts = [*may_need]
    if written is not None:
        doubts.append(container.fact("the manifest says true", *_FIELD))
    if user != "non-root":
        doubts.append(Evidence("its user is root" if user == "root" else "its user is not known"))
    if sign := container.pod.classes.get("node-agent"):
        doubts.append(Evidence(sign))
    if nothing and user == "non-root" and (assumed := assumption(container)) is not None:
        doubts.append(assumed)
    return verdict(against=against, known=nothing, unknown=_meant_with_root(container), doubts=doubts)


def _meant_with_root(container: Container) -> list[Evidence]:
    """Return that true is written beside root, where only who wrote both knows what the image needs; [] if not so."""
    is_written = container.get(*_FIELD) is not None and any(signs(container, written_root))
    if not is_written or not is_guess(container):
        return []
    return [container.fact("true and root are written, and what its image needs is not known", *_FIELD)]


def _is_administrator(container: Container) -> bool:
    added = container.strings(*_ADDED)
    return any(plain(name) == "SYS_ADMIN" for name in added)


def _needs(container: Container) -> Iterator[Evidence]:
    if (uses_setuid := known_image(container).uses_setuid) is not None:
        yield uses_setuid.fact(container, None if uses_setuid.text else "it uses setuid programs")
    files = known_image(container).files
    if files is not None:
        for path in files.value.raised(every_word(container), own_command=own_command(container)):
            yield files.fact(container, f"it runs {path}, which is setuid root")
    yield from lost_without_raising(container)
    for name, speaker in spoken(container, setuid_commands, probes=True):
        if not name.startswith("ping") or not has_no_privileged(container, name):
            yield speaker.says(f"runs {name}")


def _may_need(container: Container) -> Iterator[Evidence]:
    yield from may_serve_low_ports(container)
    yield from within_reach(container)
    yield from raisers(container)
