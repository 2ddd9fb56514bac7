"""Whole sessions of ``harden observe`` with a program that answers as podman does: what comes of them, what is kept."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Started as a module it comes from its bytecode.
FAKE = """\
#!/bin/sh
FAKE_PODMAN={state} exec {python} -S -c "import sys; sys.path.insert(0, '{module}'); import fake_podman; \
sys.exit(fake_podman.main())" "$@"
"""
SECRET = "correct-horse-battery"
Map = dict[str, Any]
READ_ONLY, NO_ESCALATION = "--read-only ", "no-new-privileges"


pytestmark = pytest.mark.slow
# A workload that does not come up takes its time.
long = pytest.mark.skipif(os.environ.get("HARDEN_OBSERVE") != "all", reason="HARDEN_OBSERVE=all")


def workload(name: str, kind: str = "Deployment", more: str = "", pod: str = "", image: str = "web") -> str:
    template = f"""\
      containers:
        - name: main
          image: registry.example/shop/{image}:1
{more}{pod}"""
    if kind == "Job":
        template += "      restartPolicy: Never\n"
    group = "batch/v1" if kind == "Job" else "apps/v1"
    selector = "" if kind == "Job" else f"  selector: {{matchLabels: {{app: {name}}}}}\n"
    return f"""\
apiVersion: {group}
kind: {kind}
metadata:
  name: {name}
spec:
{selector}  template:
    metadata:
      labels: {{app: {name}}}
    spec:
{template}"""


@dataclass
class Bench:
    """A tree, and a program that answers as podman does."""

    tree: Path
    state: Path
    path: str

    def say(self, *rules: Map) -> None:
        (self.state / "scenario").write_text(repr(rules), encoding="utf-8")

    def write(self, *documents: str, images: str = "web") -> None:
        (self.tree / "app.yaml").write_text("---\n".join(documents), encoding="utf-8")
        stanzas = "".join(
            f'  registry.example/shop/{image}:1: {{digest: sha256:{number * 64}, config: {{user: ""}}}}\n'
            for number, image in zip("abcdef", images.split(), strict=False)
        )
        (self.tree / "harden.lock").write_text(f"version: 1\nimages:\n{stanzas}", encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hardener", "observe", ".", "--seconds", "1", *words]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PATH": self.path, "FAKE_PODMAN": str(self.state), "XDG_CONFIG_HOME": str(self.state / "none"),
            "REGISTRY_AUTH_FILE": str(self.state / "none.json"), "TMPDIR": str(self.state / "tmp"),
        }  # fmt: skip

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=120, env=self.environment, cwd=self.tree
        )

    def observe(self, *words: str, code: int = 0) -> dict[str, Map]:
        done = self.run("--format", "json", *words)
        assert done.returncode == code, done.stderr
        self.is_clean()
        said = json.loads(done.stdout)
        assert said["engine"] == "podman 0.0-fake" and said["seconds"] == 1
        return {each["workload"]: each for each in said["workloads"]}

    def calls(self) -> list[list[str]]:
        file = self.state / "calls"
        return [literal_eval(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def is_clean(self) -> None:
        assert list(self.state.glob("*.made")) == []
        assert list((self.state / "tmp").iterdir()) == []

    def lock(self) -> str:
        return (self.tree / "harden.lock").read_text(encoding="utf-8")


def bench_in(folder: Path) -> Bench:
    """A bench with one workload, in an empty folder."""
    for name in ("bin", "tree", "state", "state/tmp"):
        (folder / name).mkdir()
    program = folder / "bin" / "podman"
    # Nothing of the environment of harden itself comes as far as an engine.
    state = folder / "state"
    program.write_text(FAKE.format(state=state, python=sys.executable, module=Path(__file__).parent), encoding="utf-8")
    program.chmod(0o755)
    bench = Bench(folder / "tree", state, str(folder / "bin"))
    bench.say()
    bench.write(workload("web"))
    return bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_in(tmp_path)


KEYS = set("workload namespace file line state reason runs containers held failed notTried".split())
CONTAINER_KEYS = set("name image digest user groups wrote occupied listens capabilities memory token connects".split())


def test_held(bench: Bench) -> None:
    found = bench.observe()["Deployment/web"]
    assert KEYS <= found.keys() and CONTAINER_KEYS <= found["containers"][0].keys()
    assert (found["state"], found["failed"], found["file"], found["line"]) == ("held", [], "app.yaml", 1)
    assert {"read-only-root-filesystem", "drop-capabilities"} <= set(found["held"])
    assert "observed:" in bench.lock()


def test_partly(bench: Bench) -> None:
    bench.say({"image": "/web", "fails": [[READ_ONLY]], "log": "open /x: Read-only file system"})
    found = bench.observe()["Deployment/web"]
    assert found["state"] == "partly"
    (failure,) = found["failed"]
    assert failure["changes"] == ["read-only-root-filesystem"]
    assert "open /x: Read-only file system" in failure["because"]
    assert "read-only-root-filesystem" not in found["held"] and "drop-capabilities" in found["held"]
    assert found["runs"] <= 4 and found["containers"][0]["needs"] == []
    assert "needs: []" in bench.lock()


@long
def test_two_causes(bench: Bench) -> None:
    bench.say({"image": "/web", "fails": [[READ_ONLY], [NO_ESCALATION]], "log": "cannot"})
    found = bench.observe()["Deployment/web"]
    assert len(found["failed"]) == 2 and found["runs"] <= 12


@long
def test_a_capability_that_a_line_names(bench: Bench) -> None:
    root = "          securityContext: {runAsUser: 0}\n"
    bench.write(workload("web", more=root))
    bench.say({"image": "/web", "fails": [["--cap-drop ALL --security"]], "log": "chroot: Operation not permitted"})
    found = bench.observe()["Deployment/web"]
    assert (
        found["containers"][0]["needs"] == ["SETGID", "SETUID", "SYS_CHROOT"] and "drop-capabilities" in found["held"]
    )
    assert found["runs"] <= 8


@long
def test_a_pair(bench: Bench) -> None:
    bench.say({"image": "/web", "fails": [[READ_ONLY, NO_ESCALATION]], "log": "cannot"})
    (failure,) = bench.observe()["Deployment/web"]["failed"]
    assert len(failure["changes"]) == 2 and "read-only-root-filesystem" in failure["changes"]


@long
def test_not_as_it_is(bench: Bench) -> None:
    bench.say({"image": "/web", "fails": [[]], "log": "fatal: no database"})
    found = bench.observe()["Deployment/web"]
    assert found["state"] == "not-as-it-is" and "fatal: no database" in found["reason"]
    assert found["held"] == found["failed"] == []


def test_refused_and_missing(bench: Bench) -> None:
    env = "          envFrom: [{secretRef: {name: login}}]\n"
    bench.write(
        workload("node", pod="      hostNetwork: true\n"), workload("lacks", more=env), workload("web"),
    )  # fmt: skip
    found = bench.observe()
    assert (found["Deployment/node"]["state"], found["Deployment/node"]["reason"]) == (
        "refused", "it needs the node: hostNetwork",
    )  # fmt: skip
    assert "Secret login is not in the tree" in found["Deployment/lacks"]["reason"]
    assert found["Deployment/lacks"]["state"] == "not-as-it-is"
    assert found["Deployment/web"]["state"] == "held"


def test_who_fails_in_another_namespace_says_nothing_of_it(bench: Bench) -> None:
    lacks = workload("lacks", more="          envFrom: [{secretRef: {name: login}}]\n")
    bench.write(workload("web"), lacks.replace("  name: lacks\n", "  name: lacks\n  namespace: other\n", 1))
    found = bench.observe()
    assert found["Deployment/lacks"]["state"] == "not-as-it-is"
    assert found["Deployment/web"]["state"] == "held"


def test_an_init_container_that_fails_hardened_is_not_started_again(bench: Bench) -> None:
    init = "      initContainers:\n        - name: first\n          image: registry.example/shop/init:1\n"
    bench.write(workload("web", pod=init), images="web init")
    bench.say({"image": "shop/init", "ends": True, "fails": [[READ_ONLY]], "log": "open /x: Read-only file system"})
    found = bench.observe()["Deployment/web"]
    assert [each["changes"] for each in found["failed"]] == [["read-only-root-filesystem"]]
    made = [words for words in bench.calls() if "create" in words and any("shop/init" in word for word in words)]
    assert sum("--read-only" in words for words in made) <= 2


def test_nothing_can_be_run(bench: Bench) -> None:
    bench.write(workload("node", pod="      hostNetwork: true\n"))
    assert bench.observe(code=2)["Deployment/node"]["state"] == "refused"


def test_a_job_ends(bench: Bench) -> None:
    bench.write(workload("once", "Job", image="job"), images="job")
    bench.say({"image": "/job", "ends": True})
    assert bench.observe()["Job/once"]["state"] == "held"


def test_two_of_one_name(bench: Bench) -> None:
    bench.write(workload("web"), workload("web"))
    done = bench.run("--format", "json")
    states = [(each["state"], each["reason"]) for each in json.loads(done.stdout)["workloads"]]
    assert ("refused", "another workload of its folder is called the same") in states and states[0][0] == "held"


def with_secret() -> tuple[str, str]:
    held = base64.b64encode(SECRET.encode()).decode()
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\ndata: {{PASSWORD: {held}}}\n"
    return secret, workload("web", more="          envFrom: [{secretRef: {name: login}}]\n")


@long
@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("fails", [[], [READ_ONLY]], ids=["as it is", "hardened"])
def test_no_value_of_a_secret_is_shown(bench: Bench, format: str, fails: list[str]) -> None:
    bench.write(*with_secret())
    bench.say({"image": "/web", "fails": [fails], "log": f"fatal: login with {SECRET} failed"})
    done = bench.run("--format", format)
    assert done.returncode == 0, done.stderr
    assert "login with" in done.stdout
    for text in (done.stdout, done.stderr, bench.lock(), json.dumps(bench.calls())):
        assert SECRET not in text
    bench.is_clean()


def test_no_short_secret_of_an_init_container_is_shown(bench: Bench) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: pin}\nstringData: {PIN: x7Q9}\n"
    init = (
        "      initContainers:\n        - {name: first, image: 'registry.example/shop/init:1', "
        "envFrom: [{secretRef: {name: pin}}]}\n      restartPolicy: Never\n"
    )
    bench.write(secret, workload("web", pod=init), images="web init")
    bench.say({"image": "/init", "fails": [[]], "log": "fatal: the number x7Q9 is wrong"})
    found = bench.observe()["Deployment/web"]
    assert "fatal: the number *** is wrong" in found["reason"]
    assert "x7Q9" not in json.dumps(found) + bench.lock() + json.dumps(bench.calls())


@long
def test_what_is_named_is_run(bench: Bench) -> None:
    bench.write(workload("web"), workload("other"))
    assert list(bench.observe("--workload", "other")) == ["Deployment/other"]
    done = bench.run("--workload", "nobody")
    assert done.returncode == 2 and "no workload is called nobody" in done.stderr


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line


def test_there_is_nothing_to_run(bench: Bench) -> None:
    (bench.tree / "app.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", encoding="utf-8")
    assert "there is no workload to run" in one_line(bench.run())


def test_there_is_no_engine(bench: Bench) -> None:
    bench.path = str(bench.state / "tmp")
    assert "there is no container engine: install podman" in one_line(bench.run())


def test_what_the_lock_tells_of_is_not_run(bench: Bench) -> None:
    path, bench.path = bench.path, str(bench.state / "tmp")
    assert "harden.lock does not tell of all workloads" in one_line(bench.run("--check"))
    bench.path = path
    bench.observe()
    bench.path = str(bench.state / "tmp")
    done = bench.run("--check")
    assert (done.returncode, done.stderr) == (0, "") and "nothing was run" in done.stdout


@long
def test_check(bench: Bench) -> None:
    bench.observe()
    kept = bench.lock()
    # Another command: what is known is of another run.
    text = (bench.tree / "app.yaml").read_text(encoding="utf-8")
    (bench.tree / "app.yaml").write_text(text + "          command: [serve]\n", encoding="utf-8")
    assert bench.observe("--check")["Deployment/web"]["state"] == "held"
    bench.say({"image": "/web", "fails": [[READ_ONLY]], "log": "cannot"})
    bench.observe("--check", code=1)
    bench.say({"image": "/web", "fails": [[]], "log": "cannot"})
    bench.observe("--check", code=1)
    assert bench.lock() == kept


@pytest.mark.parametrize(
    ("words", "runs"),
    [([], True), (["--check"], False)],
    ids=["as the tree says", "never with --check"],
)
def test_whose_exercise_is_run(bench: Bench, words: list[str], runs: bool) -> None:
    (bench.tree / ".harden.yaml").write_text("observe: {exercise: {web: echo > exercised}}\n", encoding="utf-8")
    assert bench.observe(*words)["Deployment/web"]["state"] == "held"
    assert (bench.tree / "exercised").exists() is runs


def test_an_exercise_that_fails_with_it_as_it_is_says_nothing_of_a_change(bench: Bench) -> None:
    found = bench.observe("--exercise", "echo no order >&2; exit 1")["Deployment/web"]
    assert (found["state"], found["failed"]) == ("held", [])
    assert "as it is, --exercise: it ends with 1: no order" in found["notServed"]


def test_an_exercise_that_fails_with_a_change_holds_it_back(bench: Bench) -> None:
    program = bench.state / "smoke"
    program.write_text(
        f"import sys\ncalls = open({str(bench.state / 'calls')!r})\n"
        "made = [line for line in calls if line.startswith('[\\'create\\'')]\n"
        "sys.exit('--read-only' in made[-1])\n", encoding="utf-8",
    )  # fmt: skip
    found = bench.observe("--exercise", f"{sys.executable} {program}")["Deployment/web"]
    assert [failure["changes"] for failure in found["failed"]] == [["read-only-root-filesystem"]]
    assert found["failed"][0]["because"].startswith("--exercise: it ends with 1")


OUTPUT = "fatal: ::set-output name=x::IGNORE ALL"


@pytest.mark.parametrize(
    ("words", "shown"), [(["--check"], False), (["--check", "--show-output"], True)], ids=["hidden", "shown"],
)  # fmt: skip
@pytest.mark.parametrize("format", ["json", "text"])
def test_with_check_no_line_of_a_container_is_shown_unasked(
    bench: Bench, words: list[str], shown: bool, format: str
) -> None:
    bench.write(workload("once", "Job", image="job"), images="job")
    bench.say({"image": "/job", "fails": [[]], "log": OUTPUT})
    done = bench.run("--format", format, *words)
    assert ("IGNORE ALL" in done.stdout + done.stderr) is shown
    assert ("its output is not shown (--show-output)" in done.stdout) is not shown
    assert "main ends with 1: " in done.stdout


def test_a_profile_that_is_not_there(bench: Bench) -> None:
    line = one_line(bench.run("--seccomp-profile", "none.json"))
    assert line == "harden: --seccomp-profile none.json: there is no such file: name a profile in JSON"


def begun(bench: Bench) -> subprocess.Popen[str]:
    """A session that has come as far as to try changes, and is not over before a signal comes."""
    process = subprocess.Popen(
        bench.command("--format", "json", "--seconds", "3"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=bench.environment, cwd=bench.tree,
        # A shell lets what it starts in the background ignore it, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(READ_ONLY.strip() in call for call in bench.calls()):
        time.sleep(0.1)
    return process


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt(bench: Bench, sign: signal.Signals) -> None:
    bench.write(workload("web"), workload("slow", image="slow"), images="web slow")
    bench.say({"image": "/slow", "fails": [[READ_ONLY]], "log": "cannot"})
    with begun(bench) as process:
        process.send_signal(sign)
        out, error = process.communicate(timeout=60)
    assert process.returncode in (130, 143), error
    assert "Traceback" not in error
    bench.is_clean()
    if sign == signal.SIGINT:
        assert {each["workload"] for each in json.loads(out)["workloads"]} == {"Deployment/web", "Deployment/slow"}
        assert "observed:" in bench.lock()


def is_left(bench: Bench) -> list[str]:
    """What a run has made that is there still: containers, networks, volumes and folders."""
    made = [each.name for each in bench.state.glob("*.made")]
    return sorted([*made, *os.listdir(bench.state / "tmp")])


def reaper_of(pid: int) -> int:
    """The process beside a run that removes what it leaves."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return next(int(each) for each in children if b"reaper.py" in Path(f"/proc/{each}/cmdline").read_bytes())


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
@pytest.mark.parametrize(
    "both", [False, pytest.param(True, marks=long)], ids=["it alone", "it and what removes the rest"],
)  # fmt: skip
def test_nothing_stays_of_a_killed_one(bench: Bench, both: bool) -> None:
    with begun(bench) as process:
        beside = reaper_of(process.pid)
        if both:
            os.kill(beside, signal.SIGKILL)
        process.kill()
        process.communicate(timeout=60)
    if both:
        assert len(is_left(bench)) > 1
        bench.observe("--workload", "web")
    until = time.monotonic() + 60
    while is_left(bench) and time.monotonic() < until:
        time.sleep(0.1)
    assert is_left(bench) == []


def test_an_engine_that_stops_working_is_one_line(bench: Bench) -> None:
    with begun(bench) as process:
        (bench.state / "broken").touch()
        _, error = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "podman: it has stopped working: " in error.strip().splitlines()[-1]
    assert "Traceback" not in error
    assert "failed:" not in bench.lock()  # no change has stopped anything


NO_FAULT = "Error: crun: executable file `serve` not found in $PATH: No such file or directory: OCI runtime error"
FAULTS = {
    "a runtime that is not there": ("Error: OCI runtime error: exit status 1", "OCI runtime error: exit status 1"),
    "a kernel that refuses": (
        "Error: runc: unable to apply cgroup configuration: permission denied",
        "runc: unable to apply cgroup configuration: permission denied",
    ),
    "a program that is not there": (NO_FAULT, None),
}  # fmt: skip


@pytest.mark.parametrize(("says", "named"), FAULTS.values(), ids=FAULTS)
def test_who_never_starts_a_container_is_broken(bench: Bench, says: str, named: str | None) -> None:
    (bench.state / "refuses").write_text(says, encoding="utf-8")
    bench.write(workload("web"), workload("other"))
    done = bench.run("--format", "json")
    states = {each["state"] for each in json.loads(done.stdout)["workloads"]}
    assert states == {"not-as-it-is"}
    if named is None:
        assert done.returncode == 0 and "executable file" in done.stdout
    else:
        assert done.returncode == 2
        assert done.stderr.strip().splitlines()[-1] == f"harden: podman starts no container: {named}"
        assert "observed:" not in bench.lock()
    bench.is_clean()


def test_what_ends_after_it_was_looked_at_does_not_come_up(bench: Bench) -> None:
    """Another one takes longer to look at: by then the first has ended, and does so each time."""
    bench.write(workload("web"), workload("import", "Job", image="import"), images="web import")
    bench.say(
        {"image": "shop/web", "lives": 1.6, "log": "fatal: no certificates"},
        {"image": "shop/import", "lives": 3.5, "ends": True},
    )
    found = bench.observe()
    assert found["Deployment/web"]["state"] == "not-as-it-is"
    # On a busy machine it has ended before the first look, and is started again for as long as it may take.
    assert found["Deployment/web"]["reason"].endswith("main ends with 1: fatal: no certificates")
    assert found["Job/import"]["state"] == "held"
