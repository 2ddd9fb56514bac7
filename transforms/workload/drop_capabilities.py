from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, OpaqueError, Severity
from hardener.authoring.known import is_sure
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.errors import InputError
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.images.observations import observations, seen
from hardener.facts.kustomize.overlays.states import signs, states
from hardener.kubernetes.pods.capabilities import (
    BASELINE,
    BIND,
    BY_BIT,
    COMMAND_NEEDS,
    DEFAULT,
    ROOT_NEEDS,
    is_left_to_root,
    plain,
)
from hardener.kubernetes.pods.command_evidence import raw_socket_commands, root_commands
from hardener.tree.core_views import Container

from ._file_capabilities import carried, has_no_privileged, held, said, within_reach
from ._grounds import assumption
from ._need import own_needs
from ._ports import likely_low_ports, low_ports
from ._user import User, final_user, is_guess, unknown_user, user_evidence

_PATH = ("securityContext", "capabilities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What is dropped: ``ALL``, or ``NET_RAW`` alone."""

    GROUP: ClassVar[str] = "capabilities"
    drop: str = "ALL"

    def __post_init__(self) -> None:
        if self.drop not in ("ALL", "NET_RAW"):
            raise InputError(f"capabilities.drop: {self.drop} is neither ALL nor NET_RAW")


@transform(
    each=Container, stage="capabilities", pss="restricted", cis="5.2.9", classes=("partial",), options=Capabilities,
    peers=(
        "kube-linter:drop-net-raw-capability", "checkov:CKV_K8S_28", "checkov:CKV_K8S_37",
        "polaris:insecureCapabilities", "polaris:dangerousCapabilities", "kubeaudit:allow-capability-",
        "kubescape:C-0046",
    ),
)  # fmt: skip
def drop_capabilities(container: Container, options: Capabilities) -> Steps:
    """Drop all capabilities.

    Problem: {container} keeps capabilities that it may not need.

    Result: The container keeps only the capabilities that it is known to need.

    Why: the default set lets root in a container, and so an intruder, forge packets, create device files and bypass
    file permissions.

    May break: an image that starts as root and uses a privilege outside of the capabilities that its entrypoint keeps
    fails; a program file with a file capability then does not even start.
    """
    # A privileged container has them all, whatever is written here.
    if container.privileged:
        return
    added = container.strings(*_PATH, "add")
    yield from _findings(container, added, options)
    if "ALL" in map(plain, added):
        return
    dropped = container.strings(*_PATH, "drop")
    yield from _normalise(container, dropped)
    named = set(map(plain, dropped))
    if "ALL" in named:
        if is_left_to_root(added, dropped) and _user(container) == "non-root":
            yield from _of_root_no_more(container, added)
    elif options.drop == "ALL":
        yield from _all(container, set(map(plain, added)), named)
        if is_left_to_root(added, ("ALL",)) and _user(container) == "non-root":  # as the next run would see it
            yield list(_of_root_no_more(container, added))
    elif "NET_RAW" not in named.union(map(plain, added)):
        yield from _net_raw(container)


def _user(container: Container) -> User:
    """Who it runs as; one that is written to run as a number that is not root does so where a patch leaves it open."""
    user = final_user(container)
    is_numbered = container.effective("runAsNonRoot") is True and container.effective("runAsUser") not in (None, 0)
    return "non-root" if user == "unknown" and is_numbered else user


def _all(container: Container, added: set[str], dropped: set[str]) -> Iterator[Edit | Finding | list[Edit]]:
    is_user = _user(container) == "non-root"
    waits = not is_user and _is_open(container)
    low = _low_ports(container, is_user=is_user)
    raw = _raw_sockets(container)
    left = _left(container, added, serves_low=bool(low), opens_raw=bool(raw))
    if is_user:
        yield from _beyond(container, _new(left, {BIND, *added}))
    takes_none = container.pod.partial and not container.pod.is_fragment  # its operator takes no added capabilities
    if left.names and takes_none and not is_user and not waits:
        yield _that_stay(container, left)
        return
    if left.names and takes_none:
        left = _Left([], left.facts, sure=False)
    facts = [*left.facts, *list(low.values())[:1]]
    found = _judged(container, facts, raw, raw_is_added="NET_RAW" in added, waits=waits, sure=left.sure)
    yield [
        container.append(*_PATH, "drop", value="ALL", **found.words),
        *(container.append(*_PATH, "add", value=name, **found.words) for name in _new(left, added | dropped)),
    ]
    if waits and not raw and "NET_RAW" not in dropped | added:
        yield list(_net_raw(container))


def _is_open(container: Container) -> bool:
    """Whether who it runs as is for somebody to tell, and nobody tried what it needs, or watched what it used."""
    used = known_image(container).used_capabilities
    is_watched = used is not None and used.text is not None
    return (
        unknown_user(container) is None and _waits_for_user(container) and _tried(container) is None and not is_watched
    )


def _new(left: _Left, written: set[str]) -> list[str]:
    return [name for name in dict.fromkeys(left.names) if name not in written]


def _that_stay(container: Container, left: _Left) -> Finding:
    why = f"{left.facts[0].text}, and its {container.pod.kind} takes none that are added"
    advice = "run it as a user that is not root"
    return container.finding(f"its capabilities stay: {why}", advice=advice, severity=Severity.LOW)


def _judged(
    container: Container, facts: list[Evidence], raw: list[Evidence], *, raw_is_added: bool, waits: bool, sure: bool
) -> Verdict:
    """How sure it is that the container runs with what it is left with. ``waits``: for what tells of its user."""
    text = "which user it can run as, and so what it may drop, is not known"
    return verdict(
        why=facts,
        against=() if raw_is_added else raw,
        doubts=raw if raw_is_added else (),
        unknown=[container.fact(text, "image")] if waits else (),
        sure=sure,
        basis=Basis.INFERRED,
    )


def _low_ports(container: Container, *, is_user: bool) -> dict[int, Evidence]:
    """The ports below 1024 that it serves; of one that may be root also those that it likely serves."""
    if is_user:
        return low_ports(container)
    try:
        return likely_low_ports(container)
    except OpaqueError:  # another container of the pod is filled in later, and may be the one that is meant
        return low_ports(container)


def _waits_for_user(container: Container) -> bool:
    """Whether nothing shows that it needs root or stays so, and nothing tells another user of it."""
    if container in container.pod.exempt("run-as-user", "securityContext", "runAsUser"):
        return False
    try:
        return is_guess(container) and not (any(own_needs(container)) or any(user_evidence(container)))
    except OpaqueError:
        return True  # what tells of it may stand in a part that is filled in later


class _Left(NamedTuple):
    """The capabilities that a container is left with, the facts that say so, and whether they are sure."""

    names: list[str]
    facts: list[Evidence]
    sure: bool


def _left(container: Container, added: set[str], *, serves_low: bool, opens_raw: bool) -> _Left:
    if (tried := _tried(container)) is not None:
        return tried
    user = _user(container)
    if user == "non-root":
        return _left_to_user(container, added, serves_low=serves_low, opens_raw=opens_raw)
    if (opaque := unknown_user(container)) is not None:
        raise opaque
    return _left_to_root(container, user, serves_low=serves_low)


def _tried(container: Container) -> _Left | None:
    """What ``harden observe`` found by trial that it needs; None where nobody tried each image that comes out of it."""
    runs = observations(container)
    needs = [run.needs for run in runs if run is not None and run.needs is not None]
    if not runs or len(needs) < len(runs):
        return None
    names = tuple(sorted({name for each in needs for name in each} & BASELINE, key=BY_BIT.index))
    text = f"it needs {', '.join(names)} and no other" if names else "it needs none of them"
    facts = [Evidence(f"harden observe: {text} ({seen(run)})") for run in runs if run is not None]
    return _Left(list(names), facts[:1], sure=False)


def _left_to_user(container: Container, added: set[str], *, serves_low: bool, opens_raw: bool) -> _Left:
    """Return what stays with a user that is not root: what its program file carries."""
    names, facts = _of_files(container, serves_low)
    facts = [Evidence("the user is not root, so capabilities have no effect for it"), *facts]
    known = known_image(container)
    files_known = known.files is not None or is_sure(known.capabilities)
    needs_more = bool({*names, *added} - {BIND})
    if known.used_capabilities is not None and (used := [n for n in known.used_capabilities.value if n not in names]):
        words = f"it used {', '.join(used)}, which another user does not have"
        return _Left(names, [*facts, known.used_capabilities.fact(container, words)], sure=False)
    sure = not (opens_raw or (names and not files_known) or needs_more or _only_maybe(container, names))
    unseen = list(signs(container, partial(_unseen, kept={*names, *added})))
    if unseen:
        return _Left(names, [*facts, *unseen], sure=False)
    if sure and (assumed := assumption(container)) is not None:
        return _Left(names, [*facts, assumed], sure=False)
    return _Left(names, facts, sure)


def _left_to_root(container: Container, user: str, *, serves_low: bool) -> _Left:
    """Return what stays with a user that is, or may be, root: what an entrypoint and its commands ask for."""
    names = [*ROOT_NEEDS]
    names += [COMMAND_NEEDS[name] for name in _commands(container) if name in COMMAND_NEEDS]
    names += [BIND] if serves_low else []
    used = known_image(container).used_capabilities
    names += [name for name in used.value if name in DEFAULT] if used is not None else []
    text = "it starts as root" if user == "root" else "its user is not known and may be root"
    facts = [Evidence(f"{text}: the capabilities with which an entrypoint switches users stay")]
    if used is not None and used.value:
        facts.append(used.fact(container, f"it used {', '.join(used.value)}"))
    if used is not None and used.text is not None:
        facts.append(used.fact(container))
    return _Left(names, facts, sure=False)


def _of_root_no_more(container: Container, added: tuple[str, ...]) -> Iterator[Edit]:
    """What an earlier run left a container that may start as root goes once it cannot."""
    kept, facts = _of_files(container, bool(low_ports(container)))
    going = [index for index, name in enumerate(added) if name != BIND and name not in kept]
    whole = len(going) == len(added)
    known = [Evidence("the user is not root, so capabilities have no effect for it"), *facts]
    found = verdict(known=known, effect=Effect.WATCHED)
    for place in [()] if whole else [(index,) for index in going]:
        yield container.drop(*_PATH, "add", *place, **found.words)


def _commands(container: Container) -> list[str]:
    """The commands that ask for a privilege, also those that a kustomization sets."""
    found = (spoken(state, root_commands, probes=True) for state in states(container))
    return list(dict.fromkeys(name for names in found for name, _ in names))


def _of_files(container: Container, low: bool) -> tuple[list[str], list[Evidence]]:
    """Capabilities that the program file of the image carries: without them in the set it is not started."""
    for state in states(container):  # a kustomization may put another image there
        if by_source := _carried(state):
            facts = [state.fact(f"{source} carries {', '.join(names)}", "image") for source, names in by_source.items()]
            return [name for names in by_source.values() for name in names if name in DEFAULT], facts
    known = known_image(container)
    may_carry = _only_maybe(container, [BIND]) if known.files is not None else not is_sure(known.capabilities)
    if low and may_carry:
        return [BIND], [Evidence("its program may carry NET_BIND_SERVICE, and would not be started without it")]
    return [], []


def _carried(container: Container) -> dict[str, Sequence[str]]:
    """What its program carries, by who says so: the files of the image where somebody read them."""
    files = known_image(container).files
    if files is not None:
        return {files.says(path): names.split(", ") for path, names in carried(container).items()}
    return {f"{where}: its program": names for where, names in said(container).items()}


def _unseen(container: Container, *, kept: set[str]) -> Iterator[Evidence]:
    """Program files that lose a capability, and of which nothing tells whether it is used."""
    for source, names in held(container).items():
        if lost := [name for name in names if name not in kept and not (name == BIND and low_ports(container))]:
            yield container.fact(f"{source} may use {', '.join(lost)}", "image")
    if not kept:
        yield from within_reach(container)


def _only_maybe(container: Container, keep: list[str]) -> bool:
    """Whether a script of the image may start a file that carries one of these, and nothing says that it does."""
    files = known_image(container).files
    return files is not None and not carried(container) and any(map(files.value.may_carry, keep))


def _beyond(container: Container, kept: list[str]) -> Iterator[Finding]:
    if kept:
        text = f"its program carries {', '.join(kept)}, which Pod Security level restricted does not allow"
        advice = "remove it from the file (setcap -r) if the program runs without it"
        yield container.finding(text, "image", advice=advice, severity=Severity.LOW)


def _net_raw(container: Container) -> Iterator[Edit]:
    raw, assumed = _raw_sockets(container), assumption(container)
    if raw:
        found = verdict(doubts=raw)
    else:
        nothing = Evidence("nothing in its commands opens raw sockets")
        found = verdict(known=[nothing], doubts=[assumed] if assumed else ())
    yield container.append(*_PATH, "drop", value="NET_RAW", unless="ALL", **found.words)


def _raw_sockets(container: Container) -> list[Evidence]:
    return list(signs(container, _of_commands))


def _of_commands(container: Container) -> list[Evidence]:
    user = _user(container)  # where that is not known, nothing is decided
    return [
        speaker.says(f"runs {name}")
        for name, speaker in spoken(container, raw_socket_commands, probes=True)
        if user != "non-root" or not has_no_privileged(container, name)
    ]


def _normalise(container: Container, dropped: tuple[str, ...]) -> Iterator[Edit]:
    # Runtimes read "all" as ALL, the Pod Security Standards do not.
    if "ALL" in dropped:
        return
    for index, name in enumerate(dropped):
        if plain(name) == "ALL":
            known = container.fact("Pod Security admission knows only this spelling", *_PATH, "drop", index)
            yield container.set(*_PATH, "drop", index, to="ALL", **verdict(known=[known], basis=Basis.PROVED).words)
            return


def _findings(container: Container, added: tuple[str, ...], options: Capabilities) -> Iterator[Finding]:
    level, allowed = ("baseline", BASELINE) if options.drop == "NET_RAW" else ("restricted", {BIND})
    beyond = [name for name in added if name not in allowed]
    if not beyond or is_left_to_root(added, container.strings(*_PATH, "drop")):
        return
    if (tried := _tried(container)) is not None and set(map(plain, added)) <= set(tried.names):
        return  # it is known to need them
    severity = Severity.LOW if set(beyond) <= BASELINE else Severity.MEDIUM
    if any(plain(name) in ("ALL", "SYS_ADMIN") for name in beyond):
        severity = Severity.HIGH
    text = (
        f"it adds {', '.join(beyond)}, which Pod Security level {level} does not allow; only its owner knows what"
        " it needs"
    )
    yield container.finding(text, *_PATH, "add", advice="remove what it does not need", severity=severity)
