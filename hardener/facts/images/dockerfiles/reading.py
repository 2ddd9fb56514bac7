"""An image as its Dockerfile says it is: what a stage leaves, told as ``BuiltImage``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from hardener.facts.images.dockerfiles.accounts import Account, number
from hardener.facts.images.dockerfiles.copied_folders import copied_folders
from hardener.facts.images.dockerfiles.entrypoint_scripts import shown_by
from hardener.facts.images.dockerfiles.model import BuiltImage, Rank, Said, least
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.facts.images.dockerfiles.stage import Stage
from hardener.kubernetes.images import reference as image_reference

T = TypeVar("T")
_MOST = 200  # paths of one kind


def image_of(
    stage: Stage, files: RepositoryFiles, dockerfile: str, rank: Rank, named_by: Said[str] | None
) -> BuiltImage:
    """The image of ``stage``, which is the last one of the Dockerfile of that name or the one that the build names."""
    uid, gid = _numbers(stage)
    shown = shown_by(stage, files)
    base = image_reference.parse(stage.base.value) if stage.base is not None else None
    unknown = set(stage.unknown)
    if stage.base is not None and base is None:
        unknown.add("base")
    return BuiltImage(
        dockerfile=dockerfile,
        rank=least(rank, stage.rank),
        named_by=named_by,
        base=base,
        base_said=stage.base,
        from_scratch=stage.from_scratch,
        through=stage.through,
        user=stage.user,
        uid=uid,
        gid=gid,
        ports=_once(stage.ports),
        volumes=_once(stage.volumes),
        workdir=stage.workdir,
        entrypoint=stage.entrypoint,
        cmd=stage.cmd,
        env=tuple((name, said) for name, said in stage.env.items() if said is not None and _is_folder(said.value))[
            :_MOST
        ],
        given=_given(stage, uid, gid),
        filled=_once([*stage.filled, *copied_folders(stage, files), *stage.worked_in]),
        capabilities=_once(
            Said(" ".join(filter(None, said.value)), said.file, said.line) for said in stage.capabilities
        ),
        servers=_once(stage.servers),
        root_commands=_once(shown.root_commands),
        writes=_once(shown.writes),
        installs=_once(shown.installs),
        starts=_once(shown.starts),
        asks_who=shown.asks_who,
        needs_root=_once(shown.needs_root),
        writes_as_any=_once(shown.writes_as_any),
        script_read=shown.is_read,
        unknown=frozenset(unknown),
    )


def _is_folder(value: str) -> bool:
    return value.startswith("/") and ":" not in value and "\n" not in value and len(value) <= 4096


def _once(found: Iterable[Said[T]]) -> tuple[Said[T], ...]:
    """Each value once, where it is said first."""
    kept: dict[T, Said[T]] = {}
    for said in found:
        if len(kept) == _MOST:
            break
        kept.setdefault(said.value, said)
    return tuple(kept.values())


def _numbers(stage: Stage) -> tuple[Said[int] | None, Said[int] | None]:
    """The numbers of the user in effect and of its group; of a name those of the account that was made last."""
    if stage.user is None:
        return None, None
    name, _, group = stage.user.value.partition(":")
    users = {said.value.name: said for said in stage.accounts if not said.value.is_group}
    groups = {said.value.name: said for said in stage.accounts if said.value.is_group}
    uid = _number(name, stage.user, users)
    if group:
        return uid, _number(group, stage.user, groups)
    if name in ("root", "0"):
        return uid, uid
    account = users.get(name) or _with_number(users.values(), uid)
    return uid, _group_of(account, stage.user, groups) if account is not None else None


def _number(text: str, user: Said[str], known: Mapping[str, Said[Account]]) -> Said[int] | None:
    """The number that ``text`` is, a part of USER, or has among the ``known`` accounts."""
    plain = 0 if text == "root" else number(text)
    if plain is not None:
        return Said(plain, user.file, user.line)
    said = known.get(text)
    if said is None or said.value.number is None:
        return None
    return Said(said.value.number, said.file, said.line)


def _with_number(users: Iterable[Said[Account]], uid: Said[int] | None) -> Said[Account] | None:
    if uid is None:
        return None
    return next((said for said in users if said.value.number == uid.value), None)


def _group_of(account: Said[Account], user: Said[str], groups: Mapping[str, Said[Account]]) -> Said[int] | None:
    """The number of the group of a user: the one that it was made with, else the one that has its name."""
    group = account.value.group
    if not group:
        return _number(account.value.name, user, groups) if account.value.name in groups else None
    plain = number(group)
    return Said(plain, account.file, account.line) if plain is not None else _number(group, user, groups)


def _given(stage: Stage, uid: Said[int] | None, gid: Said[int] | None) -> tuple[Said[str], ...]:
    """The paths that the user in effect may write to. Root may write everywhere, and nobody knows who the user of a
    base is: for these only what everybody may write to is named."""
    names, groups = _called(stage, uid, gid)
    owners: dict[str, str | None] = {}
    of_group: dict[str, str] = {}
    kept: dict[str, Said[str]] = {}
    for given in stage.gifts:
        gift = given.value
        path = posixpath.normpath(gift.path)
        before = owners.get(path)
        owners[path] = gift.owner or before
        of_group[path] = gift.group or of_group.get(path, "")
        is_of_another = gift.owner is not None and gift.owner not in names
        if is_of_another and not gift.anybody and before in names:
            kept.pop(path, None)  # it was taken away again
        elif gift.anybody or gift.owner in names or (gift.group_writes and of_group[path] in groups):
            kept.setdefault(path, Said(path, given.file, given.line))
    return tuple(kept.values())[:_MOST]


def _called(stage: Stage, uid: Said[int] | None, gid: Said[int] | None) -> tuple[set[str], set[str]]:
    """What the user in effect and its groups are called, by name and number; root is left out of the users."""
    name, _, group = stage.user.value.partition(":") if stage.user is not None else ("", "", "")
    names = {name, *_text_of(uid)}
    groups = {group, *_text_of(gid)}
    for account in (said.value for said in stage.accounts):
        called = groups if account.is_group else names
        if account.number is not None and str(account.number) in called:
            called.add(account.name)
        if not account.is_group and account.name in names and account.group and not group:
            groups.add(account.group)
    has_account = any(said.value.name in names for said in stage.accounts)
    if number(name) is not None and not group and not has_account:
        groups |= {"0", "root"}  # a number without an account is in the group of root
    return names - {"", "root", "0"}, groups - {""}


def _text_of(said: Said[int] | None) -> tuple[str, ...]:
    return (str(said.value),) if said is not None else ()


_OF_THE_BUILD = frozenset({"dockerfile", "rank", "named_by", "base_said", "through", "unknown"})
_EITHER = frozenset({"filled"})  # where one says it, it may be so


def agreed(images: Sequence[BuiltImage]) -> BuiltImage | None:
    """What all of ``images`` say of one image; a field on which they do not agree is not known. None where they do not
    agree on anything."""
    first, *others = images
    if not others:
        return first
    kept: dict[str, object] = {}
    unknown = set[str]().union(*(image.unknown for image in images))
    shared = 0
    nothing = BuiltImage(first.dockerfile, first.rank, None)
    for name in BuiltImage.__struct_fields__:
        if name in _OF_THE_BUILD:
            continue
        values = [_plain(getattr(image, name)) for image in images]
        if name in _EITHER:
            kept[name] = _once(said for image in images for said in getattr(image, name))
        elif all(value == values[0] for value in values):
            shared += bool(values[0])
            kept[name] = getattr(first, name)
        else:
            kept[name] = getattr(nothing, name)
            unknown.add(name)
    if not shared:
        return None
    return replace(first, **kept, unknown=frozenset(unknown))


def _plain(value: object) -> object:
    """A value without the places that say it."""
    if isinstance(value, Said):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.text if isinstance(value, image_reference.ImageReference) else value
