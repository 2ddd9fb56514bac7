"""The transforms as text: ``harden list``, ``harden explain``, and ``transforms/README.md``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hardener.authoring import other_names, registry, trivy_checks
from hardener.authoring import profile as profiles
from hardener.authoring.edits import Severity
from hardener.authoring.risks import RISKS, Risk, risk_called
from hardener.authoring.transform import Transform
from hardener.errors import InputError
from hardener.report import finding_ids
from hardener.report.pages import page_of
from hardener.report.terminal.wrapping import wrapped
from hardener.support.near_names import nearest

Say = Callable[[str], object]
_WIDEST = 100  # columns of prose: a longer line is hard to read
_SEVERITY = max(map(len, Severity))  # columns
_SCANNERS = {
    "checkov": "Checkov", "kubescape": "Kubescape", "kyverno": "Kyverno", "polaris": "Polaris", "trivy": "Trivy",
}  # fmt: skip


def _members() -> dict[str, dict[str, bool]]:
    return {name: profiles.load(name).members for name in profiles.BUILT_IN}


def _in_profiles(transform: Transform, members: dict[str, dict[str, bool]]) -> str:
    found = [
        name + ("" if ids[transform.id] else " (reports only)") for name, ids in members.items() if transform.id in ids
    ]
    return ", ".join(found) or "none"


def print_list(say: Say, profile: str | None = None, risks: Sequence[str] = (), severity: str | None = None) -> None:
    """One line per transform, by risk; only those of ``profile``, of one of ``risks``, and of ``severity`` or worse,
    where these are given. Raises InputError for no such."""
    chosen = profiles.load(profile).members if profile else registry.transforms().keys()
    wanted = {risk_called(name) for part in risks for name in part.split(",")} or set(RISKS)
    least = Severity(severity or Severity.LOW).rank
    listed = [each for each in registry.transforms().values() if each.id in chosen and each.severity.rank >= least]
    members = _members()
    for risk in RISKS.values():
        if found := [each for each in listed if each.risk == risk.id and each.risk in wanted]:
            _print_risk(risk, found, members, say)


def _print_risk(risk: Risk, found: list[Transform], members: dict[str, dict[str, bool]], say: Say) -> None:
    say(f"{risk.id} {risk.title}")
    width = max(len(each.id) for each in found)
    for each in found:
        grave = each.severity.ljust(_SEVERITY)
        say(f"  {each.id.ljust(width)}  {grave}  {each.title} [{_in_profiles(each, members)}]")


def print_profiles(name: str | None, say: Say) -> None:
    """One paragraph per built-in profile, or all of the one called ``name``. Raises InputError for no such."""
    if name is None:
        for built_in in profiles.BUILT_IN:
            profile = profiles.load(built_in)
            say(f"{built_in}: {len(profile.members)} transforms")
            say(f"  {profile.description}")
        return
    profile = profiles.load(name)
    say(f"{name}: {profile.description}")
    for transform, changes in profile.steps():
        say(f"  {transform.id}{'' if changes else ' (reports only)'}")
    for group, values in sorted(profile.options.items()):
        for key, value in sorted(values.items()):
            say(f"  {group}.{key} = {value}")


def explain(name: str, say: Say, columns: int = 0) -> None:
    """What a transform, a risk, a finding or a check of another scanner is about, for a terminal of so many ``columns``
    (0: none). Raises InputError for a name that is none of them."""
    width = min(columns or _WIDEST, _WIDEST)
    if columns:
        say = _fitting(say, width)
    known = registry.transforms()
    if (risk := RISKS.get(name.upper())) is not None:
        _explain_risk(risk, say)
    elif (transform := known.get(name) or known.get(name.lower())) is not None:
        for line in _entry(transform, _members(), width):
            say(line)
    elif (meaning := finding_ids.MEANINGS.get(name.lower())) is not None:
        _explain_finding(name.lower(), meaning, say, width)
    elif (found := other_names.find(name)) is not None:
        _explain_other(found, say, width)
    else:
        names = [*known, *RISKS, *finding_ids.MEANINGS, *other_names.names()]
        small = {each.lower(): each for each in names}  # large and small letters are no distance
        near = nearest(name.lower(), small)
        hint = f" (did you mean {small[near]}?)" if near else ""
        raise InputError(f"unknown id {name}{hint}; 'harden list' shows them all")


def _explain_finding(id: str, meaning: str, say: Say, width: int) -> None:
    say(f"{id}: about what was read, and no transform")
    say("")
    for line in _wrap(f"{meaning} The report says where, and what to do.", width):
        say(line)


def _explain_other(found: other_names.Found, say: Say, width: int) -> None:
    """The transforms for a check of another scanner: all of the only one, a line for each of several."""
    title = f"{_SCANNERS.get(found.scanner, found.scanner)} {found.name}"
    if found.scanner == "trivy":
        title += f" ({trivy_checks.about(found.name)})"
    if found.why:
        for line in _wrap(f"{title} is nothing that harden looks for: {found.why}.", width):
            say(line)
        return
    if len(found.transforms) == 1:
        say(f"{title} is what this transform asks for:")
        say("")
        for line in _entry(found.transforms[0], _members(), width):
            say(line)
        return
    say(f"{title} is what these transforms ask for, each for a part of it:")
    say("")
    for transform in found.transforms:
        say(f"  {transform.id}: {transform.title}")
    say("")
    say("To read more: harden explain ID")


def _explain_risk(risk: Risk, say: Say) -> None:
    say(f"{risk.id} {risk.title} (OWASP Kubernetes Top Ten 2025)")
    say(f"In the 2022 list: {risk.id_2022 or 'no such entry'}")
    found = [item for item in registry.transforms().values() if item.risk == risk.id]
    say("")
    if not found:
        say("No transform yet.")
    for item in found:
        say(f"  {item.id}: {item.title}")


def _entry(transform: Transform, members: dict[str, dict[str, bool]], width: int) -> list[str]:
    marks = [f"{transform.risk} {RISKS[transform.risk].title}"]
    if transform.risk_2022 != RISKS[transform.risk].id_2022:
        marks.append(f"In the 2022 list: {transform.risk_2022}")
    if transform.pss:
        marks.append(f"Pod Security Standards: {transform.pss}")
    if transform.cis:
        marks.append(transform.benchmark)
    lines = [transform.id, "", *_wrap(f"{transform.title}.", width), ""]
    lines += _wrap(f"Problem: {transform.problem_of()}.", width)
    lines += _wrap(f"Result: {transform.result}", width)
    lines += _wrap(f"Why: {transform.why}", width)
    lines += _wrap(f"May break: {transform.may_break}", width)
    lines += ["", *(f"{mark}" for mark in marks), f"Profiles: {_in_profiles(transform, members)}"]
    if transform.takes is not None:
        group, types = transform.takes
        lines.append("Options: " + ", ".join(f"{group}.{key}" for key in types))
    if others := other_names.of(transform):
        checks = "; ".join(f"{_SCANNERS.get(name, name)} {', '.join(found)}" for name, found in others.items())
        lines += _wrap(f"Other scanners: {checks}", width)
    if page := page_of(transform):
        lines.append(f"To read more: {page}")
    return lines


def _fitting(say: Say, width: int) -> Say:
    """``say`` in lines of ``width`` columns; an address stays whole."""
    return lambda line: say(str(line) if "://" in str(line) else wrapped(str(line), width))


def _wrap(text: str, width: int) -> list[str]:
    return wrapped(text, width).split("\n")


def markdown() -> str:
    """The text of ``transforms/README.md``."""
    members = _members()
    lines = [
        "# Transforms",
        "",
        "Printed by `python -m hardener.commands.explain`; a test compares it with the program."
        " Do not edit it by hand.",
    ]
    for risk in RISKS.values():
        found = [item for item in registry.transforms().values() if item.risk == risk.id]
        if not found:
            continue
        former = f", {risk.id_2022} in 2022" if risk.id_2022 else ""
        lines += ["", f"## {risk.id} {risk.title}{former}"]
        for item in found:
            marks = [f"stage {item.stage}", f"severity {item.severity}"]
            marks += [f"{item.risk_2022} in 2022"] if item.risk_2022 != risk.id_2022 else []
            marks += [f"PSS {item.pss}"] if item.pss else []
            marks += [f"CIS {item.cis}"] if item.cis else []
            lines += [
                "",
                f"### `{item.id}`",
                "",
                f"{item.title}.",
                "",
                f"Problem: {item.problem_of()}.",
                "",
                f"Result: {item.result}",
                "",
                f"Why: {item.why}",
                "",
                f"May break: {item.may_break}",
            ]
            lines += ["", f"{', '.join(marks)}; profiles: {_in_profiles(item, members)}"]
            lines += ["", f"Cases: [`golden/{risk.folder}/{item.id}`](../golden/{risk.folder}/{item.id})"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
