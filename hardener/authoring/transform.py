"""``@transform``: how a module in ``transforms/`` says what it is.

The folder names the risk, the function the id, the docstring the rationale. Nothing is registered: the registry
finds the decorated function in its module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from keyword import iskeyword
from types import UnionType
from typing import Any, NamedTuple, get_args, get_type_hints

from hardener.authoring.edits import Edit, Finding, OpaqueError, Severity
from hardener.authoring.risks import BY_FOLDER, RISKS

# What a transform yields: all single edits of one call are one step, a list of edits is a step of its own. An
# OpaqueError says what keeps one part of the target from being decided, while it goes on with the others.
Steps = Iterator[Edit | list[Edit] | Finding | OpaqueError]

STAGES = (
    "exposure", "host", "user", "capabilities", "seccomp", "filesystem", "resources", "token", "image",
    "authorization", "network", "secrets", "components", "cloud", "authentication", "logging", "policy", "labels",
)  # fmt: skip

WHOLE_IN_FILES = "write all manifests to a file (helm template ... > all.yaml): harden diff all.yaml shows the change"
"""The advice where a stream does not show enough for a change, which files would."""

SCANNERS = ("checkov", "kube-linter", "kube-score", "kubeaudit", "kubescape", "kyverno", "polaris")
"""Other scanners whose marks are honoured."""

CONTAINER = "{container}"
"""What stands in a problem sentence for the name of the container."""

# The paragraphs of a docstring: the attribute that holds each, and whether there has to be one.
_PARTS = {
    "Problem": ("problem", False), "Result": ("result", False), "Why": ("why", True), "May break": ("may_break", True),
}  # fmt: skip
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class Declaration(NamedTuple):
    """What is there of a transform once its module is loaded. ``options`` is a frozen dataclass with a ``GROUP`` class
    variable, or None."""

    function: Callable[..., Steps]
    each: type | UnionType
    options: type | None


class Visit(NamedTuple):
    """A view that a transform visits, without the class: what it is called, the kinds of object it is made of, and the
    part of the tree without which there is none (``View.NEEDS``)."""

    view: str
    kinds: frozenset[tuple[str, str]]
    needs: str | None


class Options(NamedTuple):
    """The options of a transform, without their class: the types of each by its name."""

    group: str
    types: dict[str, tuple[type, ...]]


@dataclass(frozen=True)
class Transform:
    """A transform as declared: what it visits, when it runs, and what its docstring says.

    ``title`` says what to do ("Set a memory limit"), ``problem`` what is wrong with an object as it is ("{container}
    has no memory limit"; ``problem_of`` names the container), ``result`` what is true afterwards, as a sentence. Lists
    and names of rules show the title, findings and pending changes the problem, changes that are made the result.

    ``classes`` are the kinds of pod that it may change beside ordinary ones: "windows", "node-agent",
    "control-plane", "system-namespace". ``only_reports`` tells that it has no patch to offer. ``any_image`` tells that
    what it changes of a pod may be changed whatever starts there. ``peers`` are the checks of other scanners of which a
    mark waives it, as "checkov:CKV_K8S_16". ``source`` loads the module; nothing but ``function``, ``each`` and
    ``options`` asks for it where the rest is known.
    """

    id: str
    risk: str
    risk_2022: str | None
    stage: str
    title: str
    problem: str
    result: str
    why: str
    may_break: str
    severity: Severity
    pss: str | None
    cis: str | None
    classes: frozenset[str]
    absence: bool
    after: tuple[str, ...]
    only_reports: bool
    any_image: bool
    peers: tuple[str, ...]
    module: str
    source: Callable[[], Declaration] = field(compare=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.id)

    @cached_property
    def function(self) -> Callable[..., Steps]:
        return self.source().function

    @cached_property
    def each(self) -> type | UnionType:
        """The view, or views, that it visits."""
        return self.source().each

    @cached_property
    def options(self) -> type | None:
        """The class of its options."""
        return self.source().options

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """What it visits, as far as that is known without the views themselves."""
        return tuple(
            Visit(name_of(view), getattr(view, "KINDS", frozenset()), getattr(view, "NEEDS", None))
            for view in get_args(self.each) or (self.each,)
        )

    @cached_property
    def takes(self) -> Options | None:
        """Its options, without their class."""
        return None if self.options is None else _options(self.options)

    @property
    def rationale(self) -> str:
        """Why the change is made, with its risk and the standards that ask for it."""
        marks = [self.risk]
        if self.pss:
            marks.append(f"PSS {self.pss}")
        if self.cis:
            marks.append(f"CIS {self.cis}")
        return f"{self.result} {self.why} ({'; '.join(marks)})"

    def problem_of(self, containers: Sequence[str] = ()) -> str:
        """Return what is wrong with an object as it is, in these of its ``containers`` where it is about containers."""
        named = f"container {containers[0]}" if containers else "a container"
        more = f" (and {len(containers) - 1} more)" if len(containers) > 1 else ""
        return self.problem.replace(CONTAINER, f"{named}{more}")

    @property
    def references(self) -> tuple[str, ...]:
        """Stable names of the rules behind the change."""
        found = [f"OWASP Kubernetes Top Ten 2025 {self.risk}: {RISKS[self.risk].title}"]
        if self.pss:
            found.append(f"Pod Security Standards: {self.pss}")
        if self.cis:
            found.append(self.benchmark)
        return tuple(found)

    @property
    def benchmark(self) -> str:
        """The benchmark of CIS and the number in it, "" for none; a number of EKS, GKE or AKS names its product."""
        if not self.cis:
            return ""
        product, _, number = self.cis.rpartition(" ")
        return f"CIS {product} Benchmark: {number}" if product else f"CIS Kubernetes Benchmark 1.12: {number}"


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
    only_reports: bool = False,
    any_image: bool = False,
    peers: tuple[str, ...] = (),
    risk: str | None = None,
) -> Callable[[Callable[..., Steps]], Callable[..., Steps]]:
    """Declare a transform.

    ``each`` is the target type, or several as ``A | B``, ``stage`` one of STAGES, ``severity`` that of its held-back
    changes; ``absence`` says that it concludes from what the tree does not hold, so on a stream it only reports;
    ``after`` names transforms of the same stage that run first; ``risk_2022`` is its risk in the list of 2022 where
    that is not the one of its folder; ``only_reports`` says that it yields findings and never an edit.
    ``any_image`` says that its changes of a pod may be made whatever image starts there, and whatever that is told to
    run; those of others wait where an expression decides that.
    ``risk`` is for transforms of other packages, such as "K06" (K01); the folder of a built-in one says it.

    ``peers`` are the checks of other scanners that ask for the same, each after its scanner, as "checkov:CKV_K8S_16"
    (of kubeaudit, how an override begins, in lower case): a mark for one of them is a waiver of this transform.

    The docstring begins with the title, a sentence in the imperative; ``Problem:``, ``Result:``, ``Why:`` and
    ``May break:`` follow, each a paragraph. Without ``Problem:`` or ``Result:`` the title stands for them.

    Raises TypeError when the docstring lacks its title, ``Why:`` or ``May break:`` part, and for an unknown stage
    or scanner.
    """
    if stage not in STAGES:
        raise TypeError(f"unknown stage {stage!r}")
    for peer in peers:
        scanner, _, check = peer.partition(":")
        if scanner not in SCANNERS or not check:
            raise TypeError(f"{peer!r} is no check of {', '.join(SCANNERS)}, as 'checkov:CKV_K8S_16'")

    def mark(function: Callable[..., Steps]) -> Callable[..., Steps]:
        if risk is not None and risk not in RISKS:
            raise TypeError(f"unknown risk {risk!r}")
        texts = _documentation(function)
        folder = function.__module__.rpartition(".")[0].rpartition(".")[2]
        named = RISKS[risk] if risk else BY_FOLDER.get(folder, RISKS["K01"])
        function.__transform__ = Transform(  # type: ignore[attr-defined]
            id=function.__name__.replace("_", "-"), risk=named.id, risk_2022=risk_2022 or named.id_2022, stage=stage,
            severity=severity, pss=pss, cis=cis, classes=frozenset(classes), absence=absence, after=after,
            only_reports=only_reports, any_image=any_image, peers=peers, module=function.__module__,
            source=lambda: Declaration(function, each, options), **texts,
        )  # fmt: skip
        return function

    return mark


def name_of(view: type) -> str:
    """Return what ``view`` is called without its class."""
    return f"{view.__module__}:{view.__qualname__}"


def option_name(attribute: str) -> str:
    """Return what the option is called that an attribute of an options class holds: ``from_`` holds ``from``."""
    return attribute.rstrip("_").replace("_", "-")


def attribute_name(option: str) -> str:
    """Return the attribute that holds ``option``; a keyword of Python has ``_`` behind it."""
    name = option.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


@cache
def _options(options: type) -> Options:
    hints = get_type_hints(options)
    types = {}
    for item in fields(options):
        hint = hints[item.name]
        types[option_name(item.name)] = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return Options(options.GROUP, types)  # type: ignore[attr-defined]


def _documentation(function: Callable[..., Any]) -> dict[str, str]:
    """The texts of a transform, from its docstring: a title and a paragraph for each of ``_PARTS``."""
    paragraphs = [" ".join(part.split()) for part in _BLANK_LINE.split((function.__doc__ or "").strip())]
    if not paragraphs[0].endswith("."):
        raise TypeError(f"the docstring of {function.__name__} begins with a sentence")
    title = paragraphs[0].removesuffix(".")
    texts = {"title": title, "problem": f"not done yet: {title}", "result": paragraphs[0]}
    for name, (attribute, is_required) in _PARTS.items():
        found = [part.removeprefix(f"{name}: ") for part in paragraphs if part.startswith(f"{name}: ")]
        if len(found) > 1 or (is_required and not found):
            raise TypeError(f"the docstring of {function.__name__} needs one paragraph that begins '{name}: '")
        if found:
            texts[attribute] = found[0]
    return texts | {"problem": texts["problem"].removesuffix(".")}
