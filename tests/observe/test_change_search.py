"""What stops a workload, and which capabilities it needs: found in few runs, by what its log says and by trial.

A workload here is a function of its spec: what it needs, and what it says where that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from hardener.kubernetes.pods.capabilities import BASELINE
from hardener.observe.capability_trial import ALL, DROPS_ALL, complete, minimal, settings, used, with_capabilities
from hardener.observe.change_search import ChangeSearch, Needs, Trials
from hardener.observe.container_activity import Activity
from hardener.observe.halving import TooManyError
from hardener.observe.pod_run import Came
from hardener.observe.pod_steps import DecidedPod, PodStep
from hardener.observe.timers import Entry

READ_ONLY, DROP, USER, NON_ROOT = "read-only-root-filesystem", "drop-capabilities", "run-as-user", "run-as-non-root"
ESCALATION, SECCOMP, LIMIT = "no-privilege-escalation", "seccomp-runtime-default", "memory-limit"
IDS = (USER, NON_ROOT, DROP, ESCALATION, SECCOMP, LIMIT, "cpu-limit", "automount-token", READ_ONLY)
ROOT = (DROP, ESCALATION, SECCOMP, LIMIT, "cpu-limit", "automount-token", READ_ONLY)
Map = dict[str, Any]


class Pod:
    """A pod with one container, whose spec says which steps are made."""

    def spec(self, steps: Iterable[PodStep]) -> Map:
        ids = [step.id for step in steps]
        context: Map = {"capabilities": {"drop": ["ALL"]}} if DROP in ids else {}
        return {"containers": [{"name": "main", "securityContext": context}], "made": ids}


def step(id: str) -> PodStep:
    return PodStep(id, [], {"main": (DROPS_ALL,) if id == DROP else (id,)}, [])


def lacks(spec: Map, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that the container of ``spec`` does not have; a user has none."""
    if DROP not in spec["made"] and USER not in spec["made"]:
        return []
    added = spec["containers"][0]["securityContext"].get("capabilities", {}).get("add", [])
    return [name for name in names if USER in spec["made"] or name not in added]


SAYS = {
    "SYS_CHROOT": "chroot: Operation not permitted", "SETGID": "setgid: Operation not permitted",
    "SETUID": "setuid: Operation not permitted", "CHOWN": "chown /x: Operation not permitted",
    "NET_BIND_SERVICE": "bind to 0.0.0.0:80: Permission denied", "KILL": "cannot go on", "SETPCAP": "cannot go on",
}  # fmt: skip


def needing(*names: str, quiet: bool = False) -> Callable[[Map], str | None]:
    def why(spec: Map) -> str | None:
        missing = lacks(spec, names)
        return ("it ends" if quiet else SAYS[missing[0]]) if missing else None

    return why


def fails_under(*causes: set[str], says: str = "it ends") -> Callable[[Map], str | None]:
    return lambda spec: says if any(cause <= set(spec["made"]) for cause in causes) else None


def either(*all: Callable[[Map], str | None]) -> Callable[[Map], str | None]:
    return lambda spec: next((said for why in all if (said := why(spec)) is not None), None)


class Search:
    """A search for what stops a workload that fails where ``why`` says so."""

    def __init__(
        self,
        why: Callable[[Map], str | None],
        ids: Iterable[str] = IDS,
        seen: Activity | None = None,
        *,
        root: bool = True,
        gives: bool = True,
    ) -> None:
        self.runs = 0

        def run(spec: Map, whole: bool) -> Came:
            self.runs += 1
            said = why(spec)
            return Came(said is None, said or "")

        self.needs: dict[str, Needs] = {}
        self.search = ChangeSearch(
            cast(DecidedPod, Pod()), [step(id) for id in ids], Trials(), run, seen={"main": seen or Activity()},
            needs=self.needs, starts_as_root=lambda spec, name: root and USER not in spec["made"],
            gives=gives,
        )  # fmt: skip
        causes, left = self.search.causes()
        self.causes = {cause.steps[-1].id for cause in causes}
        self.because = {cause.steps[-1].id: cause.because for cause in causes}
        self.left = {step.id for step in left}

    @property
    def given(self) -> tuple[str, ...]:
        return self.needs["main"].names if "main" in self.needs else ()


def stays_root(spec: Map) -> str | None:
    return "the process web of main cannot change user: it stays root" if lacks(spec, ["SETUID"]) else None


EROFS = "open /x: Read-only file system"


@pytest.mark.parametrize(
    ("why", "ids", "causes", "given", "most"),
    [
        (fails_under(), IDS, set(), (), 1),
        (fails_under({READ_ONLY}, says=EROFS), IDS, {READ_ONLY}, (), 2),
        (fails_under({READ_ONLY}), IDS, {READ_ONLY}, (), 5),
        (fails_under({ESCALATION}), IDS, {ESCALATION}, (), 8),
        (fails_under({LIMIT}, says="main ends with 137 (more memory)"), IDS, {LIMIT}, (), 2),
        (fails_under({USER}, says="open /x: Permission denied"), IDS, {USER}, (), 6),
        (needing("SYS_CHROOT"), ROOT, set(), ("SETGID", "SETUID", "SYS_CHROOT"), 2),
        (stays_root, ROOT, set(), ("SETUID",), 2),
        (needing("SETGID", "SETUID"), ROOT, set(), ("SETGID", "SETUID"), 3),
        (needing("NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"), ROOT, set(),
         ("SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT"), 5),
        (either(needing("CHOWN"), fails_under({READ_ONLY}, says=EROFS)), ROOT, {READ_ONLY}, ("CHOWN",), 3),
        (needing("CHOWN"), IDS, {USER}, ("CHOWN",), 8),
        (needing("KILL", quiet=True), ROOT, set(), ("KILL",), 16),
    ],
    ids=["nothing", "a line", "no line", "one of a group", "memory", "a user", "a capability", "who stays root", "two",
         "four", "with another cause", "beside a user", "in silence"],
)  # fmt: skip
def test_few_runs(
    why: Callable[[Map], str | None], ids: Iterable[str], causes: set[str], given: tuple[str, ...], most: int
) -> None:
    found = Search(why, ids)
    assert (found.causes, found.given) == (causes, given)
    assert found.left == set(ids) - causes
    assert found.runs <= most


@pytest.mark.parametrize("quiet", [False, True], ids=["a line names it", "in silence"])
def test_where_no_image_is_known_no_capability_is_tried(quiet: bool) -> None:
    found = Search(needing("CHOWN", quiet=quiet), ROOT, gives=False)
    assert (found.causes, found.given) == ({DROP}, ())
    assert found.left == set(ROOT) - {DROP}


def test_what_it_used_is_given_before_all() -> None:
    why = needing("SETGID", "SETUID", "NET_BIND_SERVICE", quiet=True)
    told = Search(why, ROOT, Activity(users={0, 33}, regrouped=True, listens={"80/tcp"}))
    untold = Search(why, ROOT)
    assert told.given == untold.given == ("SETGID", "SETUID", "NET_BIND_SERVICE")
    assert told.runs < untold.runs


def test_what_it_used_is_given_before_changes_are_halved() -> None:
    """Another user fails in words; what root lacks without capabilities shows in no line."""
    user = fails_under({USER}, says="seteuid: Operation not permitted")
    why = either(user, needing("SETGID", "SETUID", quiet=True))
    seen = Activity(user=0, users={0}, timers={Entry("date", "www-data"): True})
    found = Search(why, IDS, seen)
    assert (found.causes, found.given, found.left) == ({USER}, ("SETGID", "SETUID"), set(IDS) - {USER})
    assert found.runs <= 6
    other = Search(either(user, fails_under({ESCALATION})), IDS, seen)
    assert (other.causes, other.given) == ({USER, ESCALATION}, ())


@pytest.mark.parametrize("says", ["exec /usr/bin/web: operation not permitted", "it ends"])
def test_a_program_whose_file_carries_one_gets_it(says: str) -> None:
    """It runs as a user, and is not even started without."""

    def why(spec: Map) -> str | None:
        added = spec["containers"][0]["securityContext"].get("capabilities", {}).get("add", [])
        return None if DROP not in spec["made"] or "NET_BIND_SERVICE" in added else says

    found = Search(why, ROOT, Activity(user=1000, users={1000}, listens={"80/tcp"}), root=False)
    assert (found.causes, found.given) == (set(), ("NET_BIND_SERVICE",))


def test_a_user_who_becomes_root_by_a_file_gets_what_that_needs() -> None:
    """It is sudo: with its rights kept from it nothing helps, and then it needs what root needs."""

    def why(spec: Map) -> str | None:
        if ESCALATION in spec["made"]:
            return 'sudo: The "no new privileges" flag is set'
        return "sudo: error initializing audit plugin sudoers_audit" if lacks(spec, ("SETGID", "SETUID")) else None

    seen = Activity(user=1000, users={1000, 33}, regrouped=True, raised={"/usr/bin/sudo"})
    found = Search(why, ROOT, seen, root=False)
    assert (found.causes, found.given) == ({ESCALATION}, ("SETGID", "SETUID"))
    assert Search(why, ROOT, Activity(user=1000, users={1000, 33}), root=False).causes == {ESCALATION, DROP}


def test_what_it_did_as_it_is_is_suspected_where_no_line_says_anything() -> None:
    """It writes where its image has files, and does so as root: neither a read-only root nor another user will do."""
    why = fails_under({READ_ONLY}, {USER}, says="unable to open database file")
    seen = Activity(user=0, users={0}, occupied={"/shop"})
    known, unknown = Search(why, IDS, seen), Search(why, IDS)
    assert known.causes == unknown.causes == {READ_ONLY, USER}
    assert known.runs <= 7 < unknown.runs


def test_what_runs_with_the_rights_of_its_file_is_suspected_where_no_line_says_anything() -> None:
    """What takes the mail of a user becomes root for it, and says nothing where it cannot."""
    why = either(fails_under({ESCALATION}, says="it leaves /var/mail/bob empty"), fails_under({READ_ONLY}, says=EROFS))
    seen = Activity(user=0, users={0, 100}, raised={"/usr/libexec/mail.local"})
    known, unknown = Search(why, ROOT, seen), Search(why, ROOT, Activity(user=0, users={0, 100}))
    assert known.causes == unknown.causes == {READ_ONLY, ESCALATION}
    assert known.runs <= 5 < unknown.runs


def test_what_is_needed_beyond_baseline_is_not_given() -> None:
    found = Search(needing("NET_RAW", quiet=True), ROOT)
    assert found.causes == {DROP}


def test_what_a_line_names_wrongly_goes_again() -> None:
    found = Search(either(needing("KILL"), fails_under({READ_ONLY}, says="setgid or setuid failed")), ROOT)
    assert found.causes == {READ_ONLY} and found.given == ("KILL",)


def test_a_pair_is_named() -> None:
    found = Search(fails_under({READ_ONLY, ESCALATION}))
    (cause,), _ = found.search.causes()
    assert {step.id for step in cause.steps} == {READ_ONLY, ESCALATION}


def test_what_stops_it_once_and_not_again_is_not_known() -> None:
    fails = iter([True])
    found = Search(lambda spec: "it ends" if next(fails, False) else None)
    assert set(found.because.values()) <= {None}


def test_a_spec_is_run_once() -> None:
    trials, asked = Trials(), []

    def run(spec: Map, whole: bool) -> Came:
        asked.append(spec)
        return Came(True)

    assert trials.came({"a": 1}, True, run) is trials.came({"a": 1}, False, run)
    assert len(asked) == 1 and trials.known({"a": 2}) is None


def test_runs_are_bounded() -> None:
    trials = Trials(most=2)
    with pytest.raises(TooManyError):
        for number in range(3):
            trials.came({"a": number}, True, lambda spec, whole: Came(False))


# Capabilities.


@pytest.mark.parametrize(
    "needed", [(), ("KILL",), ("SETGID", "SETUID"), ("CHOWN", "MKNOD", "SETPCAP"), ("SYS_CHROOT",), ALL]
)
def test_the_fewest_of_all(needed: tuple[str, ...]) -> None:
    asked: list[tuple[str, ...]] = []

    def suffice(names: tuple[str, ...]) -> bool:
        asked.append(names)
        return set(needed) <= set(names)

    assert minimal(ALL, (), suffice) == complete(needed)
    assert all(set(names) <= BASELINE for names in asked)


def test_where_runs_end_what_is_known_to_do_stays() -> None:
    def suffice(names: tuple[str, ...]) -> bool:
        if len(names) < 4:
            raise TooManyError
        return "KILL" in names

    found = minimal(ALL, ("KILL",), suffice)
    assert "KILL" in found and set(found) <= set(ALL)


def test_what_is_proved_is_not_tried() -> None:
    assert minimal(("KILL", "CHOWN"), ("KILL", "CHOWN"), lambda names: False) == ("CHOWN", "KILL")
    tried: list[tuple[str, ...]] = []

    def suffice(names: tuple[str, ...]) -> bool:
        tried.append(names)
        return False

    minimal(("KILL", "CHOWN"), ("KILL",), suffice)
    assert tried == [("KILL",)]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (Activity(), ()),
        (Activity(users={0}), ()),
        (Activity(users={0, 33}), ("SETUID",)),
        (Activity(users={0, 33}, regrouped=True), ("SETGID", "SETUID")),
        (Activity(listens={"8080/tcp"}), ()),
        (Activity(listens={"53/udp"}), ("NET_BIND_SERVICE",)),
        (Activity(jailed=True), ("SETGID", "SETUID", "SYS_CHROOT")),
        (Activity(timers={Entry("date", "www-data"): True}), ("SETGID", "SETUID")),
        (Activity(timers={Entry("date", "www-data"): False, Entry("date"): True, Entry("date", "root"): True}), ()),
    ],
)
def test_what_was_used_as_it_is(seen: Activity, found: tuple[str, ...]) -> None:
    assert used(seen) == found


def test_a_spec_gets_other_capabilities() -> None:
    context: Map = {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "CHOWN"]}, "runAsUser": 0}
    spec = {"containers": [{"name": "a", "securityContext": context}, {"name": "b"}]}
    made = with_capabilities(spec, {"a": (("CHOWN",), ("KILL",))})
    first, other = made["containers"]
    assert first["securityContext"] == {
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "KILL"]}, "runAsUser": 0,
    }  # fmt: skip
    assert other == {"name": "b"} and context["capabilities"]["add"] == ["NET_ADMIN", "CHOWN"]
    assert settings(("KILL",)) == {DROPS_ALL, 'securityContext.capabilities.add+="KILL"'}
