"""The run: every step of the profile on every target, decided on data, then proved on text.

One call of a transform on one target is one step: applied, held back, refused or reported as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Grade, Severity, WrongShapeError
from hardener.authoring.profile import Profile
from hardener.authoring.transform import WHOLE_IN_FILES, Transform
from hardener.engine import (
    code_steps,
    find_rendered_elsewhere,
    find_replaced_contexts,
    find_unknown_fields,
    find_unknown_kinds,
    find_unread_forms,
    find_unread_patches,
    json_patch,
    trial_write,
)
from hardener.engine.assemble_files import assemble
from hardener.engine.document import applied_steps
from hardener.engine.index_shifts import as_read, shifts
from hardener.engine.kubernetes_guard import self_check
from hardener.engine.operator_fields import spoken, taken
from hardener.engine.outcome import Held, Outcome, Refused, Report
from hardener.engine.problem_sentence import problem_of
from hardener.engine.shared_text import DisagreementError, pod_of, steps_of, together
from hardener.engine.step import Step, draft
from hardener.engine.targets import Targets
from hardener.engine.unknown_values import UnknownValues
from hardener.engine.unwritable_steps import leave_out
from hardener.engine.waivers import Waivers, collect
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.collectors.same_image import SameImages
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.objects.system_pods import SystemPods
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.pods.partial_workload import sets_nothing_weak
from hardener.kubernetes.pods.pod_template import FRAGMENT
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.tree import Tree

_MUTATING = ("admissionregistration.k8s.io", "MutatingAdmissionPolicy")
_UNSEEN = ("a chart does not show what else there is", "a stream does not show the whole tree")
_TOO_MANY = ("too-many-objects", "too-many-containers")
# Pods that are left alone whole, since something else decides about them, and what to do instead.
_LEFT_ALONE = {
    "patch": find_unread_patches.UNUSED,
    "owned": "harden the object that owns it; this copy is rewritten by its controller",
    "static-pod": "the control plane is configured by its installer; change it there",
}
_PARTLY = {
    "windows": "Linux settings mean nothing there; set os.name: windows so that Kubernetes judges it as such",
    "node-agent": "it works on the node itself; check in its vendor's manifest which of them it supports",
    "control-plane": "the cluster fails without it; check in its vendor's manifests which of them it supports",
    "system-namespace": "what runs there belongs to the cluster; change it through its installer",
    "partial": "set what is left in the fields that its operator takes, or as its defaults for all pods",
}


class _Skipped(Struct):
    """A pod of which some ``transforms`` change nothing, and the ``sign`` of its class."""

    target: View
    sign: str
    transforms: list[Transform] = field(default_factory=list)


class Gate(Struct):
    """Which grades are applied: those up to ``max_grade``, and any of the transforms in ``accepted``.

    ``choose`` decides about single steps, whatever their grade; None leaves a step to the grade.
    """

    max_grade: Grade = Grade.REVIEW
    accepted: frozenset[str] = frozenset()
    choose: Callable[[Step], bool | None] | None = None

    def lets(self, step: Step) -> bool:
        if self.choose is not None and self.choose(step):
            return True
        return step.grade.rank <= self.max_grade.rank or step.transform.id in self.accepted

    def refuses(self, step: Step) -> bool:
        """Whether somebody does not want ``step``; it leaves no record."""
        return self.choose is not None and self.choose(step) is False


class _Run(Struct):
    outcome: Outcome
    gate: Gate
    waivers: Waivers
    targets: Targets
    system_pods: SystemPods
    skipped: dict[tuple[int, str], _Skipped] = field(default_factory=dict)
    unknown: UnknownValues = field(default_factory=UnknownValues)
    said: dict[tuple[str, str], Report] = field(default_factory=dict)  # by transform and Finding.once
    has_waivers: bool = False
    has_code: bool = False  # whether a piece is code, whose text may have no place for a step
    built: Callable[[Outcome], Set[tuple[Piece, Path]]] | None = None  # adds what kustomizations build
    weighed: Set[tuple[Piece, Path]] = frozenset()  # where patches stand that were weighed there


def run(
    tree: Tree,
    profile: Profile,
    gate: Gate | None = None,
    *,
    only: frozenset[str] = frozenset(),
    skip: frozenset[str] = frozenset(),
    visits: Callable[[View], bool] | None = None,
    progress: Callable[[str], object] = lambda name: None,
    proving: Callable[[str], object] | None = None,
    forks: bool = True,
    builds: bool = True,
) -> Outcome:
    """Decide and prove every change of ``profile`` on ``tree``; nothing is written to a file.

    ``only`` and ``skip`` are transform ids that narrow the profile; ``visits`` tells which targets are looked at;
    ``progress`` is called with each transform and ``proving``, in its place, with each file that is proved; ``forks``:
    whether processes may be started, which is for a program of our own to say; ``builds``: whether what kustomizations
    build is judged, too.
    """
    state = _started(tree, profile, gate or Gate())
    ran: set[str] = set()
    for transform, may_change in _in_stages(state, profile):
        is_left_out = transform.id in skip or (only and transform.id not in only)
        if is_left_out or visits is not None:
            state.outcome.narrowed.add(transform.risk)
        if is_left_out:
            continue
        progress(transform.id)
        ran.add(transform.id)
        _run_transform(state, profile, transform, may_change, visits)
    if builds and tree.kustomizations and not tree.stream:
        _judge_built(state, profile, ran, skip)
    _finish(state, ran, is_whole=not only and not skip)
    tree.drop_facts_of_now()  # all is decided, and what comes needs memory
    assemble(state.outcome, proving or progress, forks=forks)
    return state.outcome


def _judge_built(state: _Run, profile: Profile, ran: set[str], skip: frozenset[str]) -> None:
    """Have what kustomizations build judged by all of ``profile`` but ``skip``, where the transform that weighs patches
    ``ran``."""
    from hardener.engine import judge_built  # late: few trees have a kustomization

    gate = Gate(state.gate.max_grade, state.gate.accepted)
    weighs = judge_built.of_patched_pods(transform for transform, _ in profile.steps() if transform.id in ran)
    if weighs is not None:
        state.built = lambda outcome: judge_built.add(
            outcome,
            weighs,
            state.waivers,
            lambda tree, visits: judged(tree, profile, gate, skip, visits),
        )


def judged(
    tree: Tree, profile: Profile, gate: Gate, skip: frozenset[str], visits: Callable[[View], bool] | None
) -> Outcome:
    """What the transforms of ``profile`` say of ``tree``, whose objects stand in no file: nothing is proved. ``skip``
    and ``visits`` are those of ``run``."""
    state = _started(tree, profile, gate)
    for transform, may_change in _in_stages(state, profile):
        if transform.id not in skip:
            _run_transform(state, profile, transform, may_change, visits)
    _report_classes(state)
    state.unknown.finish()
    _report_tree(state.outcome, state.weighed)
    return state.outcome


def _started(tree: Tree, profile: Profile, gate: Gate) -> _Run:
    outcome = Outcome(tree, profile.name, max_grade=gate.max_grade)
    state = _Run(outcome, gate, collect(tree), Targets(tree), tree.ask(SystemPods))
    tree.waivers = state.waivers
    state.has_waivers = bool(state.waivers)
    state.has_code = any(piece.source.is_code for file in tree.files for piece in file.pieces)
    for fact in (SameImages, WrittenContexts):
        tree.ask(fact)  # what people wrote, before this run writes anything
    return state


def _in_stages(state: _Run, profile: Profile) -> Iterator[tuple[Transform, bool]]:
    """The steps of ``profile``; what goes by rights is collected anew behind the stage that changed some."""
    stage = ""
    for transform, may_change in profile.steps():
        if transform.stage != stage:
            if stage == "authorization" and any(change.transform.stage == stage for change in state.outcome.changes):
                state.outcome.tree.drop_facts_of_rights()
            stage = transform.stage
        yield transform, may_change


def _run_transform(
    state: _Run, profile: Profile, transform: Transform, may_change: bool, visits: Callable[[View], bool] | None
) -> None:
    looked_at = state.outcome.looked_at.setdefault(transform.risk, set())
    if not state.targets.may_be(transform.visits) and not profile.is_given(transform):
        return  # its module is not even loaded
    options = profile.options_of(transform)
    arguments = () if options is None else (options,)
    looked_at |= state.targets.names(transform.each)
    told = visits if not getattr(transform.each, "SAID_ELSEWHERE", False) else None
    for target in state.targets.of(transform.each):
        if told is None or told(target):
            _visit(state, transform, target, arguments, may_change)


def _finish(state: _Run, ran: set[str], *, is_whole: bool) -> None:
    """Take out what cannot be, and put on record what was not judged, once all transforms ``ran``."""
    outcome = state.outcome
    self_check(outcome)
    if state.has_code and any(change.object.piece.source.is_code for change in outcome.changes):
        while leave_out(outcome):
            self_check(outcome)
    if state.built is not None:
        state.weighed = state.built(outcome)
    _report_classes(state)
    state.unknown.finish()
    before = len(outcome.findings)
    _report_tree(outcome, state.weighed)
    outcome.findings += list(find_unread_forms.reports(outcome))
    outcome.findings[before:before] = [*state.waivers.problems, *state.waivers.stale(ran, whole=is_whole)]
    _count(outcome)


def _visit(state: _Run, transform: Transform, target: View, arguments: tuple[Any, ...], may_change: bool) -> None:
    pod = pod_of(target)
    if transform.stage == "network" and _is_placed_elsewhere(target, pod):
        return
    try:
        classes, blocked = _barrier(state, transform, target, pod)
    except (OpaqueError, WrongShapeError) as error:
        _stopped(state, transform, target, error)
        return
    if blocked in _LEFT_ALONE:
        state.skipped.setdefault((id(target.object), blocked), _Skipped(target, classes[blocked]))
        state.waivers.leave(target.object)
        return
    yielded = spoken(pod, _yielded(state, transform, target, arguments, pod, blocked))
    if not yielded:  # most transforms have nothing to say of most targets
        return
    try:
        steps, unknown = steps_of(transform, target, pod, yielded)
    except WrongShapeError as wrong:
        _stopped(state, transform, target, wrong)
        return
    if pod is not None and pod.operator is not None:
        steps = _taken(state, transform, target, pod, steps, blocked)
    if not blocked:
        _take(state, transform, target, yielded, unknown)
        _make(state, transform, target, steps, arguments, may_change)
    elif pod is not None:
        if _is_full(state, transform, pod, blocked):
            _take(state, transform, target, yielded, unknown)
        if not _all_waived(state, transform, target, steps):
            _skip(state, transform, pod, blocked, classes[blocked])


def _taken(
    state: _Run, transform: Transform, target: View, pod: PodTemplate, steps: list[list[Edit]], blocked: str | None
) -> list[list[Edit]]:
    """Those of ``steps`` that the operator of ``pod`` takes; of its own pod nobody can say what it lacks."""
    assert pod.operator is not None
    kept = taken(pod.operator, target, steps)
    if len(kept) < len(steps) and not blocked and not pod.operator.is_merged:
        _skip(state, transform, pod, "partial", pod.classes["partial"])
    return kept


def _is_placed_elsewhere(target: View, pod: PodTemplate | None) -> bool:
    """Whether somebody else says which namespace and labels ``target`` comes to."""
    return target.object.group == FRAGMENT or (pod is not None and pod.is_fragment)


def _yielded(
    state: _Run, transform: Transform, target: View, arguments: tuple[Any, ...], pod: PodTemplate | None,
    blocked: str | None,
) -> list[Any]:  # fmt: skip
    """What ``transform`` says of ``target``; nothing where it cannot tell, which is on record then."""
    try:
        return list(transform.function(target, *arguments))
    except (OpaqueError, WrongShapeError) as error:
        if not blocked or (pod is not None and _is_full(state, transform, pod, blocked)):
            _stopped(state, transform, target, error)
        return []


def _take(state: _Run, transform: Transform, target: View, yielded: list[Any], unknown: list[OpaqueError]) -> None:
    """Put on record what ``transform`` reports at ``target``, and what it cannot decide there."""
    for item in yielded:
        if type(item) is Finding:
            _report(state, transform, target, item)
    for each in unknown:
        _stopped(state, transform, target, each)


def _barrier(
    state: _Run, transform: Transform, target: View, pod: PodTemplate | None
) -> tuple[Mapping[str, str], str | None]:
    """The classes of ``target``, each with its sign, and that of them which keeps ``transform`` from changing it."""
    if pod is None:
        classes = target.object.classes
        return classes, next((name for name in classes if name not in transform.classes), None)
    classes = state.system_pods.classes_of(pod)
    return classes, state.system_pods.barrier(transform, target, pod) if classes else None


def _skip(state: _Run, transform: Transform, pod: PodTemplate, blocked: str, sign: str) -> None:
    """Note that ``transform`` would change ``pod``, and does not."""
    transforms = state.skipped.setdefault((id(pod.object), blocked), _Skipped(pod, sign)).transforms
    if transform not in transforms:
        transforms.append(transform)


def _is_full(state: _Run, transform: Transform, pod: PodTemplate, blocked: str) -> bool:
    """Whether what ``transform`` finds in ``pod`` weighs as in any other pod, though the class ``blocked`` keeps it
    from changing that: the namespace lowers nothing, and what hands over the node no class. No policy is written for a
    namespace of the system."""
    if blocked == "system-namespace":
        counts = transform.stage != "network"
    else:
        counts = blocked not in _LEFT_ALONE and transform.stage == "host" and transform.severity is Severity.HIGH
    return counts and not state.system_pods.is_of_platform(pod)


def _make(
    state: _Run,
    transform: Transform,
    target: View,
    steps: list[list[Edit]],
    arguments: tuple[Any, ...],
    may_change: bool,
) -> None:
    for edits in steps:
        try:
            if target.object.piece.shared:
                edits = together(state.targets, transform, target, edits, arguments)
            _decide(state, transform, target, edits, may_change)
        except DisagreementError as other:
            state.outcome.refused.append(other.refused(transform, target, edits))
        except WrongShapeError as wrong:
            _stopped(state, transform, target, wrong)


def _refuted(edit: Edit, facts: list[Evidence]) -> Edit:
    """``edit`` with the facts that speak against it."""
    return replace(edit, grade=Grade.BREAKING, basis=Basis.PROVED, evidence=(*facts, *edit.evidence))


def _decide(state: _Run, transform: Transform, target: View, edits: list[Edit], may_change: bool) -> None:
    outcome = state.outcome
    if state.has_code and code_steps.lacks_place(edits):
        _report(state, transform, target, code_steps.without_place(transform, target, edits))
        return
    edits = _weighed(outcome.tree, transform, target, edits)
    step = draft(outcome.tree, transform, target, edits)
    if not step.changes or (state.has_waivers and _waive(state, step)) or state.gate.refuses(step):
        return
    if not may_change or (transform.absence and outcome.tree.stream):
        outcome.findings.append(_finding(transform, target, _only_reported(step, may_change)))
    elif not state.gate.lets(step):
        outcome.held.append(Held(transform, step.grade, step.changes))
    elif outcome.tree.kustomizations and (facts := _objections(step)):
        outcome.held.append(_held_against(step, edits, facts))
    elif refused := _unwritable(state, step):
        outcome.refused.append(refused)
    else:
        _apply(state, step)


def _weighed(tree: Tree, transform: Transform, target: View, edits: list[Edit]) -> list[Edit]:
    """``edits``, graded by what policies of the tree do anyway, and by what was seen of the workload."""
    if _MUTATING in tree.kinds:
        from hardener.engine.mutation_evidence import weighed  # late: few trees hold one

        edits = weighed(tree, target, edits)
    if tree.lock is None or not tree.lock.is_observed:
        return edits
    from hardener.engine.observed_grade import regraded  # late: most trees have nothing that was seen

    return regraded(transform, target, edits)


def _apply(state: _Run, step: Step) -> None:
    step.apply()
    state.outcome.changes += step.changes
    for unlisted in step.unlisted:
        _report(state, step.transform, step.target, unlisted)


def _held_against(step: Step, edits: list[Edit], facts: list[Evidence]) -> Held:
    """``step`` held back whatever the gate lets through: what a kustomization builds would not start, or not be what it
    was."""
    facts = [*facts, Evidence("--accept does not help here: change the patch first")]
    against = draft(step.tree, step.transform, step.target, [_refuted(edit, facts) for edit in edits])
    return Held(step.transform, against.grade, against.changes)


def _only_reported(step: Step, may_change: bool) -> Finding:
    """That ``step`` is not made, since the profile only reports it, or what there else is cannot be seen."""
    places = ", ".join(dict.fromkeys(json_patch.pointer(change.path) or "/" for change in step.changes[:3]))
    reason = "the profile only reports it" if not may_change else _UNSEEN[step.tree.chart is None]
    return step.target.finding(
        f"{problem_of(step.changes)}; not changed at {places}, since {reason}",
        advice="use a profile that applies it" if not may_change else WHOLE_IN_FILES,
        severity=step.transform.severity,
    )


def _unwritable(state: _Run, step: Step) -> Refused | None:
    """Why a step that takes secrets out of the tree cannot be made whole, or one of a program cannot be written."""
    moves = any([change.edit.keeps for change in step.changes])
    if not moves and not state.has_code:
        return None
    pieces = [*step.edits, *(item.piece for item in step.created)]
    if not moves and not any(piece.source.is_code for piece in pieces):
        return None
    refused = trial_write.in_code(step)
    return trial_write.refusal(step, state.outcome.changes) if moves and refused is None else refused


def _objections(step: Step) -> list[Evidence]:
    if not step.tree.ask(Overlays).patches_anything:
        return []
    from hardener.engine.overlay_guard import objections  # late: most trees have no overlay

    return objections(step)


def _waive(state: _Run, step: Step) -> bool:
    """Whether a waiver keeps ``step`` from being made; it is on record then."""
    waived = state.waivers.step(step.transform, step.target, step.changes)
    if waived is not None:
        state.outcome.waived.append(waived)
    return waived is not None


def _all_waived(state: _Run, transform: Transform, target: View, steps: list[list[Edit]]) -> bool:
    """Whether nothing is left of ``steps``, which are not made anyway, when what is waived is on record."""
    if not steps or not state.has_waivers:
        return not steps
    try:
        return all([_waive(state, draft(state.outcome.tree, transform, target, edits)) for edits in steps])
    except WrongShapeError:
        return False


def _report(state: _Run, transform: Transform, target: View, finding: Finding) -> None:
    """Take ``finding`` to the findings, or to the waived ones, unless it was made before."""
    report = _finding(transform, target, finding)
    waived = state.waivers.finding(transform, target, report)
    if waived is not None:
        state.outcome.waived.append(waived)
    elif (said := _said(state, transform, finding, report)) is not None:
        said.also.append(report)
    else:
        state.outcome.findings.append(report)


def _said(state: _Run, transform: Transform, finding: Finding, report: Report) -> Report | None:
    """The finding that was made before of what is made once; None for the first, which ``report`` is from now on."""
    if finding.once is None:
        return None
    first = state.said.setdefault((transform.id, finding.once), report)
    return first if first is not report else None


def _finding(transform: Transform, target: View, finding: Finding) -> Report:
    piece = finding.piece or target.object.piece
    return Report(
        transform.id, transform.risk, finding.severity, finding.message, finding.advice, piece.file.name,
        target.object, piece, _as_read(piece, finding.path or target.path), finding.line, finding.topic,
        finding.not_looked_at,
    )  # fmt: skip


def _as_read(piece: Piece, path: Path) -> Path:
    """``path``, as it is now, in the document as read, where the line of a finding is looked for."""
    return as_read(path, len(applied_steps(piece)), shifts(piece))


def _stopped(state: _Run, transform: Transform, target: View, error: OpaqueError | WrongShapeError) -> None:
    state.waivers.leave(target.object)
    report = state.unknown.add(transform, target, error)
    if report is not None:
        state.outcome.findings.append(report)


def _report_classes(state: _Run) -> None:
    for (_, name), skipped in state.skipped.items():
        target, sign = skipped.target, skipped.sign
        piece = target.object.piece
        is_left = name in _LEFT_ALONE
        if name in _LEFT_ALONE:
            if name == "patch" and _is_weighed(state, target.object):
                continue  # what it weakens is a finding of its own
            message, advice = f"left as it is ({name}): {sign}", _LEFT_ALONE[name]
            if name == "patch":
                advice = piece.source.advise(piece, "patch") or advice
            if name == "patch" and piece.source.is_manifest and sets_nothing_weak(target.object.sent):
                message, is_left = f"a part of a workload that sets nothing weak: {sign}", False
        else:
            message = f"not done: {', '.join([each.id for each in skipped.transforms])} ({name}): {sign}"
            advice = _PARTLY[name]
            if target.object.group == FRAGMENT:
                advice = piece.source.advise(piece, "part") or advice
        found = Report(
            name, "K01", _weight(state, name, skipped), message, advice, piece.file.name, target.object, piece,
            target.object.path, not_looked_at=is_left,
        )  # fmt: skip
        state.outcome.findings.append(found)


def _weight(state: _Run, name: str, skipped: _Skipped) -> Severity:
    """The severity of what was not done in a pod, since it is of the class ``name``."""
    pod = skipped.target
    if not isinstance(pod, PodTemplate):
        return Severity.LOW
    full = [each.severity for each in skipped.transforms if _is_full(state, each, pod, name)]
    return max(full, key=lambda severity: severity.rank, default=Severity.LOW)


def _is_weighed(state: _Run, patch: Object) -> bool:
    """Whether ``patch`` was weighed with what it patches."""
    return (patch.piece, patch.path) in state.weighed or state.outcome.tree.ask(Overlays).is_weighed(patch)


def _report_tree(outcome: Outcome, weighed: Set[tuple[Piece, Path]]) -> None:
    """Put on record what is wrong with files, objects and places of the tree, whatever the profile; ``weighed`` are
    places of patches that were judged."""
    tree = outcome.tree
    for problem in tree.problems:
        found = Report(
            problem.id, None, Severity.LOW, problem.message, problem.advice, problem.name, line=problem.line,
            not_looked_at=problem.is_left_alone,
        )  # fmt: skip
        outcome.findings.append(found)
    platforms = tree.ask(Platforms)
    if platforms.openshift and platforms.name is None:
        sign = platforms.openshift[0]
        outcome.findings.append(
            Report(
                "platform", None, Severity.LOW, f"{sign} outside the given paths is for OpenShift",
                "set platform: openshift or platform: kubernetes in .harden.yaml; now harden assumes kubernetes",
                sign.piece.file.name, sign, sign.piece, sign.path,
            )
        )  # fmt: skip
    outcome.findings += list(find_rendered_elsewhere.reports(outcome))
    outcome.findings += find_replaced_contexts.reports(tree)
    outcome.findings += find_unknown_kinds.reports(tree, outcome.findings)
    outcome.findings += find_unknown_fields.reports(tree, list(outcome.findings))
    said = {(report.file, report.message) for report in outcome.findings}
    unread = find_unread_patches.reports(tree, weighed)
    outcome.findings += [report for report in unread if (report.file, report.message) not in said]
    if tree.settings.no_waivers and not tree.stream:
        from hardener.engine import find_unfilled_values, find_unjudged  # late: only a gate asks

        outcome.findings += find_unjudged.reports(tree)
        outcome.findings += find_unfilled_values.reports(tree, list(outcome.findings))
    if tree.settings.audit_logs or (tree.recorded is not None and tree.recorded.sources):
        from hardener.engine import find_audit_gaps, find_weak_evidence  # late: most runs have no log

        outcome.findings += find_audit_gaps.reports(tree)
        outcome.findings += find_weak_evidence.reports(tree)


def _count(outcome: Outcome) -> None:
    """Count the documents, and turn those that were not read into records."""
    for piece in [piece for file in outcome.tree.files if file.editable for piece in file.pieces]:
        if piece.parsed:
            outcome.documents += sum(1 for document in piece.data if document is not None)
        elif piece.problem:
            outcome.documents += 1
            _report_unread(outcome, piece, *piece.problem)
        elif piece.text.strip():
            outcome.documents += 1


def _report_unread(outcome: Outcome, piece: Piece, name: str, message: str, advice: str, line: int) -> None:
    file, line = piece.file.name, piece.line + line
    if name == "broken-document":
        outcome.refused.append(Refused(file, line, message, advice))
        return
    # What a cluster takes, and nobody looked at, is more than what it would refuse itself.
    severity = Severity.HIGH if name in _TOO_MANY else Severity.LOW
    outcome.findings.append(Report(name, None, severity, message, advice, file, line=line, not_looked_at=True))
