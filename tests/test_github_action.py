"""action.yml: its steps, run by bash as a runner of GitHub runs them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.conftest import DEPLOYMENT, ROOT, commit, made_once, write
from tests.formats import with_suggestions

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
DEFAULTS = {name: item["default"] for name, item in ACTION["inputs"].items()}
HARDENED = "allowPrivilegeEscalation: false"
KNOWN = DEPLOYMENT.replace("example.com/web:1.2.3", "redis:7.2")  # what its image needs is known, so changes are safe
HOSTILE = (
    "venv", "ensurepip", "pip", "hardener", "typing", "runpy", "yaml", "typer", "ruamel", "pathspec", "hatchling",
)  # fmt: skip


@dataclass
class Job:
    """What the steps of a job left behind."""

    status: int
    log: str
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    path: str = ""


Run = Callable[..., Job]


@dataclass
class Runner:
    """The temporary folder of a runner, and the first job there, which installs: what it left, and whether a module of
    its checkout ran."""

    folder: Path
    first: Job
    hardened: bool
    ran: bool


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """What the first job installs, the next ones find. Its checkout is hostile: a pull request may bring a venv.py, or
    a package that says it holds rules."""
    return installed(tmp_path_factory)


def installed(factory: pytest.TempPathFactory) -> Runner:
    """A runner for the tests of one module. The first job on any of them is the same one."""
    folder, runner = made_once(factory, "action", _first_job)
    return replace(runner, folder=folder / "runner")


def _first_job(of_both: Path) -> Runner:
    folder, work = of_both / "runner", of_both / "hostile"
    folder.mkdir()
    ran = folder / "ran"
    code = f"open({str(ran)!r}, 'a').write(__name__ + chr(10))\nraise SystemExit(9)\n"
    entry = "[hardener.transforms]\nhostile = hostile\n"
    write(work, {"k8s/web.yaml": DEPLOYMENT, "hostile.py": code, "hostile-1.dist-info/entry_points.txt": entry,
                 "hostile-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: hostile\nVersion: 1\n",
                 "setup.py": code, "sitecustomize.py": code, **{f"{name}.py": code for name in HOSTILE}})  # fmt: skip
    commit(work)
    job = run_action(folder, work, command="apply", paths="k8s")
    return Runner(folder, job, HARDENED in (work / "k8s/web.yaml").read_text(), ran.exists())


@pytest.fixture
def action(runner: Runner, tmp_path: Path) -> Run:
    """Runs the action in the folder ``work`` of the test."""
    work = tmp_path / "work"
    write(work, {"k8s/web.yaml": DEPLOYMENT})
    commit(work)
    return lambda **inputs: run_action(runner.folder, work, **inputs)


def run_action(runner: Path, work: Path, event: dict[str, str] | None = None, **inputs: str) -> Job:
    """The steps of action.yml with ``inputs``, in ``work``; ``event`` is what the event says, and where the API is."""
    given = DEFAULTS | {"python": sys.executable} | {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() == DEFAULTS.keys(), "an input that action.yml does not have"
    event = event or {}
    values = {f"inputs.{name}": value for name, value in given.items()} | GITHUB
    values |= {f"github.event.pull_request{key}": event.get("number", "") for key in ("", ".number")}
    values["inputs.token"] = expanded(values["inputs.token"], values)
    files = {name: runner / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
    for path in files.values():
        path.write_text("")
    job = Job(0, "")
    for step in STEPS:
        told = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        known = values | {f"steps.run.outputs.{name}": told.get(name, "") for name in ("status", "reports")}
        known["env.HARDEN_DOCS"] = event.get("docs", "")
        if not runs(step.get("if", ""), known, failed=bool(job.status)):
            continue
        script = runner / "step.sh"
        script.write_text(step["run"])
        environment = {name: expanded(text, known) for name, text in step.get("env", {}).items()}
        environment |= {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(runner)}
        environment |= {"GITHUB_REPOSITORY": "shop/web", "GITHUB_API_URL": event.get("api", "http://127.0.0.1:9")}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=work, capture_output=True, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        job.status, job.log = job.status or done.returncode, job.log + done.stdout + done.stderr
    job.outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    job.summary, job.path = files["GITHUB_STEP_SUMMARY"].read_text(), files["GITHUB_PATH"].read_text().strip()
    return job


GITHUB = {
    "github.action_path": str(ROOT), "github.token": "ghs_of-the-job", "github.server_url": "https://git.example",
    "github.action_repository": "tools/harden", "github.action_ref": "v1",
    "env.HARDEN_DOCS": "",
}  # fmt: skip


def expanded(text: str, values: dict[str, str]) -> str:
    """``text`` with its expressions filled in: names, ``||`` between two of them, and ``format``."""

    def value(expression: str) -> str:
        first, _, other = expression.partition(" || ")
        if other:
            return value(first) or value(other)
        if call := re.fullmatch(r"format\('(.*?)', (.*)\)", expression):
            return call[1].format(*map(value, call[2].split(", ")))
        return values[expression]

    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: value(found[1]), text)


def runs(condition: str, values: dict[str, str], *, failed: bool) -> bool:
    """Whether a step with the condition ``if`` runs: names, texts, ``==``, ``!=``, ``&&``, ``||`` and ``always()``."""
    text = " ".join(condition.split()).removeprefix("${{").removesuffix("}}").strip()
    words = re.findall(r"'[^']*'|[\w.-]+(?:\(\))?|&&|\|\||==|!=|[()]", text)
    meaning = {"&&": "and", "||": "or", "always()": "True"} | dict.fromkeys(("==", "!=", "(", ")"), "")
    made = [repr(values[word]) if "." in word and word[0] != "'" else meaning.get(word) or word for word in words]
    assert "".join(words) == text.replace(" ", ""), text
    return ("always()" in words or not failed) and bool(eval(" ".join(made) or "True"))


def test_inputs_come_in_through_the_environment_alone() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert step["shell"] == "bash" and "uses" not in step
        assert "${{" not in step["run"], step["name"]
    used = {
        name
        for step in STEPS
        for text in step.get("env", {}).values()
        for name in re.findall(r"inputs\.([\w-]+)", text)
    }
    assert used == DEFAULTS.keys()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("inputs", "status", "changed"),
    [
        ({}, 1, False),
        ({"command": "diff", "paths": "k8s\n"}, 1, False),
        ({"command": "apply", "paths": "k8s"}, 0, True),
        ({"command": "apply", "paths": "k8s", "options": "--skip\nno-privilege-escalation\n--quiet"}, 0, False),
        ({"command": "apply", "paths": "k8s", "profile": "baseline", "max_grade": "safe"}, 0, False),
        ({"command": "format"}, 2, False),
        ({"paths": "gone"}, 2, False),
        ({"require": "k8s/*.yaml\nk8s"}, 1, False),
        ({"require": "k8s/*.yaml\napps"}, 2, False),
        ({"fail_on": "high"}, 0, False),
        ({"fail_on": "medium"}, 1, False),
        ({"fail_on": "none", "paths": "k8s"}, 0, False),
        ({"fail_on": "worst"}, 2, False),
        ({"fail_on": "worst", "command": "diff"}, 1, False),
        ({"no_waivers": "true", "allow_empty": "true"}, 1, False),
        ({"no_waivers": "true", "command": "apply", "paths": "k8s"}, 0, True),
        ({"paths": "--help"}, 2, False),
        ({"profile": "restrictd"}, 2, False),
        ({"reports": ""}, 1, False),
        ({"reports": "xml"}, 2, False),
        ({"fail_on": "low", "reports": ""}, 1, False),
        ({"fail_on": "hihg", "reports": ""}, 2, False),
        ({"baseline": "gone.baseline", "reports": ""}, 2, False),
        ({"since": "HEAD", "reports": "github"}, 0, False),
        ({"since": "gone", "reports": ""}, 2, False),
        ({"command": "diff", "since": "HEAD", "reports": "sarif"}, 0, False),
        # Of another command they are nothing.
        ({"command": "diff", "baseline": "gone", "fail_on": "hihg"}, 1, False),
        ({"command": "apply", "paths": "k8s", "baseline": "gone", "fail_on": "hihg", "since": "gone"}, 0, True),
        ({"reports": "../x"}, 2, False),
    ],
)
def test_a_job(inputs: dict[str, str], status: int, changed: bool, action: Run, tmp_path: Path) -> None:
    # Each report is a run of its own. The jobs with no input but a command have those of the default.
    job = action(**{"reports": "markdown"} | inputs if inputs.keys() - {"command", "paths"} else inputs)
    assert job.status == status, job.log
    assert (HARDENED in (tmp_path / "work/k8s/web.yaml").read_text()) == changed
    if status < 2:
        assert job.outputs["status"] == str(status)
        report = Path(job.outputs["reports"], "harden.txt").read_text()
        heads = {"check": "check ", "diff": "# ", "apply": "hardened "}
        assert report.startswith(("changed nothing", "harden ", heads[inputs.get("command", "check")]))
        assert re.search(r"^::stop-commands::(\w+)\n" + re.escape(report) + r"::\1::$", job.log, re.M)
        assert job.summary.startswith("<!-- harden -->\n") == ("reports" not in inputs)


def test_a_job_whose_manifests_are_hardened_passes(action: Run) -> None:
    assert action(command="apply").status == 0
    job = action()
    assert (job.status, job.outputs["status"]) == (0, "0"), job.log


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", [name for name in DEFAULTS if name not in ("command", "python")])
def test_an_input_is_never_run(name: str, action: Run, tmp_path: Path) -> None:
    hostile = "x$(touch pwned)`touch pwned`; touch pwned\n\"; touch pwned; '"
    action(**{"reports": "", "comment": "true", "suggest": "true"} | {name: hostile}, event={"number": hostile})
    assert not list(tmp_path.rglob("pwned"))


def test_no_module_of_the_checkout_is_imported(runner: Runner) -> None:
    assert (runner.first.status, runner.ran) == (0, False), runner.first.log
    assert runner.hardened


def test_reports_are_files_and_annotations(action: Run) -> None:
    job = action(reports="github\nsarif patch")
    folder = Path(job.outputs["reports"])
    assert re.search("^::(error|warning|notice) file=k8s/web.yaml,line=", job.log, re.M)
    assert json.loads((folder / "harden.sarif").read_text())["version"] == "2.1.0"
    assert (folder / "harden.patch").read_text().startswith("diff --git a/k8s/")
    assert job.summary == ""


def test_a_manifest_gives_the_runner_no_command(action: Run, tmp_path: Path) -> None:
    """The runner looks for ``::`` at the start of a line, behind blanks."""
    write(tmp_path / "work", {"k8s/web.yaml": DEPLOYMENT + "        args:\n        - |\n          ::add-mask::web\n"})
    log = action(command="diff").log
    assert "add-mask" in log, "the test shows nothing"
    open_part = re.sub(r"^::stop-commands::(\w+)\n.*?^::\1::$", "", log, flags=re.S | re.M)
    assert not re.search(r"^\s*::add-mask", open_part, re.M)


def test_install_puts_harden_on_the_path(action: Run) -> None:
    job = action(command="install")
    assert (job.status, job.outputs) == (0, {}), job.log
    shown = subprocess.run(
        ["harden", "--version"],
        env={"PATH": f"{job.path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert shown.stdout.startswith("harden "), shown.stderr


# -- the options of the command itself


def test_a_baseline_lets_what_is_known_pass(action: Run, tmp_path: Path) -> None:
    """And no report of the job tells it."""
    work = tmp_path / "work"
    done = subprocess.run([sys.executable, "-m", "hardener", "baseline", "write", "k8s"], cwd=work, capture_output=True)
    assert done.returncode == 0, done.stderr
    job = action(baseline="harden.baseline", reports="github sarif", paths="k8s")
    assert job.status == 0, job.log
    results = json.loads(Path(job.outputs["reports"], "harden.sarif").read_text())["runs"][0]["results"]
    assert results == [] and "::error" not in job.log
    write(work, {"k8s/web.yaml": DEPLOYMENT + "        securityContext: {privileged: true}\n"})
    job = action(baseline="harden.baseline", reports="github", paths="k8s")
    assert job.status == 1 and "no-privileged" in job.log


def test_fail_on_is_passed_only_when_it_is_set() -> None:
    assert DEFAULTS["fail-on"] == "" and DEFAULTS["baseline"] == "" and DEFAULTS["since"] == ""


@pytest.mark.parametrize(
    ("docs", "shown"),
    [("", "https://git.example/tools/harden/blob/v1/docs"), ("https://docs.example/h", "https://docs.example/h")],
)
def test_rules_link_to_the_pages_of_the_action_or_of_the_job(docs: str, shown: str, action: Run) -> None:
    job = action(reports="sarif", event={"docs": docs})
    rules = json.loads(Path(job.outputs["reports"], "harden.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    pages = {rule["helpUri"] for rule in rules if "helpUri" in rule}
    assert f"{shown}/transforms/run-as-non-root.md" in pages


@pytest.mark.parametrize("extra", [{}, {"fail_on": "none"}])
def test_what_was_not_looked_at_fails_a_job_and_leaves_its_reports(
    extra: dict[str, str], action: Run, tmp_path: Path
) -> None:
    write(tmp_path / "work", {"k8s/broken.yaml": "kind: Pod\n  a: 1\n"})
    job = action(no_waivers="true", reports="sarif markdown", **extra)
    assert (job.status, job.outputs["status"]) == ((0, "0") if extra else (2, "2")), job.log
    assert "no-privilege-escalation" in job.summary
    folder = Path(job.outputs["reports"])
    assert json.loads((folder / "harden.sarif").read_text())["runs"][0]["results"]
    assert "not looked at" in (folder / "harden.txt").read_text()


# -- what is written to a pull request


BOT, STRANGER = {"login": "github-actions[bot]", "type": "Bot"}, {"login": "mallory", "type": "User"}


class Api(ThreadingHTTPServer):
    """A stand-in of the API of GitHub on loopback: one pull request of shop/web, number 7."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: list[dict[str, Any]] = []
        self.remarks: list[dict[str, Any]] = []
        self.reviews: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.refuse: dict[str, int] = {}

    @property
    def event(self) -> dict[str, str]:
        return {"number": "7", "api": f"http://127.0.0.1:{self.server_port}"}


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def _answer(self) -> None:
        api, path = self.server, self.path.partition("?")[0]
        page = int((re.findall(r"[?&]page=(\d+)", self.path) or ["1"])[0])
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        api.asked.append((self.command, path))
        assert self.headers["Authorization"] == "Bearer ghs_of-the-job"
        lists = {"/repos/shop/web/issues/7/comments": api.comments, "/repos/shop/web/pulls/7/comments": api.remarks,
                 "/repos/shop/web/pulls/7/files": api.files}  # fmt: skip
        status: int = 404
        answer: Any = None
        if self.command in api.refuse:
            status = api.refuse[self.command]
        elif self.command == "GET" and path in lists:
            status, answer = 200, lists[path][100 * (page - 1) : 100 * page]
        elif self.command == "POST" and path in lists:
            api.comments.append({"id": len(api.comments) + 1, "user": BOT, **body})
            status, answer = 201, api.comments[-1]
        elif self.command == "PATCH":
            found = next(one for one in api.comments if path.endswith(f"/issues/comments/{one['id']}"))
            found |= body
            status, answer = 200, found
        elif self.command == "POST" and path == "/repos/shop/web/pulls/7/reviews":
            api.reviews.append(body)
            api.remarks += [{"user": BOT, **remark} for remark in body["comments"]]
            status, answer = 200, body
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{api.server_port}/elsewhere")
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_comment_is_one_and_is_kept_up_to_date(action: Run, api: Api, tmp_path: Path) -> None:
    copied = {"id": 900, "user": STRANGER, "body": "<!-- harden -->\nall is well"}
    api.comments += [{"id": 800 + n, "user": STRANGER, "body": "hello"} for n in range(100)] + [copied]
    first = action(comment="true", reports="", event=api.event)
    assert (first.status, first.summary) == (1, ""), first.log
    assert len(api.comments) == 102 and copied["body"] == "<!-- harden -->\nall is well"
    body = api.comments[-1]["body"]
    assert body.startswith("<!-- harden -->\n## harden: ") and "no-privilege-escalation" in body
    api.asked.clear()
    assert "the comment is as it was" in action(comment="true", reports="", event=api.event).log
    assert {method for method, _ in api.asked} == {"GET"}
    assert action(command="apply").status == 0
    last = action(comment="true", reports="", event=api.event)
    assert last.status == 0 and "the comment is up to date" in last.log
    assert len(api.comments) == 102 and api.comments[-1]["body"].startswith("<!-- harden -->\n## harden: check passed")


def test_comments_of_two_jobs_stay_apart(action: Run, api: Api) -> None:
    action(comment="true", reports="", event=api.event)
    action(comment="the apps / strict", profile="strict", reports="", event=api.event)
    action(comment="the apps / strict", profile="strict", reports="", event=api.event)
    heads = [one["body"].partition("\n")[0] for one in api.comments]
    assert heads == ["<!-- harden -->", "<!-- harden the-apps-strict -->"]


@pytest.mark.parametrize(
    ("inputs", "event"),
    [({}, True), ({"comment": "false"}, True), ({"comment": "true"}, False), ({"suggest": "true"}, False)],
)
def test_nothing_is_written_unasked_or_outside_a_pull_request(
    inputs: dict[str, str], event: bool, action: Run, api: Api
) -> None:
    job = action(**inputs, reports="", event=api.event if event else {"api": api.event["api"]})
    assert (job.status, api.asked) == (1, [])


@pytest.mark.parametrize("status", [302, 403, 404, 500])
def test_what_github_refuses_is_a_warning_and_keeps_the_verdict(status: int, action: Run, api: Api) -> None:
    """A pull request from a fork has no right to be written to."""
    api.refuse = {"POST": status}
    job = action(comment="true", reports="", event=api.event)
    assert (job.status, api.comments) == (1, [])
    assert re.search(
        rf"^::warning title=harden::nothing was written to the pull request \(.*: {status}\)", job.log, re.M
    )
    assert ("the workflow needs permissions" in job.log) == (status in (403, 404))
    assert ("GET", "/elsewhere") not in api.asked and "ghs_of-the-job" not in job.log


def pull_request_of(work: Path, name: str) -> dict[str, Any]:
    """A file as the list of a pull request has it, with all of its lines as new ones."""
    text = (work / name).read_text()
    lines = "\n".join("+" + line for line in text.splitlines())
    sha = subprocess.run(["git", "hash-object", name], cwd=work, capture_output=True, text=True).stdout.strip()
    return {"filename": name, "sha": sha, "patch": f"@@ -0,0 +1,{len(text.splitlines())} @@\n{lines}"}


def test_suggestions_lie_on_lines_of_the_pull_request_and_come_once(action: Run, api: Api, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write(work, {"k8s/web.yaml": KNOWN})
    api.files = [pull_request_of(work, "k8s/web.yaml")]
    job = action(suggest="true", reports="", event=api.event)
    assert job.status == 1 and len(api.reviews) == 1, job.log
    content = (work / "k8s/web.yaml").read_bytes()
    rows = []
    for remark in api.reviews[0]["comments"]:
        assert (remark["path"], remark["side"]) == ("k8s/web.yaml", "RIGHT")
        (offered,) = re.findall(r"^```suggestion\n(.*?)\n```$", remark["body"], re.S | re.M)
        rows.append((remark.get("start_line", remark["line"]), remark["line"], offered.encode()))
    text = with_suggestions(content, rows).decode()
    yaml.safe_load_all(text)
    assert HARDENED in text and "limits" not in text, "what is graded safe, and nothing else"
    for remark in api.remarks:
        remark["body"] = remark["body"].replace("\n", "\r\n") + "\r\n"
    again = action(suggest="true", reports="", event=api.event)
    assert len(api.reviews) == 1 and re.search(r"harden: 0 of \d+ suggestions are new", again.log)


@pytest.mark.parametrize("change", ["other lines", "another text", "no file"])
def test_no_suggestion_for_lines_that_are_not_those_of_the_report(
    change: str, action: Run, api: Api, tmp_path: Path
) -> None:
    """The checkout may be a merge with a base that moved on."""
    write(tmp_path / "work", {"k8s/web.yaml": KNOWN})
    file = pull_request_of(tmp_path / "work", "k8s/web.yaml")
    api.files = [{"other lines": {**file, "patch": "@@ -1,2 +1,2 @@\n-a\n+b\n c"},
                  "another text": {**file, "sha": "0" * 40},
                  "no file": {**file, "filename": "../secret.yaml"}}[change]]  # fmt: skip
    job = action(suggest="true", reports="", event=api.event)
    assert api.reviews == [] and "no suggestion lies on lines of the pull request" in job.log


@pytest.mark.parametrize("kind", ["pipe", "link", "unnamed"])
def test_a_file_of_a_pull_request_is_opened_where_it_is_one_and_is_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull request may name what never ends."""
    spec = importlib.util.spec_from_file_location("pull_request", ROOT / "integrations/github/pull_request.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe" if kind == "link" else "a.yaml")
    if kind == "link":
        Path("a.yaml").symlink_to("pipe")
    asked = SimpleNamespace(files=lambda: [{"filename": "a.yaml", "sha": "0" * 40, "patch": "@@ -0,0 +1,1 @@\n+a"}])
    place = {"path": "b.yaml" if kind == "unnamed" else "a.yaml", "range": {"start": {"line": 1}, "end": {"line": 1}}}
    report = {"diagnostics": [{"location": place, "message": "m", "suggestions": [{"text": "b"}]}]}
    done: list[str] = []
    thread = threading.Thread(target=lambda: done.append(module.suggest(asked, report)), daemon=True)
    thread.start()
    thread.join(20)
    assert done == ["no suggestion lies on lines of the pull request"]


def test_a_stranger_in_a_manifest_writes_no_markup(action: Run, api: Api, tmp_path: Path) -> None:
    work = tmp_path / "work"
    evil = KNOWN.replace("name: web\n", 'name: "@octocat <b>`x`"\n', 1) + "        args: ['```suggestion']\n"
    write(work, {"k8s/web.yaml": evil})
    commit(work)
    api.files = [pull_request_of(work, "k8s/web.yaml")]
    action(suggest="true", comment="true", reports="", event=api.event)
    bodies = [remark["body"] for review in api.reviews for remark in review["comments"]] + [api.comments[0]["body"]]
    for body in bodies:
        prose = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", body, flags=re.S | re.M)
        prose = re.sub(r"`[^`]*`", "", prose)
        # Behind a slash, as in the name of an object, GitHub takes it for no mention.
        assert not re.search(r"(?<![\w/])@octocat|(?<!\\)<b", prose), prose
