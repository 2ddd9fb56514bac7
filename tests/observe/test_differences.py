"""What a container no longer does, or does anew, with changes."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.observe.container_activity import Activity
from hardener.observe.differences import KILLED, complaints, differences, filled, killed
from hardener.observe.questions import Answer, Question

Map = dict[str, Any]
READ_ONLY: Map = {"readOnlyRootFilesystem": True}
ASKED = Question("80/tcp", "HTTP")


def spec(context: Map | None = None, *mounts: str) -> Map:
    container = {
        "name": "web",
        "securityContext": context or {},
        "volumeMounts": [{"mountPath": each} for each in mounts],
    }
    return {"containers": [container]}


def seen(log: str = "", **told: Any) -> Activity:
    return Activity(complaints=complaints(log.splitlines()), **told)


def counted(unprivileged: tuple[str, ...] = (), **programs: int) -> Activity:
    others = dict.fromkeys(unprivileged, 1)
    return Activity(
        programs=dict(programs), lately=dict(programs), unprivileged=others, lately_unprivileged=others,
        sees_programs=True,
    )  # fmt: skip


def delivered() -> Activity:
    """It has stored a mail while it was exercised."""
    return seen(wrote={"/run", "/var/mail"}, for_exercise={"/var/mail/bob"}, age=60)


# What was seen as it is, what was seen now, the spec of now, and what is said of it.
CASES: dict[str, tuple[Activity, Activity, Map, list[str]]] = {
    "nothing": (seen(wrote={"/run"}), seen(kept={"/run"}), spec(READ_ONLY, "/run"), []),
    "a new complaint": (
        seen("listens"), seen("listens\nopen /x: Read-only file system"), spec(), ["open /x: Read-only file system"],
    ),
    "the same complaint with other numbers": (
        seen("12:01 pid 8: permission denied"), seen("12:07 pid 31: permission denied"), spec(), [],
    ),
    "a line that only says so": (seen(), seen("info: can not modify it (read-only file system?)"), spec(), []),
    "another answer": (
        seen(answers=[Answer(ASKED, "200")]), seen(answers=[Answer(ASKED, "500")]), spec(),
        ["80/tcp GET / was answered with 200, and now: 500"],
    ),
    "a place that nobody waited for": (seen(wrote={"/srv"}, age=60), seen(age=20), spec(), []),
    "a place that somebody waited for": (
        seen(wrote={"/srv"}, age=21), seen(age=19), spec(), ["web no longer writes to /srv"],
    ),
    "a place that it came to later than any run goes on": (
        seen(wrote={"/run", "/srv"}, later={"/srv"}), seen(kept={"/run"}), spec(), [],
    ),
    "what it no longer stores though it takes it, however short it was looked at": (
        delivered(), seen(stored={"/run/pid": 2}, age=5), spec(),
        ["exercised, web no longer stores anything in /var/mail"],
    ),
    "a file that it leaves empty": (
        delivered(), seen(stored={"/var/mail/bob": 0, "/var/mail/ann": 9}, age=5), spec(),
        ["exercised, web leaves /var/mail/bob empty"],
    ),
    "what it stores elsewhere": (
        delivered(), seen(stored={"/var/mail/bob": 0, "/var/spool/1": 30}, age=5), spec(),
        ["exercised, web leaves /var/mail/bob empty", "exercised, web no longer stores anything in /var/mail"],
    ),
    "a file that has another name each time": (delivered(), seen(stored={"/var/mail/new/2.web": 5}), spec(), []),
    "what it stores on a volume": (delivered(), seen(stored={"/var/mail/bob": 31}, kept={"/var/mail"}), spec(), []),
    "nobody exercised it": (delivered(), seen(age=5), spec(), []),
    "a process that is gone": (
        counted(celery=2, beat=1), counted(celery=2), spec(), ["the process beat of web is gone"],
    ),
    "the workers of a process": (
        counted(gunicorn=5), counted(gunicorn=1), spec(), ["the process gunicorn of web is gone"],
    ),
    "fewer workers": (counted(gunicorn=5), counted(gunicorn=2), spec(), []),
    "who no longer becomes another user": (
        counted(unprivileged=("nginx",), nginx=3), counted(nginx=3), spec(),
        ["the process nginx of web cannot change user: it stays root, and reports no error"],
    ),
    "a worker that is another user as before": (
        counted(unprivileged=("nginx",), nginx=3), counted(unprivileged=("nginx",), nginx=3), spec(), [],
    ),
    "nobody who has to step down": (counted(su=1, sleep=1, app=1), counted(app=1), spec(), []),
    "nobody could count them": (counted(app=1), seen(), spec(), []),
    "a place without a volume": (
        seen(wrote={"/srv/app/state"}), seen(), spec(READ_ONLY, "/tmp"),
        [
            "Read-only file system: web writes to /srv/app/state, where no volume is",
            "web no longer writes to /srv/app/state",
        ],
    ),
    "a place without a volume that may be written": (seen(wrote={"/srv"}), seen(wrote={"/srv"}), spec(), []),
    "a volume above": (seen(wrote={"/srv/app"}), seen(kept={"/srv"}), spec(READ_ONLY, "/srv"), []),
    "a volume that nobody writes to any more": (
        seen(kept={"/data"}), seen(), spec(), ["web no longer writes to /data"],
    ),
    "another end": (
        seen(code=0), seen(code=1), spec(), ["web ends with 1 when it is told to end, and with 0 as it is"],
    ),
    "a better end": (seen(code=1), seen(code=0), spec(), []),
    "who was killed as it is": (seen(code=137), seen(code=0), spec(), []),
    # Its answers are the same: who starts as root without KILL cannot end what is another user.
    "who did not end": (seen(code=0), seen(code=KILLED), spec(), []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_differs(case: tuple[Activity, Activity, Map, list[str]]) -> None:
    before, after, now, said = case
    assert [each.text for each in differences({"web": before}, {"web": after}, now, whole=True)] == said


def test_who_is_killed_is_told_of() -> None:
    ends, stays = {"web": seen(code=0)}, {"web": seen(code=KILLED)}
    assert [len(list(killed(*each))) for each in ((ends, stays), (stays, stays), (ends, ends))] == [1, 0, 0]


def test_what_is_filled_between_two_looks() -> None:
    before = {"/log": 1, "/grows": 1, "/lock": 0}
    assert filled(before, before | {"/grows": 2, "/new": 3, "/empty": 0}) == {"/grows", "/new"}
    assert filled(None, before) == filled(before, None) == set()


def test_what_vanishes_is_not_asked_of_a_shorter_look() -> None:
    before, after = {"web": seen(kept={"/data"})}, {"web": seen()}
    assert list(differences(before, after, spec(), whole=False)) == []


def test_what_a_container_prints_is_known_as_that() -> None:
    before, after = {"web": seen(code=0)}, {"web": seen("fatal: x", code=1)}
    assert [each.is_output for each in differences(before, after, spec(), whole=True)] == [True, False]


@pytest.mark.parametrize(
    "line",
    [
        "EROFS: read-only file system, open 'x'", "EPERM", "open() failed (13: Permission denied)", "FATAL:  no",
        "fatal: no", "chown: Operation not permitted",
    ],
)  # fmt: skip
def test_what_is_a_complaint(line: str) -> None:
    assert list(complaints([line, "listens on 80", "fatality"]).values()) == [line]
