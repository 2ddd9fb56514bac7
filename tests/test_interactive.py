"""``harden apply -i`` on a real pseudo-terminal: one question per step, and what each answer does."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from .conftest import DEPLOYMENT, ROOT, Harden, commit, git, snapshot, write
from .overlay_trees import BASE, of_container
from .terminals import on_terminal

pytestmark = pytest.mark.slow

QUESTION = ": make this change [y,n,a,d,w,b,q,?]? "
ABOUT_ALL = " changes [y,n,e,b,q,?]? "  # the question of a transform
ROOT_POD = DEPLOYMENT + "        securityContext:\n          runAsUser: 0\n          capabilities: {add: [SYS_ADMIN]}\n"
PATIENCE = 60  # seconds for one answer of the program, on a busy machine


class Session:
    """The program on a pseudo-terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.shown = ""
        master, terminal = pty.openpty()
        command = [sys.executable, "-m", "hardener", "apply", "-i", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "xterm"}
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, close_fds=True,
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(terminal)
        self.master = master

    def read_until(self, *endings: str) -> str:
        """What comes up to one of ``endings``, or to the end of the program."""
        found, end = "", time.monotonic() + PATIENCE
        while not found.endswith(endings):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"nothing more came after {found[-500:]!r}"
            try:
                part = os.read(self.master, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            found += part.decode().replace("\r\n", "\n")
        self.shown += found
        return found

    def say(self, text: str) -> None:
        os.write(self.master, text.encode())

    def finish(self) -> int:
        self.read_until("\0")
        status = self.process.wait(PATIENCE)
        os.close(self.master)
        return status


def walk(
    folder: Path, answers: dict[str, str] | Sequence[str], *arguments: str, rest: str = "y", about_all: str = "e"
) -> Session:
    """Answer the questions by transform, or in turn; all others with ``rest``. A reason follows ``w:``. The question of
    a whole transform is answered with ``about_all``."""
    session = Session(folder, ".", *arguments)
    turn = iter(answers if not isinstance(answers, dict) else ())
    while True:
        asked = session.read_until(QUESTION, ABOUT_ALL)
        if asked.endswith(ABOUT_ALL):
            session.say(about_all + "\n")
            continue
        if not asked.endswith(QUESTION):
            break
        heads = re.findall(r"^\d+ of \d+: (\S+) K\d\d ", asked, re.M)
        answer = answers.get(heads[-1], rest) if isinstance(answers, dict) else next(turn, rest)
        key, _, reason = answer.partition(":")
        session.say(key + "\n")
        if key == "w":
            session.read_until("Reason: ")
            session.say(reason + "\n")
    session.process.wait(PATIENCE)
    os.close(session.master)
    return session


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    return tmp_path


def questions(session: Session) -> list[str]:
    return re.findall(r"^\d+ of \d+: (\S+) K\d\d ", session.shown, re.M)


def spec(tree: Path, name: str = "web.yaml") -> dict[str, object]:
    found = yaml.safe_load((tree / name).read_text())["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def test_all_accepted_is_what_apply_does(tree: Path, harden: Harden) -> None:
    session = walk(tree, {})
    assert session.process.returncode == 0, session.shown
    chosen = snapshot(tree)
    git(tree, "checkout", "-q", ".")
    git(tree, "clean", "-qfd")
    assert harden("apply", ".", "--max-grade", "guess").status == 0  # what waits is asked about, too
    assert snapshot(tree) == chosen
    assert "Deployment/web" in session.shown and "undo: git restore" in session.shown


def test_a_question_shows_reason_grade_evidence_and_lines(tree: Path) -> None:
    shown = walk(tree, {}).shown
    part = next(one for one in shown.split(QUESTION) if ": automount-token K09 medium review  web.yaml:" in one)
    assert "  why:     " in part
    assert "  because: " in part
    assert "\n+      automountServiceAccountToken: false\n" in part
    assert "\n--- a/web.yaml\n" in part


def test_an_atomic_step_is_one_question(tree: Path) -> None:
    session = walk(tree, {})
    assert questions(session).count("read-only-root-filesystem") == 1
    part = next(one for one in session.shown.split(QUESTION) if ": read-only-root-filesystem " in one)
    assert "+          readOnlyRootFilesystem: true" in part and "emptyDir: {}" in part
    walk(tree, {"read-only-root-filesystem": "n"})


def test_what_is_skipped_is_left_out_whole(tree: Path) -> None:
    session = walk(tree, {"read-only-root-filesystem": "n", "automount-token": "n"})
    assert session.process.returncode == 0
    pod = spec(tree)
    assert "volumes" not in pod and "automountServiceAccountToken" not in pod
    assert "resources" in pod["containers"][0]  # type: ignore[index]


def test_after_a_no_the_lines_around_are_said_to_be_decided_before(tree: Path) -> None:
    said = "the lines around it may show changes that you refused"
    assert said in " ".join(walk(tree, ["n", "q"]).shown.split())
    assert said not in " ".join(walk(tree, ["y", "q"]).shown.split())


def test_quit_keeps_what_was_accepted(tree: Path) -> None:
    session = walk(tree, ["y", "n", "q"], "--only", "cpu-limit,memory-limit,automount-token")
    asked = questions(session)
    assert len(asked) == 3
    assert re.search(r"\n  " + asked[0] + r" +\w+ +[\w/]+ +\d+ edits? in ", session.shown)
    assert "\n1 file, 1 document; " in session.shown
    assert not re.search(r"\n  (" + "|".join(asked[1:]) + r") .* edits? in ", session.shown)


def test_quit_at_once_and_the_end_of_input_change_nothing(tree: Path) -> None:
    before = snapshot(tree)
    for end in ("q\n", "\x04"):
        session = Session(tree, ".")
        session.read_until(QUESTION, ABOUT_ALL)
        session.say(end)
        assert session.finish() == 0
        assert snapshot(tree) == before


def test_an_interrupt_changes_nothing(tree: Path) -> None:
    before = snapshot(tree)
    session = Session(tree, ".")
    session.read_until(QUESTION, ABOUT_ALL)
    session.say("y\n")
    session.read_until(QUESTION, ABOUT_ALL)
    session.process.send_signal(2)
    assert session.finish() == 130
    assert snapshot(tree) == before


@pytest.mark.parametrize(("key", "changed"), [("a", True), ("d", False)])
def test_all_and_none_of_a_transform_are_asked_once(key: str, changed: bool, tree: Path) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    session = walk(tree, {"automount-token": key}, "--yes")
    assert questions(session).count("automount-token") == 1
    assert questions(session).count("cpu-limit") == 2
    for name in ("web.yaml", "api.yaml"):
        assert ("automountServiceAccountToken" in spec(tree, name)) == changed


def transforms_asked(session: Session) -> list[str]:
    return re.findall(r"^group \d+ of \d+: (\S+) K\d\d ", session.shown, re.M)


def test_a_transform_is_asked_about_before_its_changes(tree: Path) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tree)
    session = walk(tree, {}, "--only", "cpu-limit,memory-limit", about_all="y")
    assert session.process.returncode == 0, session.shown
    assert sorted(transforms_asked(session)) == ["cpu-limit", "memory-limit"]
    assert not questions(session)
    part = session.shown.partition("group 1 of 2: ")[2]
    assert "  2 changes: 2 " in part.splitlines()[0]
    assert "  at       api.yaml:" in part and "  at       web.yaml:" in part
    assert "  the first of them:\ndiff --git a/api.yaml b/api.yaml\n" in part
    assert "\ngroup 1 of 2: make all 2 changes [" in part
    assert all("limits" in str(spec(tree, name)) for name in ("api.yaml", "web.yaml"))


@pytest.mark.parametrize(("answer", "asked", "made"), [("n", 0, False), ("e", 2, True)])
def test_no_change_of_a_transform_or_each_by_itself(answer: str, asked: int, made: bool, tree: Path) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tree)
    session = walk(tree, {}, "--only", "automount-token", about_all=answer)
    assert (transforms_asked(session), len(questions(session))) == (["automount-token"], asked)
    assert ("automountServiceAccountToken" in spec(tree)) is made


def test_one_answer_takes_no_change_that_is_held_back(tree: Path) -> None:
    """Of two workloads: their changes are one group, the guesses of the same transform another one."""
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tree)
    session = Session(tree, ".", "--only", "drop-capabilities")
    for answer in ("y", "e", "d"):
        session.read_until(QUESTION, ABOUT_ALL)
        session.say(f"{answer}\n")
    assert session.finish() == 0, session.shown
    assert transforms_asked(session) == ["drop-capabilities"] * 2 and len(questions(session)) == 1
    assert "2 changes: 2 review\n" in session.shown and "2 changes: 2 guess\n" in session.shown
    for name in ("web.yaml", "api.yaml"):  # what was accepted stays, though no other change of it is wanted
        assert spec(tree, name)["containers"][0]["securityContext"] == {"capabilities": {"drop": ["NET_RAW"]}}  # type: ignore[index]


def test_the_answer_to_a_transform_can_be_taken_back(tree: Path) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tree)
    session = Session(tree, ".", "--only", "cpu-limit,automount-token")
    for answer in ("b", "what", "y", "b", "n", "e", "y", "b", "n", "n"):
        session.read_until(QUESTION, ABOUT_ALL)
        session.say(f"{answer}\n")
    assert session.finish() == 0
    assert "this is the first question" in session.shown and "e - ask about each change" in session.shown
    first, second = dict.fromkeys(transforms_asked(session))
    assert transforms_asked(session) == [first, second, first, second]
    assert questions(session) == [second] * 4
    assert not git(tree, "status", "--porcelain").stdout


def test_held_back_steps_are_offered_with_their_evidence(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"web.yaml": ROOT_POD})
    commit(tmp_path)
    held = [line.split()[0] for line in harden("diff").all.splitlines() if re.match(r"  \S+ K\d\d \w+ \w+  web", line)]
    assert held
    session = walk(tmp_path, {held[0]: "y"}, rest="n")
    part = next(one for one in session.shown.split(QUESTION) if f": {held[0]} K" in one)
    assert "held back: graded breaking, above --max-grade review: there is evidence that something breaks" in part
    assert "  because: " in part
    assert re.search(rf"\n  {held[0]} +\w+ +breaking +\d+ edits? in", session.shown)


def test_a_held_back_step_that_is_not_wanted_stays_held_back(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": ROOT_POD})
    commit(tmp_path)
    session = walk(tmp_path, {}, rest="n")
    assert "\nHeld back: " in session.shown
    assert (tmp_path / "web.yaml").read_text() == ROOT_POD


def test_a_waiver_is_written_with_its_reason_and_holds(tree: Path, harden: Harden) -> None:
    session = walk(tree, {"cpu-limit": "w:bursts at night", "automount-token": "w: asks  the API "})
    assert session.process.returncode == 0, session.shown
    metadata = yaml.safe_load((tree / "web.yaml").read_text())["metadata"]
    assert metadata["annotations"] == {
        "hardener.dev/ignore-cpu-limit": "container=web; bursts at night",
        "hardener.dev/ignore-automount-token": "asks the API",
    }
    assert "automountServiceAccountToken" not in spec(tree)
    done = harden("check", ".")
    assert (done.status, "Waived: 2" in done.out) == (0, True), done.out
    assert (tree / "web.yaml").read_text().count("# the only one") == 1


def test_a_waiver_alone_changes_one_place(tree: Path) -> None:
    walk(tree, {"cpu-limit": "w:bursts"}, rest="n")
    added = [line for line in git(tree, "diff", "-U0").stdout.decode().splitlines() if re.match(r"[+-](?![+-])", line)]
    assert added == ["+  annotations:", "+    hardener.dev/ignore-cpu-limit: container=web; bursts"]


def test_where_there_is_no_metadata_a_comment_is_written(tmp_path: Path) -> None:
    kubelet = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nreadOnlyPort: 10255\n"
    write(tmp_path, {"kubelet.yaml": kubelet})
    commit(tmp_path)
    walk(tmp_path, {"kubelet-readonly-port": "w:scraped by an old agent"}, "--only", "kubelet-readonly-port", rest="n")
    text = (tmp_path / "kubelet.yaml").read_text()
    assert text == "# harden: ignore[kubelet-readonly-port] scraped by an old agent\n" + kubelet


STYLES = {  # a file before a waiver of cpu-limit, and the one line that comes or changes
    "a.json": (
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"e.com/c"}]}}\n',
        '"metadata":{"name":"p","annotations":{"hardener.dev/ignore-cpu-limit":"container=c; bursts"}}',
    ),
    "list.yaml": (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: q}, spec: {containers: [{name: c, image: e.com/c}]}}\n",
        "metadata: {name: q, annotations: {hardener.dev/ignore-cpu-limit: container=c; bursts}}",
    ),
    "crlf.yaml": (
        "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: r\r\n  annotations:\r\n    a: b  # c\r\nspec:\r\n"
        "  containers:\r\n  - name: c\r\n    image: e.com/c\r\n",
        "    a: b  # c\r\n    hardener.dev/ignore-cpu-limit: container=c; bursts\r\n",
    ),
}


@pytest.mark.parametrize("name", STYLES)
def test_a_waiver_keeps_the_style_of_the_file(name: str, tmp_path: Path) -> None:
    before, expected = STYLES[name]
    write(tmp_path, {name: before})
    commit(tmp_path)
    session = walk(tmp_path, {"cpu-limit": "w:bursts"}, "--only", "cpu-limit")
    after = (tmp_path / name).read_bytes().decode()
    assert expected in after
    assert after.count("hardener.dev") == 1
    assert re.search(r"^(?:changed|hardened) .*; 1 waived$", session.shown, re.M)


def test_a_second_container_is_waived_by_a_comment(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: r}\nspec:\n  containers:\n"
    second = "  - name: b\n    image: e.com/b\n"
    write(tmp_path, {"pod.yaml": pod + "  - name: a\n    image: e.com/a\n" + second})
    commit(tmp_path)
    session = walk(tmp_path, {"cpu-limit": "w:bursts"}, "--only", "cpu-limit")
    text = (tmp_path / "pod.yaml").read_text()
    assert "hardener.dev/ignore-cpu-limit: container=a; bursts" in text
    assert "  # harden: ignore[cpu-limit] bursts\n" + second in text
    assert "2 waived" in session.shown


def test_an_accepted_step_that_an_overlay_would_break_stays_held_back(tmp_path: Path) -> None:
    files = BASE | of_container("securityContext: {runAsUser: 0}")
    write(tmp_path, files)
    commit(tmp_path)
    session = walk(tmp_path, {})
    assert session.process.returncode == 0
    assert questions(session).count("run-as-non-root") == 1
    assert "\nHeld back: " in session.shown
    assert "runAsNonRoot" not in (tmp_path / "base/web.yaml").read_text()


def test_a_waiver_without_a_reason_is_asked_again(tree: Path) -> None:
    session = Session(tree, ".", "--only", "cpu-limit")
    session.read_until(QUESTION)
    session.say("w\n")
    session.read_until("Reason: ")
    session.say("\n")
    assert "a waiver needs a reason" in session.read_until(QUESTION)
    session.say("what\n")
    assert "waive it: a reason is asked for" in session.read_until(QUESTION)
    session.say("n\n")
    assert session.finish() == 0


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    env = "        env:\n        - name: DB_PASSWORD\n          value: hunter2-Zq81xyPQ\n"
    write(tmp_path, {"web.yaml": DEPLOYMENT + env})
    commit(tmp_path)
    session = walk(tmp_path, {}, rest="n")
    assert questions(session)
    assert "hunter2" not in session.shown


def test_a_question_says_which_of_how_many_it_is(tree: Path) -> None:
    session = walk(tree, {}, "--only", "cpu-limit,memory-limit,automount-token")
    numbers = re.findall(r"^(\d) of (\d): (?!make)", session.shown, re.M)
    assert numbers == [(str(number), "3") for number in range(1, 4)]
    assert session.shown.count("\n1 of 3: make this change [") == 1


def test_an_answer_can_be_taken_back(tree: Path) -> None:
    session = walk(
        tree, ["y", "y", "b", "n", "b", "b", "n", "y", "y"], "--only", "cpu-limit,memory-limit,automount-token"
    )
    asked = questions(session)
    first, second, third = asked[:3]
    assert asked == [first, second, third, second, third, second, first, second, third]
    made = {id for id in (first, second, third) if re.search(rf"\n  {id} .* edits? in ", session.shown)}
    assert made == {second, third}


def test_before_the_first_question_there_is_none(tree: Path) -> None:
    session = Session(tree, ".", "--only", "cpu-limit")
    session.read_until(QUESTION)
    session.say("b\n")
    assert "this is the first question" in session.read_until(QUESTION)
    session.say("n\n")
    assert session.finish() == 0


def test_all_of_a_transform_and_a_waiver_can_be_taken_back(tree: Path) -> None:
    write(tree, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    commit(tree)
    before = snapshot(tree)
    session = Session(tree, ".", "--only", "cpu-limit,memory-limit")
    for answer in ("e", "d", "e", "w", "b", "b", "b", "n", "n", "e", "n", "n"):
        session.read_until(QUESTION, ABOUT_ALL)
        session.say(f"{answer}\n")
        if answer == "w":
            session.read_until("Reason: ")
            session.say("bursts\n")
    assert session.finish() == 0
    assert len(questions(session)) == 8
    assert snapshot(tree) == before and "waivers written" not in session.shown


def test_a_question_is_broken_between_words(tree: Path) -> None:
    command = [sys.executable, "-m", "hardener", "apply", "-i", ".", "--only", "automount-token"]
    for columns in (50, 80):
        shown = on_terminal(command, tree, columns=columns, said="q\n")
        said = shown.text.partition("--- a/web.yaml")[0].splitlines()
        assert any(line.startswith("  why:     ") for line in said)
        assert all(len(line) <= columns for line in said), said


def test_no_question_without_a_terminal(harden: Harden, tree: Path) -> None:
    before = snapshot(tree)
    done = harden("apply", "-i", ".", stdin=b"y\n" * 50)
    assert (done.status, "needs a terminal" in done.err, done.err.count("\n")) == (2, True, 1)
    assert snapshot(tree) == before


def test_what_is_chosen_can_go_beside_the_source(tree: Path) -> None:
    before = (tree / "web.yaml").read_text()
    walk(tree, {"automount-token": "n"}, "--output-dir", "out")
    assert (tree / "web.yaml").read_text() == before
    assert "runAsNonRoot" in (tree / "out/web.yaml").read_text()
    assert "automountServiceAccountToken" not in (tree / "out/web.yaml").read_text()
