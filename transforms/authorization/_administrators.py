"""Bindings that make administrators of service accounts, and what these get in place of that."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Evidence, Finding, Severity
from hardener.authoring.transform import WHOLE_IN_FILES, Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.at_work import at_work, deploys, is_system
from hardener.facts.access.grants import Access
from hardener.facts.access.needs import FLOOR, Needs, needs
from hardener.facts.access.views import Binding, Role, Subject
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.kustomize.builds import Builds
from hardener.support.late_pattern import late_pattern

from . import _rights
from ._options import Rbac
from ._rights import Change, Pair

# Whom rbac-masters-subject, rbac-anonymous-subject and rbac-authenticated-broad speak of.
_OF_OTHERS = late_pattern(
    r"Group system:(?:masters|unauthenticated|authenticated(?::.*)?|serviceaccounts(?::.*)?)|User system:anonymous"
)
_OF_CLUSTER = "system:"
_LOG = (
    "record an audit log of 7 days or more and run harden again with --audit-log FILE, or test that the account"
    " needs no more than the assumed rights"
)


def reduced(binding: Binding, source: Role | str, options: Rbac) -> Steps:
    """Give the accounts of ``binding``, of which ``source`` makes administrators, what they are known to need."""
    reasons = {subject: _kept(binding, subject, options) for subject in binding.subjects}
    yield from (reason for reason in reasons.values() if isinstance(reason, Finding))
    accounts = [subject for subject, reason in reasons.items() if reason is None]
    if not accounts:
        return
    found = [(subject, *_needs(binding, subject, options)) for subject in accounts]
    if (obstacle := _obstacle(binding, found)) is not None:
        yield obstacle
        return
    change = _weighed(binding, source, found, options)
    home = binding.namespace_of(accounts[0])
    made = _pairs(binding, found, options)
    whole = len(accounts) == len(reasons)
    yield _rights.edits(binding, made, accounts, whole=whole, change=change, fanout=options.audit_fanout)
    if home == "default" and options.mapped(home) == home:
        text = f"{accounts[0]} is in the namespace default, which all objects without a namespace share"
        advice = "give the application a namespace of its own (rbac.namespace-map for its account)"
        yield binding.finding(text, "subjects", accounts[0].index, severity=Severity.LOW, advice=advice)


_Found = list[tuple[Subject, str | None, Needs]]
"""Accounts, where each of them will be, and what it needs."""


def _obstacle(binding: Binding, found: _Found) -> Finding | None:
    """Why the binding keeps standing as it is."""
    first = found[0][0]
    patched = binding.tree.ask(Access).patched_by(binding)
    if patched is not None:
        why = f"{patched.text}, and the patch would not find it under another name"
        advice = "bind the account to a role for what it needs, and change the kustomization too"
        return _stays(binding, first, why, advice)
    if binding.tree.stream and any(known.assumed for _, _, known in found):
        advice = f"{WHOLE_IN_FILES}; --audit-log names what the account was seen to do"
        return _stays(binding, first, "a stream does not show which pods use the account", advice)
    return None


def _pairs(binding: Binding, found: _Found, options: Rbac) -> list[Pair]:
    home = binding.namespace_of(found[0][0])
    made = _rights.pairs(found, binding.object.namespace if binding.namespaced else options.mapped(home))
    if options.fallback == "keep-namespaced":
        made = [_kept_rights(pair) if _is_assumed(pair, found) else pair for pair in made]
    return [pair for pair in made if pair.rules or pair.built_in or options.fallback == "empty"]


def _stays(binding: Binding, subject: Subject, why: str, advice: str) -> Finding:
    text = f"{subject} is an administrator; {why}"
    return binding.finding(text, "subjects", subject.index, severity=Severity.HIGH, advice=advice)


def _kept(binding: Binding, subject: Subject, options: Rbac) -> Finding | str | None:
    """Why a subject stays: a finding, or a word where another transform says it; None where it may change."""
    if not subject.is_account:
        return _stranger(binding, subject)
    namespace = binding.namespace_of(subject)
    platform = binding.tree.ask(Access).platform(binding, subject)
    if platform is not None and platform[1]:
        return "said by rbac-platform-admin"
    if platform is not None:
        why = f"it has the name of an account of {platform[0].component}, and nothing else shows that it is one"
        advice = (
            "if it is not one, bind it to a role for what it needs; if it is, add its workload or label to the tree"
        )
        return _stays(binding, subject, why, advice)
    if namespace is None and not binding.namespaced:
        why = "the API server refuses an account without a namespace here"
        return _stays(binding, subject, why, "name its namespace")
    elsewhere = _moved_elsewhere(binding, subject, namespace)
    if elsewhere is not None:
        why = f"its rights would land in namespace {elsewhere}, which a kustomization sets for all that it lists"
        advice = "list the binding in a kustomization of its own, or bind the account to a role for what it needs"
        return _stays(binding, subject, why, advice)
    if is_system(namespace) and not options.system_namespaces:
        advice = "bind it to a role for what it needs (profile strict, or rbac.system-namespaces, does)"
        return _stays(binding, subject, "what runs there belongs to the cluster", advice)
    return None


def _stranger(binding: Binding, subject: Subject) -> Finding | str:
    """Why a user or group stays: a finding, or a word where another transform says it."""
    if _OF_OTHERS.fullmatch(str(subject)):
        return "said by transforms of their own"
    if subject.name.startswith(_OF_CLUSTER):  # kubelets, join tokens, components: nobody should be one of these
        return binding.finding(
            f"{subject}, which is a name for a part of the cluster, is an administrator of the whole cluster",
            "subjects",
            subject.index,
            severity=Severity.HIGH,
            advice="remove it: what belongs to the cluster has roles of its own",
            topic="administrator by name, a part of the cluster",
        )
    return binding.finding(
        f"{subject} is an administrator of the whole cluster",
        "subjects",
        subject.index,
        severity=Severity.MEDIUM,
        advice="bind people to roles for what they do, and keep cluster-admin for emergencies",
        topic="administrator by name, a person or group",
    )


def _moved_elsewhere(binding: Binding, subject: Subject, namespace: str | None) -> str | None:
    """The namespace that a kustomization puts a RoleBinding into, where that is not the one of the account."""
    if binding.namespaced:
        return None
    builds = binding.tree.ask(Builds)
    accounts = binding.tree.ask(Access).account_objects(binding, subject)
    for space in sorted({each.namespace for each in builds.renderings(binding.object) if each.namespace}):
        if space != namespace and not any(space in builds.namespaces(account) for account in accounts):
            return space
    return None


def _needs(binding: Binding, subject: Subject, options: Rbac) -> tuple[str | None, Needs]:
    """Where the account will be, and what it needs there."""
    own = binding.namespace_of(subject)
    pods = binding.tree.ask(Access).pods(binding, subject)
    space = own if pods else options.mapped(own)
    target = binding.object.namespace or "" if binding.namespaced else space or ""
    floor = FLOOR if options.fallback == "floor" else ()
    known = needs(binding, subject, target, floor=floor, expand=options.audit_expand)
    if binding.namespaced:  # it gave nothing elsewhere
        known.rules = {target: known.rules.get(target, [])} if known.rules else {}
    return space, known


def _weighed(binding: Binding, source: Role | str, found: _Found, options: Rbac) -> Change:
    """The grade of the change: docs/design/decisions.md 23."""
    text = "it is bound to cluster-admin"
    if isinstance(source, Role):
        text = f"{source.object} allows everything"
    evidence = [binding.fact(text, "roleRef", "name")]
    breaking = False
    for subject, _, known in found:
        against = [*_at_work(binding, subject, known), *_constrained(binding, subject)]
        evidence += [binding.fact(f"{subject}: {known.label}", "subjects", subject.index), *known.facts, *against]
        # What a log cannot see is said by a fact of its own.
        breaking |= bool(against) or (options.fallback == "empty" if known.assumed else known.blind)
    assumed = any(known.assumed for _, _, known in found)
    labels = "; ".join(dict.fromkeys(known.label for _, _, known in found))
    said = f"{labels}: run harden again with --audit-log" if assumed else labels
    effect = Effect.BEYOND if breaking else Effect.WATCHED
    unknown = () if breaking else _unseen(binding, found)
    judged = verdict(why=_once(evidence), unknown=unknown, effect=effect, basis=_basis(found))
    before = [*_moves(binding, found), _LOG] if assumed else _moves(binding, found)
    return Change(judged, said, tuple(before))


def _basis(found: _Found) -> Basis:
    if any(known.assumed for _, _, known in found):
        return Basis.ASSUMED
    whole = all(known.observed and not known.blind and not known.thin for _, _, known in found)
    return Basis.PROVED if whole else Basis.INFERRED


def _unseen(binding: Binding, found: _Found) -> Iterator[Evidence]:
    """The accounts of which nothing shows what they do: a workload that the tree does not hold may need any right."""
    for subject, _, known in found:
        if known.assumed:
            text = "nothing in the tree runs as it, so what it does with its rights is not known"
            yield binding.fact(text, "subjects", subject.index, "name")


def _moves(binding: Binding, found: _Found) -> list[str]:
    """What a person does for accounts that will be in another namespace."""
    moved = [(subject, space) for subject, space, _ in found if space != binding.namespace_of(subject)]
    return [f"create namespace {space} and run what uses service account {each.name} there" for each, space in moved]


def _at_work(binding: Binding, subject: Subject, known: Needs) -> list[Evidence]:
    """What shows that the account works, where what is known of its needs is not all of them."""
    in_part = deploys(subject.name) and not known.blind and (known.thin or not known.rules)
    return at_work(binding, subject) if known.assumed or in_part else []


def _constrained(binding: Binding, subject: Subject) -> Iterator[Evidence]:
    """What may lose the SecurityContextConstraints that its pods run under, which come with the rights of an
    administrator."""
    if binding.tree.ask(Platforms).of(binding.object) != "openshift":
        return
    for pod in binding.tree.ask(Access).pods(binding, subject)[:1]:
        yield pod.fact(f"{pod.object} may run under any SecurityContextConstraints by these rights")


def _once(facts: list[Evidence]) -> Iterator[Evidence]:
    yield from {(fact.text, fact.path): fact for fact in facts}.values()


def _is_assumed(pair: Pair, found: list[tuple[Subject, str | None, Needs]]) -> bool:
    names = {subject.index for subject, _ in pair.accounts}
    return any(known.assumed for subject, _, known in found if subject.index in names)


def _kept_rights(pair: Pair) -> Pair:
    """The rights of an administrator of the namespace alone, its secrets included."""
    return Pair(pair.namespace, [], pair.accounts, "admin")
