"""Profiles: which transforms run, which only report, and with what options."""

from __future__ import annotations

import os
from typing import Annotated, Any

import msgspec
from msgspec import Struct, field

from hardener.authoring import registry
from hardener.authoring.config import parsed_file
from hardener.authoring.document_errors import explained
from hardener.authoring.transform import Transform, attribute_name
from hardener.errors import InputError
from hardener.sources.files import git_root, is_inside
from hardener.support.near_names import meant

BUILT_IN = ("baseline", "restricted", "strict")


class NotContainedError(InputError):
    """What ``--only`` names is not in the profile. ``better`` is the first built-in profile that has it; None where
    none does, as for a transform that a package brings."""

    def __init__(self, name: str, profile: str, better: str | None) -> None:
        self.name, self.profile, self.better = name, profile, better
        own = f"name it below transforms: in a profile that extends {profile}"
        remedy = f"use --profile {better}" if better else own
        super().__init__(f"--only {name}: profile {profile} does not contain it, so nothing would run; {remedy}")


class Profile(Struct):
    """``members`` maps transform ids to True (its changes are made) or False (it only reports). ``given`` are the
    groups of options that a person set; what the program itself sets needs no check."""

    name: str
    description: str = ""
    members: dict[str, bool] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def steps(self) -> list[tuple[Transform, bool]]:
        """Return the transforms of the profile in the order in which they run, with whether they may change
        anything."""
        known = registry.transforms()
        return [(known[id], self.members[id]) for id in known if id in self.members]

    def require(self, name: str, ids: list[str]) -> None:
        """Raise NotContainedError where the profile has none of the transforms ``ids``, which ``name`` stands for: a
        run of these alone would do nothing, and pass."""
        if self.members.keys().isdisjoint(ids):
            raise NotContainedError(
                name, self.name, next((each for each in BUILT_IN if ids[0] in load(each).members), None)
            )

    def options_of(self, transform: Transform) -> Any:
        """Return the options of ``transform`` as its own dataclass, None when it has none. Raises InputError."""
        if transform.options is None or transform.takes is None:
            return None
        values = self.options.get(transform.takes.group, {})
        return transform.options(**{attribute_name(name): value for name, value in values.items()})

    def is_given(self, transform: Transform) -> bool:
        """Return whether a person set options of ``transform``, which may be wrong."""
        return transform.takes is not None and transform.takes.group in self.given

    def set_option(self, name: str, value: Any, where: str) -> None:
        """Set ``group.key``. Raises InputError for an unknown option or a value of another type."""
        group, _, key = name.partition(".")
        known = option_types()
        if group not in known or key not in known[group]:
            names = [f"{g}.{k}" for g, keys in known.items() for k in keys]
            raise InputError(f"{where}: unknown option {name}{meant(name, names)}")
        wanted = known[group][key]
        if isinstance(value, int) and not isinstance(value, bool) and str in wanted and int not in wanted:
            value = str(value)
        if type(value) not in wanted:
            kinds = " or ".join(kind.__name__ for kind in wanted)
            raise InputError(f"{where}: option {name} takes {kinds}")
        self.options.setdefault(group, {})[key] = value
        if where not in BUILT_IN:
            self.given.add(group)


def option_types() -> dict[str, dict[str, tuple[type, ...]]]:
    """Return the options of all transforms: types by key by group."""
    return {item.takes.group: item.takes.types for item in registry.transforms().values() if item.takes is not None}


def load(name: str, *, folder: str | None = None, root: str | None = None, trusts: bool = True) -> Profile:
    """Return the profile called ``name``: a built-in one, or the file at this path (seen from ``folder``, where there
    is one that of the file that names it).

    ``root`` is that of the tree that is hardened: what a file in it names lies in it, too. Without ``trusts`` no file
    of the tree is a profile. Raises InputError for that, when there is no such profile, when it is not one, or when it
    names what does not exist.
    """
    return _load(name, folder or os.getcwd(), (), _Bounds(root, trusts, folder))


class _Bounds(Struct, frozen=True):
    """Which files may be profiles of the tree ``root``; ``folder`` is that of the file that names the first."""

    root: str | None
    trusts: bool
    folder: str | None

    def check(self, path: str, name: str, above: tuple[str, ...]) -> None:
        """Raise InputError where the file ``path`` may not be read; ``above`` are those that extend it."""
        root = self.root or (above and git_root(os.path.dirname(above[0])))
        if not root:
            return
        if not self.trusts and is_inside(path, root):
            raise InputError(f"--no-waivers: profile {name} is in the tree that is judged; name a file outside of it")
        namer = above[-1] if above else self.folder and os.path.realpath(self.folder)
        if namer and is_inside(namer, root) and not is_inside(path, root):
            raise InputError(f"{name}: the profile lies outside of the tree that names it, and is not read")


def _load(name: str, folder: str, above: tuple[str, ...], bounds: _Bounds) -> Profile:
    path = _path(name, folder, above, bounds)
    if path in above:
        raise InputError(f"{name}: the profile extends itself")
    document = _read(path, name)
    if name not in BUILT_IN:
        _check(document, name)
    base = document.get("extends")
    profile = _load(base, os.path.dirname(path), (*above, path), bounds) if base else Profile(name)
    profile.name, profile.description = name, document.get("description", "")
    _change_members(profile, document)
    for group, values in (document.get("options") or {}).items():
        for key, value in (values or {}).items():
            profile.set_option(f"{group}.{key}", value, name)
    return profile


def _path(name: str, folder: str, above: tuple[str, ...], bounds: _Bounds) -> str:
    if name in BUILT_IN:
        return os.path.join(_built_in_folder(), f"{name}.yaml")
    path = os.path.realpath(os.path.join(folder, name))
    bounds.check(path, name, above)
    if not name.endswith((".yaml", ".yml")) and os.sep not in name:
        names = ", ".join(BUILT_IN)
        raise InputError(f"unknown profile {name}{meant(name, BUILT_IN)}: {names}, or a file")
    return path


def _change_members(profile: Profile, document: dict[str, Any]) -> None:
    known = registry.transforms()
    memberships: tuple[tuple[str, bool | None], ...] = (("transforms", True), ("report", False), ("without", None))
    for key, changes in memberships:
        for id in document.get(key) or []:
            if id not in known:
                raise InputError(f"{profile.name}: unknown transform {id}{meant(id, known)}")
            if changes is None:
                profile.members.pop(id, None)
            else:
                profile.members[id] = changes


def _built_in_folder() -> str:
    here = os.path.dirname(os.path.dirname(__file__))
    inside = os.path.join(here, "profiles")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(here), "profiles")


def _read(path: str, name: str) -> dict[str, Any]:
    if not os.path.lexists(path):
        raise InputError(f"{name}: no such profile file")
    documents = parsed_file(path, name).documents
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise InputError(
            f"{name}: a profile is one mapping with the keys extends, transforms, report, without, options"
        )
    return documents[0]


def document_record() -> Any:
    """Return what a profile file looks like, for msgspec."""

    def told(kind: Any, text: str) -> Any:
        return Annotated[kind, msgspec.Meta(description=text)]

    options = dict[str, dict[str, str | int | float | bool]]
    return msgspec.defstruct(
        "Document",
        [
            ("description", told(str, "One line for harden profiles."), ""),
            ("extends", told(str | None, "The profile that this one changes: a built-in one, or a file."), None),
            ("transforms", told(list[str], "Transforms whose changes are made."), []),
            ("report", told(list[str], "Transforms that change nothing and only report."), []),
            ("without", told(list[str], "Transforms of the extended profile that do not run."), []),
            ("options", told(options, "Profile options by group."), {}),
        ],
        forbid_unknown_fields=True,
    )


def _check(document: dict[str, Any], name: str) -> None:
    record = document_record()
    try:
        msgspec.convert(document, record)
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {explained(error, {'': record})}") from None
