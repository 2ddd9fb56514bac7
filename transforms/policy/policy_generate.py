"""K04: policies that refuse what this profile forbids, at the moment it is created."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardener.authoring.edits import Edit, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import PolicyHome, Shown
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.kubernetes.policies.admission_rules import AdmissionRule

from . import _kyverno, _vap
from ._options import Policies

Write = Callable[[PolicyHome, AdmissionRule, list[Shown]], Iterator[Edit]]
Older = Callable[[PolicyHome, AdmissionRule], Iterator[Finding]]

_NO_ADD_ON = "use --policy-engine vap, which needs nothing but the API server and works beside"


@transform(each=PolicyHome, stage="policy", severity=Severity.HIGH, cis="5.2.1", options=Policies)
def policy_generate(home: PolicyHome, options: Policies) -> Steps:
    """Add admission policies.

    Problem: no admission policy enforces the profile.

    Result: Admission policies refuse what the profile forbids where all pods are known, and warn elsewhere.

    Why: without an admission rule the next manifest, or the next kubectl run, can undo the hardening.

    May break: a pod that is not in the given files and violates a policy is refused when it is created in a namespace
    that the binding names.
    """
    engine = home.tree.ask(Guardrails).engine
    if engine == "gatekeeper":
        yield _not_written(home, "no policies are written for Gatekeeper", _NO_ADD_ON)
    elif engine == "vap":
        yield from _of_the_api_server(home, options)
    elif engine != "none":
        release, _ = _kyverno.release(home, options)
        yield from _kyverno.deprecation(home, release)
        yield from _written(home, options, _kyverno.writer(release), _kyverno.older)


def _of_the_api_server(home: PolicyHome, options: Policies) -> Steps:
    version = home.tree.settings.kubernetes_version
    if home.renamed:
        yield _not_written(
            home,
            "no policies are written: kustomize would rename the policies, but not their names in the bindings",
            "set nothing but namespaces in the kustomization of cluster-wide objects, or list them in one of their own",
        )
    elif version < _vap.SINCE:
        said = "{}.{}".format(*version)
        message = f"no policies are written: ValidatingAdmissionPolicy came in 1.30, and {said} is assumed"
        yield _not_written(home, message, "update the cluster, or use --policy-engine kyverno")
    else:
        yield from _written(home, options, _vap.edits, _vap.older)
        if options.mutate:
            yield from _vap.defaults(home, home.tree.ask(Guardrails).shown([rule for rule, _ in options.rules()]))


def _written(home: PolicyHome, options: Policies, write: Write, older: Older) -> Steps:
    guardrails = home.tree.ask(Guardrails)
    rules = options.rules()
    shown = guardrails.shown([rule for rule, _ in rules])
    refusing = [rule.name for rule, refuses in rules if refuses]
    for space in shown:
        for name in refusing:
            if space.broken[name] and space.name in guardrails.refusing(name):
                yield _refused(space, name)
        yield from _open(space, [name for name in refusing if space.name not in guardrails.refusing(name)])
    for rule, _ in rules:
        yield from older(home, rule)
        spaces = [space for space in shown if rule.name in refusing and not space.broken[rule.name]]
        edits = list(write(home, rule, spaces))
        if edits:
            yield edits


def _not_written(home: PolicyHome, message: str, advice: str) -> Finding:
    return home.finding(message, advice=advice, severity=Severity.MEDIUM)


def _refused(space: Shown, name: str) -> Finding:
    """What a policy that refuses will not let be made again; no policy is taken back for it."""
    view, reason = space.broken[name][0]
    more = len({id(each.object) for each, _ in space.broken[name]}) - 1
    who = f"{view.object}{f' and {more} more' if more else ''}"
    text = f"{name} refuses {who} when it is created next in namespace {space.name}: {reason}"
    return view.finding(text, advice="harden it, or take the namespace out of the policy", severity=Severity.MEDIUM)


def _open(space: Shown, refusing: list[str]) -> Steps:
    """What keeps policies from refusing in a namespace."""
    found = [(name, view, reason) for name in refusing for view, reason in space.broken[name]]
    if not found:
        return
    _, view, reason = found[0]
    policies = list(dict.fromkeys(name for name, _, _ in found))
    more = len({id(each.object) for _, each, _ in found}) - 1
    who = f"{view.object}{f' and {more} more' if more else ''}"
    text = f"{who} keep{'s' * (not more)} {', '.join(policies)} from refusing in namespace {space.name}: {reason}"
    advice = "harden it, or move it to a namespace of its own; until then they warn there"
    yield view.finding(text, advice=advice, severity=Severity.LOW)
