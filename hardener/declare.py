"""``@transform``: how a module in ``transforms/`` says what it is.

The folder names the risk, the function the id, the docstring the rationale. Nothing is registered: the registry
finds the decorated function in its module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any

from hardener.edits import Edit, Finding, Severity

# What a transform yields: all single edits of one call are one step, a list of edits is a step of its own.
Steps = Iterator[Edit | list[Edit] | Finding]

STAGES = (
    "exposure", "host", "user", "capabilities", "seccomp", "filesystem", "resources", "token", "image", "network",
    "authorization", "secrets", "components", "cloud", "authentication", "logging", "policy", "labels",
)  # fmt: skip


_BLANK_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform as declared: what it visits, when it runs, and what its docstring says.

    ``classes`` are the kinds of pod that it may change beside ordinary ones: "windows", "node-agent",
    "system-namespace" (spec-workloads 3). ``options`` is a frozen dataclass with a ``GROUP`` class variable, or None.
    """

    id: str
    risk: str
    risk_2022: str | None
    each: type | UnionType
    stage: str
    function: Callable[..., Steps]
    summary: str
    why: str
    may_break: str
    severity: Severity
    pss: str | None
    cis: str | None
    classes: frozenset[str]
    options: type | None
    absence: bool
    after: tuple[str, ...]

    @property
    def rationale(self) -> str:
        """Why the change is made, with its risk and the standards that ask for it."""
        marks = [self.risk]
        if self.pss:
            marks.append(f"PSS {self.pss}")
        if self.cis:
            marks.append(f"CIS {self.cis}")
        return f"{self.summary} {self.why} ({'; '.join(marks)})"

    @property
    def references(self) -> tuple[str, ...]:
        """Stable names of the rules behind the change."""
        from hardener.owasp import RISKS

        found = [f"OWASP Kubernetes Top Ten 2025 {self.risk}: {RISKS[self.risk].title}"]
        if self.pss:
            found.append(f"Pod Security Standards: {self.pss}")
        if self.cis:
            found.append(f"CIS Kubernetes Benchmark 1.10: {self.cis}")
        return tuple(found)


def transform(
    *,
    each: type | UnionType,
    stage: str,
    severity: Severity = Severity.MEDIUM,
    pss: str | None = None,
    cis: str | None = None,
    classes: tuple[str, ...] = (),
    options: type | None = None,
    absence: bool = False,
    after: tuple[str, ...] = (),
    risk_2022: str | None = None,
) -> Callable[[Callable[..., Steps]], Callable[..., Steps]]:
    """Declare a transform.

    ``each`` is the target type, or several as ``A | B``, ``stage`` one of STAGES, ``severity`` that of its held-back
    changes; ``absence`` says that it concludes from what the tree does not hold, so on a stream it only reports
    (DECISIONS 2.11); ``after`` names transforms of the same stage that run first; ``risk_2022`` is its risk in the list
    of 2022 where that is not the one of its folder.
    Raises TypeError when the docstring lacks its summary, ``Why:`` or ``May break:`` part.
    """
    if stage not in STAGES:
        raise TypeError(f"unknown stage {stage!r}")

    def mark(function: Callable[..., Steps]) -> Callable[..., Steps]:
        from hardener.owasp import BY_FOLDER, RISKS

        summary, parts = _documentation(function)
        folder = function.__module__.split(".")[-2]
        risk = BY_FOLDER.get(folder, RISKS["K01"])
        function.__transform__ = Transform(  # type: ignore[attr-defined]
            id=function.__name__.replace("_", "-"), risk=risk.id, risk_2022=risk_2022 or risk.id_2022, each=each,
            stage=stage, function=function, summary=summary, why=parts["Why"], may_break=parts["May break"],
            severity=severity, pss=pss, cis=cis, classes=frozenset(classes),
            options=options, absence=absence, after=after,
        )  # fmt: skip
        return function

    return mark


def _documentation(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    paragraphs = [" ".join(part.split()) for part in _BLANK_LINE.split((function.__doc__ or "").strip())]
    parts = {}
    for name in ("Why", "May break"):
        found = [part.removeprefix(f"{name}: ") for part in paragraphs if part.startswith(f"{name}: ")]
        if len(found) != 1:
            raise TypeError(f"the docstring of {function.__name__} needs one paragraph that begins '{name}: '")
        parts[name] = found[0]
    if not paragraphs[0].endswith("."):
        raise TypeError(f"the docstring of {function.__name__} begins with a sentence")
    return paragraphs[0], parts
