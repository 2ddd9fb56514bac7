from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hardener.authoring.edits import Basis, Evidence, Grade
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.container_commands import every_word, own_command, spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.capabilities import plain
from hardener.kubernetes.command_evidence import setuid_commands
from hardener.tree.core_views import Container

from ._file_capabilities import has_no_privileged, lost_without_raising, may_serve_low_ports, raisers, within_reach
from ._need import root_evidence
from ._user import final_user

_FIELD = ("securityContext", "allowPrivilegeEscalation")


@transform(
    each=Container, stage="capabilities", pss="restricted", cis="5.2.6", classes=("node-agent", "partial"),
    after=("drop-capabilities",),
    peers=(
        "kube-linter:privilege-escalation-container", "checkov:CKV_K8S_20", "polaris:privilegeEscalationAllowed",
        "kubeaudit:allow-privilege-escalation", "kubescape:C-0016",
    ),
)  # fmt: skip
def no_privilege_escalation(container: Container) -> Steps:
    """A process cannot raise itself above the privileges it starts with.

    Why: with no_new_privs set, a setuid program or a file capability in the image is no way from a broken-in service
    to root.

    May break: sudo, su, cron daemons and older builds of ping raise their privileges and fail.
    """
    written = container.get(*_FIELD)
    # The API server refuses the pair of false with either of the two.
    if written is False or container.privileged or _is_administrator(container):
        return
    against = list(signs(container, partial(_needs, written=written)))
    user = final_user(container)
    doubts = list(signs(container, _may_need)) if not against else []
    evidence = against or doubts or [Evidence("nothing in its commands raises privileges")]
    if written is not None:
        evidence = [*evidence, container.fact("true is written", *_FIELD)]
    if user != "non-root":
        evidence = [*evidence, Evidence("its user is root" if user == "root" else "its user is not known")]
    if sign := container.pod.classes.get("node-agent"):
        evidence = [*evidence, Evidence(sign)]
    sure = user == "non-root" and written is None and not sign and not doubts
    grade = Grade.SAFE if sure else Grade.REVIEW
    yield container.set(
        *_FIELD, to=False, grade=Grade.BREAKING if against else grade, basis=Basis.INFERRED, evidence=evidence
    )


def _is_administrator(container: Container) -> bool:
    added = container.strings("securityContext", "capabilities", "add")
    return any(plain(name) == "SYS_ADMIN" for name in added)


def _needs(container: Container, *, written: object) -> Iterator[Evidence]:
    if container.row is not None and container.row.setuid:
        yield container.fact("image table: it uses setuid programs", "image")
    files = known_image(container).files
    if files is not None:
        for path in files.raised(every_word(container), own_command=own_command(container)):
            yield container.fact(f"harden.lock: it runs {path}, which is setuid root", "image")
    yield from lost_without_raising(container)
    for name, speaker in spoken(container, setuid_commands, probes=True):
        if not name.startswith("ping") or not has_no_privileged(container, name):
            yield speaker.says(f"runs {name}")
    # What is written may be meant; need of root is then taken for a sign of it.
    if written is not None:
        yield from root_evidence(container)


def _may_need(container: Container) -> Iterator[Evidence]:
    yield from may_serve_low_ports(container)
    yield from within_reach(container)
    yield from raisers(container)
