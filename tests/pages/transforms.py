"""A page for each transform: what its docstring says, a golden case of it, and how to leave it alone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hardener.authoring import other_names, registry
from hardener.authoring import profile as profiles
from hardener.authoring.risks import RISKS
from hardener.authoring.transform import Transform
from hardener.testing import golden
from tests.conftest import ROOT
from tests.pages.markdown import HEAD, block, code, plain, table

_LONGEST = 70  # lines of a tree that is shown whole
_MOST = 6  # records of a case, reasons of a grade
_BY_DEFAULT = {"safe": "made", "review": "made", "guess": "waits", "breaking": "held back"}
_SCANNERS = {
    "checkov": "Checkov", "kube-linter": "KubeLinter", "kube-score": "kube-score", "kubeaudit": "kubeaudit",
    "kubescape": "Kubescape", "kyverno": "Kyverno", "polaris": "Polaris", "trivy": "Trivy",
}  # fmt: skip
_LANGUAGES = {
    ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".tf": "hcl", ".py": "python", ".sh": "sh", ".conf": "text",
}  # fmt: skip
_RECORD = re.compile(r"(applied|held|finding|waived|refused) (\S+) (.*)")


@dataclass(frozen=True)
class Record:
    """A line of findings.txt: ``what`` happened, of which transform, with which grade or severity, where and why."""

    what: str
    id: str
    grade: str
    place: str
    why: str


@dataclass(frozen=True)
class Case:
    """A golden case as text, secrets masked."""

    folder: Path
    before: dict[str, str]
    after: dict[str, str]
    records: list[Record]
    settings: dict[str, Any]

    @property
    def patch(self) -> str:
        parts = []
        for name in sorted(self.before.keys() | self.after.keys()):
            old, new = (texts.get(name, "").splitlines(True) for texts in (self.before, self.after))
            names = (f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null")
            parts += [line if line.endswith("\n") else f"{line}\n" for line in unified_diff(old, new, *names)]
        return "".join(parts)

    @property
    def size(self) -> int:
        return sum(text.count("\n") for text in self.before.values()) + self.patch.count("\n")

    def of(self, id: str, *what: str) -> list[Record]:
        return [record for record in self.records if record.id == id and record.what in what]

    @property
    def options(self) -> str:
        """The options of a command line that runs it, with a blank behind each."""
        parts = [f"--only {','.join(self.settings.get('only', [self.folder.parent.name]))}"]
        parts += [f"--{key} {self.settings[key]}" for key in _WORDS if key in self.settings]
        for key in ("accept", "set", "audit-log"):
            parts += [f"--{key} {value}" for value in self.settings.get(key, [])]
        return "".join(f"{part} " for part in parts)


_WORDS = ("profile", "max-grade", "kubernetes-version", "as-of", "policy-engine", "secrets-out")


def _texts(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
            found[path.relative_to(folder).as_posix()] = re.sub(r"\r\n?", "\n", text)
    return found


def _record(line: str) -> Record | None:
    match = _RECORD.fullmatch(line)
    if match is None:
        return None
    what, id, rest = match.groups()
    grade, _, rest = rest.partition(" ")
    if what == "applied":
        rest = rest.partition(" ")[2]  # what the evidence is: proved, inferred
    place, _, why = rest.partition(": ")
    return Record(what, id, grade, place, why)


@cache
def cases(transform: Transform) -> list[Case]:
    """All golden cases of ``transform`` alone."""
    found = []
    for folder in sorted((ROOT / "golden" / RISKS[transform.risk].folder / transform.id).iterdir()):
        if not (folder / "before").is_dir():
            continue
        before, after = _texts(folder / "before"), _texts(folder / "after")
        redactor = golden.redactor_of(before.values(), after.values())
        said = folder / "findings.txt"
        lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
        settings = folder / "case.yaml"
        found.append(
            Case(
                folder,
                {name: golden.masked(redactor, text) for name, text in before.items()},
                {name: golden.masked(redactor, text) for name, text in after.items()},
                [record for line in lines if (record := _record(line)) is not None],
                (yaml.safe_load(settings.read_text(encoding="utf-8")) or {}) if settings.exists() else {},
            )
        )
    return found


def example(transform: Transform) -> Case:
    """The case that shows best what ``transform`` does: the one called ``typical``, else the smallest in which it does
    it without further settings, and never one in which a person has exempted something."""

    def rank(case: Case) -> tuple[bool, int, bool, bool, int, int]:
        kinds = ("finding",) if transform.only_reports else ("applied", "held", "finding")
        kind = next((rank for rank, what in enumerate(kinds) if case.of(transform.id, what)), len(kinds))
        more = len(case.settings.keys() - {"profile"}) + (".harden.yaml" in case.before)
        odd = case.folder.name.startswith("odd") or any(record.what == "refused" for record in case.records)
        exempted = "exempt" in case.folder.name or bool(case.of(transform.id, "waived"))
        return exempted, kind, case.folder.name != "typical", odd, more, case.size

    return min(cases(transform), key=rank)


def pages() -> dict[str, str]:
    """The page of each transform, and the list of them."""
    found = {f"transforms/{id}.md": page(transform) for id, transform in registry.transforms().items()}
    return {"transforms/README.md": index(), **found}


@cache
def _members() -> dict[str, dict[str, bool]]:
    return {name: profiles.load(name).members for name in profiles.BUILT_IN}


def membership(transform: Transform) -> str:
    """The built-in profiles that contain it."""
    found = [
        name + ("" if ids[transform.id] else " (reports only)")
        for name, ids in _members().items()
        if transform.id in ids
    ]
    return ", ".join(found) or "none; name it in a profile of your own"


def index() -> str:
    """The list of all transforms, by risk."""
    lines = [
        HEAD,
        "",
        "# Transforms",
        "",
        "A transform is one rule. It changes manifests, or it only reports. Each has a page: an example, why, what may"
        " break, and how to leave it alone.",
        "",
    ]
    for risk in RISKS.values():
        former = f", {risk.id_2022} in the list of 2022" if risk.id_2022 else ""
        lines += [f"## {risk.id} {risk.title}", "", f"{risk.id} of the OWASP Kubernetes Top Ten 2025{former}.", ""]
        rows = [
            (
                f"[{code(item.id)}]({item.id}.md)",
                plain(item.title),
                "reports" if item.only_reports else "changes",
                item.severity,
                membership(item),
            )
            for item in registry.transforms().values()
            if item.risk == risk.id
        ]
        lines += table(("transform", "what it does", "it", "severity", "profiles"), rows)
    return "\n".join(lines)


def page(transform: Transform) -> str:
    """The page of one transform."""
    risk = RISKS[transform.risk]
    does = "It only reports." if transform.only_reports else "It changes manifests."
    facts = [
        ("risk", f"{risk.id} {risk.title}" + (f" ({transform.risk_2022} in 2022)" if transform.risk_2022 else "")),
        ("severity", str(transform.severity)),
        ("profiles", membership(transform)),
    ]
    if transform.pss:
        facts.append(("Pod Security Standards", transform.pss))
    if transform.cis:
        facts.append(("CIS", transform.benchmark.removeprefix("CIS ")))
    if transform.takes is not None:
        group, types = transform.takes
        named = ", ".join(code(f"{group}.{key}") for key in types)
        facts.append(("[options](../reference/configuration.md#" + group + ")", named))
    for scanner, checks in sorted(_peers(transform).items()):
        facts.append((_SCANNERS[scanner], ", ".join(code(check) for check in checks)))
    lines = [HEAD, "", f"# {plain(transform.title)}", "", f"Rule {code(transform.id)}. {does}", ""]
    lines += [f"Problem: {plain(transform.problem_of())}.", "", f"Result: {plain(transform.result)}", ""]
    lines += table(facts[0], facts[1:])
    lines += _example(transform)
    lines += ["## Why", "", _sentence(transform.why), ""]
    lines += ["## What may break", "", _sentence(transform.may_break), ""]
    lines += _grades(transform)
    lines += _left_alone(transform)
    place = f"golden/{risk.folder}/{transform.id}"
    count = len(cases(transform))
    word = "case" if count == 1 else "cases"
    lines += ["## More", "", f"- [{count} golden {word}](../../{place}): each is a test, and an example."]
    lines += [f"- [The code](../../{_module(transform)}). On the command line: `harden explain {transform.id}`."]
    return "\n".join(lines) + "\n"


def _module(transform: Transform) -> str:
    return transform.module.removeprefix("hardener.").replace(".", "/") + ".py"


def _sentence(text: str) -> str:
    return plain(text[:1].upper() + text[1:])


def _peers(transform: Transform) -> dict[str, list[str]]:
    return {scanner: list(checks) for scanner, checks in other_names.of(transform).items()}


def _example(transform: Transform) -> list[str]:
    case = example(transform)
    place = case.folder.relative_to(ROOT).as_posix()
    lines = ["## Example", "", f"The golden case [{code(case.folder.name)}](../../{place}).", ""]
    shown = {name: text for name, text in case.before.items() if name != ".harden.yaml" or "exclude" in text}
    if sum(text.count("\n") for text in shown.values()) <= _LONGEST:
        lines += ["Before:", ""]
        for name, text in shown.items():
            lines += [f"{code(name)}", ""] if len(shown) > 1 else []
            lines += block(_LANGUAGES.get(Path(name).suffix, "text"), text or "\n")
    elif not case.patch:
        lines += [f"Its files are in [{code('before')}](../../{place}/before).", ""]
    lines += [f"`harden diff {case.options}.` says:", ""]
    if case.patch:
        lines += block("diff", _cut(case.patch, 3 * _LONGEST))
    for what, title in (("applied", "Changed"), ("held", "Held back"), ("finding", "Needs manual work")):
        lines += _said(title, [record for record in case.records if record.what == what], transform.id)
    return lines


def _said(title: str, records: list[Record], id: str) -> list[str]:
    """The records of a case under ``title``; what is said of several places of one object is said once."""
    alike: dict[tuple[str, str, str, str], list[Record]] = {}
    for record in records:
        alike.setdefault((record.id, record.grade, record.why, record.place.rpartition(" ")[0]), []).append(record)
    lines = []
    for first, *others in list(alike.values())[:_MOST]:
        own = "" if first.id == id else f"{code(first.id)}, "
        more = f" and {len(others)} more" if others else ""
        lines.append(f"- {code(first.place)}{more} ({own}{first.grade}): {plain(first.why)}")
    if len(alike) > _MOST:
        lines.append(f"- and {len(alike) - _MOST} more")
    return [f"{title}:", "", *lines, ""] if lines else []


def _cut(text: str, most: int) -> str:
    lines = text.split("\n")
    return text if len(lines) <= most else "\n".join([*lines[:most], f"... {len(lines) - most} more lines"])


def _grades(transform: Transform) -> list[str]:
    """The grades that its changes have in all its golden cases, each with reasons."""
    if transform.only_reports:
        return []
    reasons: dict[str, Counter[str]] = {grade: Counter() for grade in _BY_DEFAULT}
    for case in cases(transform):
        for record in case.of(transform.id, "applied", "held"):
            for why in record.why.split("; "):
                reasons[record.grade][re.sub(r" \([^()]*:\d+\)", "", why)] += 1
    lines = ["## Grades", "", "What its golden cases show. [What a grade means](../grades.md).", ""]
    rows = []
    for grade, found in reasons.items():
        if found:
            named = [plain(why) for why, _ in found.most_common(_MOST) if why]
            rows.append((grade, _BY_DEFAULT[grade], "<br>".join(named)))
    return [*lines, *table(("grade", "by default", "because, for example"), rows)]


def has_comments(transform: Transform) -> bool:
    """Whether a comment of ours may stand in what it visits: in a script or a table of tokens none is read."""
    return any(visit.view.rpartition(":")[2] not in ("Script", "StaticTokens") for visit in transform.visits)


def _left_alone(transform: Transform) -> list[str]:
    lines = ["## How to leave it alone", ""]
    if has_comments(transform):
        lines += [
            "For one object: a comment above it, or above the line that is meant. The reason is required.",
            "",
            *block("yaml", f"# harden: ignore[{transform.id}] why it stays as it is"),
        ]
    more = "   # or kind, name, namespace" if has_comments(transform) else ""
    lines += [
        f"For {'many objects' if has_comments(transform) else 'files'}, with an end: an exception in `.harden.yaml`.",
        "",
        *block(
            "yaml",
            f'exceptions:\n- id: {transform.id}\n  match: {{path: "k8s/legacy/**"}}{more}'
            "\n  reason: why it stays as it is\n  expires: 2027-06-30   # at most twelve months ahead",
        ),
        f"For one run: `--skip {transform.id}`. For good: `without: [{transform.id}]` in"
        " [a profile of your own](../profiles.md#your-own-profile).",
        "",
    ]
    if transform.peers:
        lines += ["The marks of other scanners for the checks above count as well.", ""]
    lines += ["[Exceptions](../exceptions.md) says more.", ""]
    return lines
