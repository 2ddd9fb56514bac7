"""What of the changes of a workload stops it: by what its log says first, by halving where that says nothing.

A run is asked for by its spec, once. What is missing is given before a change is left out: capabilities that a log
names, and those that it used as it is. The fewest of them stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import WrongShapeError
from hardener.observe import capability_trial, log_evidence
from hardener.observe.capability_trial import TRANSFORM, Names
from hardener.observe.container_activity import Activity, gains_rights
from hardener.observe.halving import MOST, Halving, TooManyError
from hardener.observe.pod_run import Came
from hardener.observe.pod_steps import DecidedPod, PodStep

Map = dict[str, Any]
Run = Callable[[Map, bool], Came]
"""Runs a workload with a spec; True: it is all that was decided."""
_NO_RAISE = "no-privilege-escalation"
_FEW = 4  # changes are put back one at a time
# Changes that belong together, those first that stop most workloads.
_GROUPS = (
    frozenset({"read-only-root-filesystem"}),
    frozenset({TRANSFORM, _NO_RAISE}),
    frozenset({"run-as-user", "run-as-non-root", "fs-group", "root-group"}),
)


class Trials:
    """The runs of one workload, each spec once, and ``most`` at most: then TooManyError is raised."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: dict[str, Came] = {}
        self.runs = 0

    def known(self, spec: Map) -> Came | None:
        """How it came up with ``spec``; None where nobody tried."""
        return self._known.get(_text(spec))

    def note(self, spec: Map, came: Came) -> None:
        """Say how it came up with ``spec``."""
        self._known[_text(spec)] = came

    def came(self, spec: Map, whole: bool, run: Run) -> Came:
        """How it came up with ``spec``, which ``run`` is asked where nobody has tried."""
        found = self.known(spec)
        if found is None:
            if self.runs >= self._most:
                raise TooManyError
            self.runs += 1
            found = run(spec, whole)
            self.note(spec, found)
        return found


class Needs(Struct, eq=False):
    """The capabilities of a container by trial: ``names`` that are ``given`` now, and those of them that are
    ``proved``: a line said that it failed for want of this one alone, or it was seen to use it."""

    names: Names = ()
    proved: set[str] = field(default_factory=set)

    def give(self, names: Iterable[str], proved: Iterable[str] = ()) -> None:
        """Give ``names``, too, of which some are ``proved``."""
        self.names = capability_trial.complete([*self.names, *names])
        self.proved.update(proved)


class Cause(Struct, frozen=True):
    """Steps that stop it, the last one beside the others, and why; None: it came up with them at another time."""

    steps: tuple[PodStep, ...]
    because: str | None


class ChangeSearch:
    """Looks for what of ``steps`` of ``found`` stops a workload, with ``trials``. ``seen`` is what it did as it is,
    ``needs`` what is known of the capabilities of its containers, ``starts_as_root`` who begins as root in a spec.
    ``gives``: capabilities are tried at all."""

    def __init__(
        self,
        found: DecidedPod,
        steps: Sequence[PodStep],
        trials: Trials,
        run: Run,
        *,
        seen: Mapping[str, Activity],
        needs: dict[str, Needs],
        starts_as_root: Callable[[Map, str], bool],
        gives: bool = True,
    ) -> None:
        self._found, self._steps, self._trials, self._run = found, list(steps), trials, run
        self._seen, self._needs, self._starts_as_root, self._gives = seen, needs, starts_as_root, gives

    def spec(self, chosen: Iterable[PodStep]) -> Map:
        """The spec with ``chosen``, and the capabilities that are given by now."""
        steps = makeable(self._found, chosen)
        changed = {name: (capability_trial.given(step.settings[name]), self._needs[name].names)
                   for step in steps for name in _droppers(step) if name in self._needs}  # fmt: skip
        return capability_trial.with_capabilities(self._found.spec(steps), changed)

    def settings(self, step: PodStep) -> dict[str, tuple[str, ...]]:
        """What ``step`` sets for each container, with the capabilities that are given by now."""
        found = dict(step.settings)
        for name in _droppers(step):
            if name in self._needs:
                found[name] = tuple(sorted(capability_trial.settings(self._needs[name].names)))
        return found

    def came(self, chosen: Sequence[PodStep]) -> Came:
        """How it comes up with ``chosen``."""
        return self._trials.came(self.spec(chosen), len(chosen) == len(self._steps), self._run)

    def _holds(self, chosen: Sequence[PodStep]) -> bool:
        return not chosen or self.came(chosen).up

    def causes(self) -> tuple[list[Cause], list[PodStep]]:
        """What stops it, and the steps with which it comes up. Raises TooManyError."""
        halving = Halving(self._holds)
        out = self._suspects()
        if out is None:
            groups = [group for group in _grouped(self._steps) if group]
            by_group = Halving[list[PodStep]](lambda some: self._holds([step for each in some for step in each]))
            out = [step for group in by_group.left_out(groups) for step in group]
        out = self._put_back(out) if len(out) <= _FEW else halving.left_out(self._steps, out)
        out = self._with_capabilities(out)
        left = self._without(out)
        found = [self._cause(halving, step, left) for step in out]
        self._fewest_capabilities(left)
        return found, left

    def _put_back(self, out: list[PodStep]) -> list[PodStep]:
        """``out`` without those that do not stop it: each is put back to the others, an early one first."""
        for step in list(out):
            rest = [each for each in out if each is not step]
            if self._holds(self._without(rest)):
                out = rest
        return out

    def _without(self, out: Sequence[PodStep]) -> list[PodStep]:
        return [step for step in self._steps if not _is_in(step, out)]

    def _suspects(self) -> list[PodStep] | None:
        """Those that the lines of its log speak of, or else what it did as it is, left out until it comes up; None
        where it does not, and nothing speaks of another."""
        out: list[PodStep] = []
        while rest := self._without(out):
            came = self.came(rest)
            if came.up:
                break
            if self._give(came, rest):
                continue
            named = self._named(came, rest) or self._expected(rest)
            if not named:
                return out if self._comes_up_with_more(rest) else None
            out += named
        return out

    def _comes_up_with_more(self, rest: Sequence[PodStep]) -> bool:
        """Whether ``rest`` comes up where its containers are given the capabilities that they used as they are, or else
        all that they may have: no line says what they lack. Where it does not, they have what they had."""
        if not self._gives:
            return False
        before = {name: (needs.names, set(needs.proved)) for name, needs in self._needs.items()}
        found = {name: self._may(rest, name) for name in _all_droppers(rest)}
        may = {name: names for name, names in found.items() if names == capability_trial.ALL}
        for give in (self._give_used, self._give_all):
            known = {name: needs.names for name, needs in self._needs.items()}
            for name, names in may.items():
                give(name, names)
            if known != {name: needs.names for name, needs in self._needs.items()} and self.came(rest).up:
                return True
        for name, needs in self._needs.items():
            needs.names, needs.proved = before.get(name, ((), set()))
        return False

    def _named(self, came: Came, rest: Sequence[PodStep]) -> list[PodStep]:
        ids = log_evidence.suspected(_lines(came))
        named = [step for step in rest if step.id in ids]
        users = [step for step in named if step.id in _GROUPS[2]]
        # Who is not root has no use for a capability.
        return [step for step in named if step.id != TRANSFORM] if users else named

    def _expected(self, rest: Sequence[PodStep]) -> list[PodStep]:
        """Those of ``rest`` that what it did as it is speaks of: it wrote where no volume can be, it ran what gives
        rights by its file, or it was root."""
        signs = (
            (any(seen.occupied for seen in self._seen.values()), _GROUPS[0]),
            (any(map(gains_rights, self._seen.values())), frozenset({_NO_RAISE})),
            (any(seen.user == 0 for seen in self._seen.values()), _GROUPS[2]),
        )
        expected = ([step for step in rest if step.id in ids] for is_so, ids in signs if is_so)
        return next(filter(None, expected), [])

    def _give(self, came: Came, chosen: Sequence[PodStep]) -> bool:
        """Give the containers of ``chosen`` the capabilities that the lines of ``came`` name, and those that they used
        as they are; whether any is new."""
        is_new = False
        for name in _all_droppers(chosen) if self._gives else ():
            lines = [came.reason, *(line for of, line in came.said if of == name)]
            may = self._may(chosen, name)
            needs = self._needs.setdefault(name, Needs())
            lacking = log_evidence.lacking(lines, may)
            if may == capability_trial.OF_FILES and log_evidence.is_refused(lines):
                lacking = dict.fromkeys(self._used(name, may), True)  # a program that carries it is not even started
            if lacking.keys() <= set(needs.names):
                continue
            is_new = True
            needs.give(lacking, {each for each, alone in lacking.items() if alone})
            self._give_used(name, may)
        return is_new

    def _may(self, chosen: Sequence[PodStep], name: str) -> Names:
        """What a container may be given: of use to root, or to who becomes root by a file that it runs, or to a program
        whose file carries it."""
        raises = bool(self._raised(name)) and not any(step.id == _NO_RAISE for step in chosen)
        has_use = raises or self._starts_as_root(self.spec(chosen), name)
        return capability_trial.ALL if has_use else capability_trial.OF_FILES

    def _raised(self, name: str) -> set[str]:
        return self._seen[name].raised if name in self._seen else set()

    def _used(self, name: str, may: Names) -> list[str]:
        return [each for each in capability_trial.used(self._seen.get(name, Activity())) if each in may]

    def _give_used(self, name: str, may: Names) -> None:
        """Give what it was seen to use: without that it could not do what it does as it is."""
        used = self._used(name, may)
        self._needs.setdefault(name, Needs()).give(used, used)

    def _give_all(self, name: str, may: Names) -> None:
        self._needs.setdefault(name, Needs()).give(may)

    def _with_capabilities(self, out: list[PodStep]) -> list[PodStep]:
        """``out`` without the dropping of capabilities, where it comes up with some of them: those that it used as it
        is, else all that it may have."""
        for step in [step for step in out if self._gives and _droppers(step)]:
            chosen = [each for each in self._steps if each is step or not _is_in(each, out)]
            may = {name: self._may(chosen, name) for name in _droppers(step)}
            for give in (self._give_used, self._give_all):
                for name, names in may.items():
                    give(name, names)
                if self.came(chosen).up:
                    out = [each for each in out if each is not step]
                    break
        return out

    def _cause(self, halving: Halving[PodStep], step: PodStep, left: list[PodStep]) -> Cause:
        """What it takes for ``step`` to stop it, and why; None for that where it does not, seen again."""
        beside = [each for each in self._steps if each is step or _is_in(each, left)]
        came = self.came(beside)
        because: str | None = came.reason
        if step.id in log_evidence.suspected(_lines(came)) or self._expected([step]):
            return Cause((step,), because)  # there are signs of it, and without it it comes up
        found = halving.cause(step, left)
        if len(found) > 1 and self._run(self.spec(beside), False).up:
            because = None
        return Cause(tuple(found), because)

    def _fewest_capabilities(self, left: Sequence[PodStep]) -> None:
        """Leave out what is given and not needed, container by container."""
        for name in _all_droppers(left):
            needs = self._needs.get(name)
            if needs is None or set(needs.names) <= needs.proved:
                continue

            def suffice(names: Names, needs: Needs = needs) -> bool:
                before, needs.names = needs.names, names
                try:
                    return self.came(left).up
                finally:
                    needs.names = before

            needs.names = capability_trial.minimal(needs.names, needs.proved, suffice)


def makeable(found: DecidedPod, steps: Iterable[PodStep]) -> list[PodStep]:
    """``steps`` without those that lean on one that is not among them."""
    chosen: list[PodStep] = []
    for step in steps:
        try:
            found.spec([*chosen, step])
        except WrongShapeError:
            continue
        chosen.append(step)
    return chosen


def _lines(came: Came) -> list[str]:
    return [came.reason, *(line for _, line in came.said)]


def _droppers(step: PodStep) -> list[str]:
    """The containers of which ``step`` drops all capabilities."""
    if step.id != TRANSFORM:
        return []
    return [name for name, settings in step.settings.items() if capability_trial.DROPS_ALL in settings]


def _all_droppers(steps: Iterable[PodStep]) -> list[str]:
    return [name for step in steps for name in _droppers(step)]


def _grouped(steps: Sequence[PodStep]) -> list[list[PodStep]]:
    """``steps`` by what they are about; those that stop most are last, where halving looks first."""
    known = frozenset().union(*_GROUPS)
    rest = [step for step in steps if step.id not in known]
    return [rest, *([step for step in steps if step.id in ids] for ids in reversed(_GROUPS))]


def _is_in(step: PodStep, steps: Iterable[PodStep]) -> bool:
    return any(step is each for each in steps)


def _text(spec: Map) -> str:
    return json.dumps(spec, sort_keys=True, default=str)
