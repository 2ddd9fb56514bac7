"""What a run was asked for, as words of a command line: a report names commands that a person can copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from hardener.support.shell_words import quoted, quoted_path

_MOST = 4  # paths; more are not repeated
# Options that not every command knows: those of a judgement, and those of what is written.
_JUDGES = ("since", "whole", "baseline", "no_waivers", "lock")
_WRITES = ("prune_managed", "out_of_band", "secrets_out", "audit_log", "pin_format")
# Options of ``values`` alone, or of the tree around the manifests, which a chart has not.
_OF_CHARTS = ("in_place", "output")
_OF_TREES = ("evidence", "policy_engine", "chart_values")
_UNKNOWN = {
    "apply": _JUDGES,
    "check": ("chart_values", *_OF_CHARTS),
    "diff": ("baseline", "chart_values", *_OF_CHARTS),
    "values": (*_JUDGES, *_WRITES, *_OF_TREES),
    "baseline write": ("since", "whole", "no_waivers", "lock", "chart_values", *_OF_CHARTS, *_WRITES),
}
# Commands that know few options.
_KNOWN = {
    "lock": ("config", "evidence"),
    "lock --charts": ("config", "evidence"),
    "observe": ("profile", "config", "evidence"),
}
_SIGNS = {"chart_values": "--values"}  # options that are not called like what they are about
_SIGNS_OF = {"values": {"set": "--option"}}  # and those that one command calls otherwise


class GivenOptions(Struct, frozen=True):
    """The paths of a run and the options that were given, each with its values (none: a switch)."""

    paths: tuple[str, ...] = ()
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @staticmethod
    def of(paths: list[str], given: Mapping[str, object]) -> GivenOptions:
        """What was asked for by ``paths`` and the options ``given``, by the names of their parameters."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for name, value in given.items():
            if value is True:
                found.append((name, ()))
            elif isinstance(value, list | tuple):
                found += [(name, tuple(map(str, value)))] if value else []
            elif value is not None and value is not False:
                found.append((name, (str(value),)))
        return GivenOptions(tuple(paths), tuple(found))

    def gives(self, *names: str) -> bool:
        """Whether one of the options ``names`` was given."""
        return any(option in names for option, _ in self.options)

    def values(self, name: str) -> Iterator[str]:
        """What was given for the option ``name``, also several with commas between them."""
        for option, values in self.options:
            if option == name:
                yield from (part for value in values for part in value.split(","))

    @property
    def is_judged_apart(self) -> bool:
        """Whether an option chooses among the changes that ``apply`` would make: it knows none of these."""
        return self.gives(*_JUDGES)

    def about(self, files: Iterable[str]) -> GivenOptions:
        """The same for ``files`` alone; for all paths where the files are many."""
        found = tuple(dict.fromkeys(files))
        return replace(self, paths=found) if len(found) <= _MOST else self

    def command(self, name: str, *more: str) -> str:
        """The command ``name`` for the same paths and options, as far as it knows them, with the words ``more``."""
        words = ["harden", *name.split()]
        paths = [quoted_path(path) for path in self.paths] if len(self.paths) <= _MOST else ["PATH..."]
        options: list[str] = []
        signs = _SIGNS | _SIGNS_OF.get(name, {})
        for option, values in self.options:
            if option not in _UNKNOWN.get(name, ()) and option in _KNOWN.get(name, (option,)):
                sign = signs.get(option, "--" + option.replace("_", "-"))
                options += [word for value in values for word in (sign, value)] if values else [sign]
        return " ".join([*words, *paths, *map(quoted, [*options, *more])])
