"""Which policies are written, and which of them refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.errors import InputError
from hardener.kubernetes.policies.admission_rules import RULES, AdmissionRule
from hardener.kubernetes.policies.kyverno import version

_PREFIX = "harden-"


@dataclass(frozen=True)
class Policies:
    """``generate``: the policies that are written, "all" or names with commas between; ``deny``: those that refuse
    where the tree shows everything, the others only warn. ``kyverno_version``: "1.16"; empty where the tree says it.
    ``mutate``: a policy that gives pods a default is written, too."""

    GROUP: ClassVar[str] = "policies"
    generate: str = "all"
    deny: str = "all"
    kyverno_version: str | float = ""
    mutate: bool = False

    def rules(self) -> list[tuple[AdmissionRule, bool]]:
        """Return the rules that are written, each with whether it refuses. Raises InputError for a name that is
        none."""
        written, refusing = (_names(key, getattr(self, key)) for key in ("generate", "deny"))
        return [(rule, name in refusing) for name, rule in RULES.items() if name in written]

    @property
    def release(self) -> tuple[int, int] | None:
        """The version of Kyverno that is asked for. Raises InputError where it is none."""
        asked = self.kyverno_version
        # YAML reads 1.20 as the number 1.2, and nobody runs Kyverno 1.1 or 1.2 of 2020.
        found = version(f"{asked}0" if isinstance(asked, float) and asked < 1.3 and len(str(asked)) < 4 else str(asked))
        if asked and found is None:
            raise InputError(f"policies.kyverno-version: {self.kyverno_version} is no version such as 1.16")
        return found


def _names(key: str, value: str) -> set[str]:
    if value == "all":
        return set(RULES)
    names = {_PREFIX + name.strip() for name in value.split(",") if name.strip()}
    for name in sorted(names - set(RULES)):
        known = ", ".join(each.removeprefix(_PREFIX) for each in RULES)
        raise InputError(f"policies.{key}: {name.removeprefix(_PREFIX)} is none of all, {known}")
    return names
