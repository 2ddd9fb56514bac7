"""The capabilities that a container needs, found by trial: which may be, how a spec has them, the fewest that do.

None is ever given that is more than Pod Security level baseline allows: what needs NET_RAW keeps what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from hardener.kubernetes.pods.capabilities import BASELINE, BIND, BY_BIT
from hardener.observe.container_activity import Activity
from hardener.observe.halving import TooManyError, fewest
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]
Names = tuple[str, ...]
TRANSFORM = "drop-capabilities"
DROPS_ALL = 'securityContext.capabilities.drop+="ALL"'
_ADDS = 'securityContext.capabilities.add+="'
# All that may be given, those first that are needed most often: to become another user, and to prepare its files.
ALL: Names = (
    "SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "NET_BIND_SERVICE", "FOWNER", "SYS_CHROOT", "KILL", "SETPCAP",
    "FSETID", "AUDIT_WRITE", "SETFCAP", "MKNOD",
)  # fmt: skip
OF_FILES: Names = (BIND,)
"""What is given to a user that is not root, who has it by the file of a program alone."""
_CHROOT = "SYS_CHROOT"
_OUT_OF_ROOT: Names = ("SETUID", "SETGID")
_FEW = 4  # as many are left out one at a time
_LOW = 1024  # a port below it is shut for who is not root
assert set(ALL) == BASELINE


def ordered(names: Iterable[str]) -> Names:
    """``names`` as a manifest lists them, each once."""
    return tuple(sorted(set(names), key=BY_BIT.index))


def complete(names: Collection[str]) -> Names:
    """``names``, and with the right to change the root folder that to become another user there: root could come back
    (chroot(2)), and a program may stay root and report nothing where it cannot."""
    return ordered([*names, *_OUT_OF_ROOT] if _CHROOT in names else names)


def used(seen: Activity) -> Names:
    """The capabilities that a container must have used for what was ``seen`` of it, where it began as root."""
    # What waits for its hour is another user for a moment that no look may have met.
    becomes = any(well and entry.user not in ("", "root") for entry, well in seen.timers.items())
    found = ["SETUID"] if becomes or any(seen.users) else []
    found += ["SETGID"] if becomes or seen.regrouped else []
    found += [BIND] if any(int(port.partition("/")[0]) < _LOW for port in seen.listens) else []
    return complete([*found, _CHROOT] if seen.jailed else found)


def given(settings: Iterable[str]) -> Names:
    """The capabilities that a step with these settings adds."""
    return tuple(each.removeprefix(_ADDS).rstrip('"') for each in settings if each.startswith(_ADDS))


def settings(names: Iterable[str]) -> set[str]:
    """What a step is called by that drops all capabilities and adds ``names``."""
    return {DROPS_ALL, *(f'{_ADDS}{name}"' for name in names)}


def with_capabilities(spec: Map, changed: Mapping[str, tuple[Collection[str], Names]]) -> Map:
    """``spec`` where each container of ``changed`` has other capabilities added: not the first, but the second ones."""
    made = dict(spec)
    for key in ("initContainers", "containers"):
        if isinstance(spec.get(key), list):
            made[key] = [_changed(each, changed.get(str(each.get("name")))) for each in mappings(spec[key])]
    return made


def _changed(container: Map, change: tuple[Collection[str], Names] | None) -> Map:
    if change is None or set(change[0]) == set(change[1]):
        return container
    context = mapping(container.get("securityContext"))
    held = mapping(context.get("capabilities"))
    kept = [name for name in held.get("add") or [] if name not in change[0]]
    added = [*kept, *(name for name in change[1] if name not in kept)]
    capabilities = {key: value for key, value in held.items() if key != "add"} | ({"add": added} if added else {})
    return container | {"securityContext": context | {"capabilities": capabilities}}


def minimal(names: Collection[str], proved: Collection[str], suffice: Callable[[Names], bool]) -> Names:
    """The fewest of ``names``, all of which ``suffice``, by trial: all but those that are ``proved`` are left out, and
    put back where it does not come up without them. What is left when there are no more runs is more than the fewest.
    The last ones are ``complete``.
    """
    best, proved = ordered(names), complete(proved)

    def tried(some: Iterable[str]) -> bool:
        nonlocal best
        chosen = ordered([*some, *proved])
        good = chosen == best or suffice(chosen)
        if good and len(chosen) < len(best):
            best = chosen
        return good

    left = [name for name in ALL if name in names and name not in proved]
    try:
        if left and not (len(left) > 1 and tried(())):
            _leave_out(left, tried)
    except TooManyError:
        pass
    return complete(best)


def _leave_out(left: list[str], tried: Callable[[Sequence[str]], bool]) -> None:
    """Try without as many of ``left`` as can be."""
    if len(left) > _FEW:
        left = fewest(left, tried)
    if len(left) > _FEW:
        return
    for name in list(left):
        rest = [each for each in left if each != name]
        if tried(rest):
            left = rest
