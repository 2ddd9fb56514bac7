"""``harden fleet plan``: a pull request for each repository as files; and the scripts of ``integrations/fleet`` that
make them, with gh and glab against a server of the test, with multi-gitter and turbolift against their documentation.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring.edits import Grade
from hardener.fleet import store
from hardener.fleet.checkout import entry_name
from hardener.fleet.plan_files import PlanFolder, Planned, Wave
from hardener.fleet.propose import Proposed
from hardener.report.pull_request import Made

from . import services
from .conftest import DEPLOYMENT, ROOT, Harden, commit, git, run, write
from .fleet_files import done, entry
from .fleet_files import write as write_fleet

RECIPES = ROOT / "integrations" / "fleet"
PRIVILEGED = DEPLOYMENT.rstrip("\n") + "\n        securityContext: {privileged: true}\n"
CONFIG_MAP = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n"
HOST, SSH = "https://github.localhost", "git@github.localhost"


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fleet(folder: Path, repositories: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A file of a fleet over ``repositories``, files by the address, each checked out in the cache as a run leaves it.
    Returns the commits by the address."""
    commits, results = {}, {}
    for address, files in repositories.items():
        checkout = folder / "cache" / entry_name(address)
        write(checkout, files)
        commit(checkout)
        (checkout / ".git" / "harden-whole").touch()
        commits[address] = git(checkout, "rev-parse", "HEAD").stdout.decode().strip()
        results[address] = done(entry("no-privileged"), commit=commits[address])
    write_fleet(folder / "harden-fleet.db", [results])
    return commits


def planned(harden: Harden, *options: str) -> dict[str, Any]:
    made = harden("fleet", "plan", "--cache", "cache", "--jobs", "1", "--out", "plans", *options)
    assert made.status == 0, made.err
    record: dict[str, Any] = json.loads(Path("plans", "plan.json").read_text(encoding="utf-8"))
    return record


def text(*names: str) -> str:
    return Path("plans", *names).read_text(encoding="utf-8")


def test_the_files_say_what_the_part_makes_and_apply_makes_it(tmp_path: Path, harden: Harden) -> None:
    shop, blog = f"{HOST}/o/shop.git", "git@example.com:group/sub/blog.git"
    commits = fleet(tmp_path, {shop: {"web.yaml": PRIVILEGED}, blog: {"web.yaml": PRIVILEGED}})
    record = planned(harden, "--only", "no-privileged", "--max-grade", "breaking", "--accept", "no-privileged")
    assert [(each["repository"], each["commit"]) for each in record["pullRequests"]] == sorted(commits.items())
    assert text("repositories.txt") == "group/sub/blog\no/shop\n"
    folder = entry_name(shop)
    assert (
        text(folder, "address") == f"{shop}\n" and text(folder, "branch") == text("branch") == "harden-no-privileged\n"
    )
    assert text(folder, "commit-message").startswith(
        "Remove privileged: true\n\n- Remove privileged: true (no-privileged, 1"
    )
    assert "| web.yaml | Deployment/web | `no-privileged` | container web runs privileged |" in text(folder, "body.md")
    command = "harden apply . --max-grade breaking --accept no-privileged --only no-privileged --plan 1 --lines 300"
    assert text("apply.sh").endswith(f"exec {command}\n") and f"`{command}`" in text(folder, "body.md")
    assert os.access("plans/apply.sh", os.X_OK)
    checkout = tmp_path / "cache" / folder
    assert git(checkout, "status", "--porcelain").stdout == b""  # a plan writes nothing
    assert run(*command.split()[1:], cwd=checkout).status == 0
    assert "privileged: true" not in (checkout / "web.yaml").read_text(encoding="utf-8")


def test_a_wave_makes_as_many_pull_requests_as_its_report_says(tmp_path: Path, harden: Harden) -> None:
    manifests = {"one": PRIVILEGED, "two": PRIVILEGED, "three": CONFIG_MAP}
    for name, manifest in manifests.items():
        write(tmp_path / name, {"web.yaml": manifest})
        commit(tmp_path / name)
    write(tmp_path, {"list": "one\ntwo\nthree\n"})
    assert harden("fleet", "run", "list", "--cache", "cache").status == 0
    waves = json.loads(harden("fleet", "report", "--format", "json").out)["waves"]
    assert len(waves) > 3 and {wave["repositories"] for wave in waves} == {2}
    for wave in waves[:2]:
        record = planned(harden, "--only", wave["rule"], "--max-grade", wave["grade"])
        assert len(record["pullRequests"]) == wave["repositories"]
        shutil.rmtree("plans")


def test_the_parts_of_a_plan_have_branches_of_their_own(tmp_path: Path, harden: Harden) -> None:
    fleet(tmp_path, {f"{HOST}/o/shop.git": {"web.yaml": PRIVILEGED}})
    first = planned(harden, "--lines", "1")["pullRequests"][0]
    assert first["parts"] > 1 and text("branch") == "harden-review\n"
    shutil.rmtree("plans")
    assert planned(harden, "--lines", "1", "--part", "2")["branch"] == "harden-review-2"
    shutil.rmtree("plans")
    assert planned(harden, "--lines", "1", "--part", "99")["pullRequests"] == []
    assert os.listdir("plans") == ["plan.json"]


def test_a_repository_that_cannot_be_had_is_named_and_the_others_get_theirs(tmp_path: Path, harden: Harden) -> None:
    folder = str(tmp_path / "gone")
    write(tmp_path, {"here/web.yaml": PRIVILEGED})
    runs = [
        {
            folder: done(entry("no-privileged")),
            str(tmp_path / "here"): store.Result(None, None, 1, 1, 1, (entry("no-privileged"),)),
        }
    ]
    write_fleet(tmp_path / "harden-fleet.db", runs)
    made = harden("fleet", "plan", "--out", "plans", "--cache", "cache", "--jobs", "1")
    assert made.status == 1
    assert made.out.splitlines()[0] == "1 pull request in plans"
    assert made.out.splitlines()[1].startswith(f"failed: {folder}: ")
    assert [each["repository"] for each in json.loads(text("plan.json"))["failed"]] == [folder]


def test_a_plan_beyond_its_bounds_is_a_failure(tmp_path: Path, harden: Harden) -> None:
    many = "---\n".join(PRIVILEGED.replace("web", f"web{number}") for number in range(200))
    fleet(tmp_path, {f"{HOST}/o/many.git": {"web.yaml": many}})
    made = harden("fleet", "plan", "--cache", "cache", "--out", "plans", "--memory", "1M")
    assert made.status == 1 and "many.git: needs more than 1 MiB of memory (--memory)" in made.out


def test_nothing_stays_of_a_plan_that_cannot_go_on(tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"here/web.yaml": PRIVILEGED, "file": ""})
    commit(tmp_path / "here")
    write_fleet(tmp_path / "harden-fleet.db", [{str(tmp_path / "here"): done(entry("no-privileged"))}])
    for folder in ("new", "old"):
        os.makedirs("old", exist_ok=True)
        made = harden("fleet", "plan", "--cache", "file", "--out", folder)
        assert (made.status, made.err.count("\n")) == (2, 1) and "file: File exists; make room" in made.err
    assert not os.path.exists("new") and os.listdir("old") == []


def test_a_folder_of_plans_holds_no_text_of_them(tmp_path: Path) -> None:
    body, made = "x" * (1 << 20), Made({"no-privileged": 1}, [Grade.SAFE])
    tracemalloc.start()
    try:
        with PlanFolder("plans", Wave("b", "harden apply .", "harden apply .", 1)) as folder:
            for number in range(20):
                folder.add(Planned(f"/srv/{number:02}", None, Proposed(made=made, body=f"{number}{body}")))
            folder.finish()
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert len(folder.made) == 20 and len(list(Path("plans").glob("*/body.md"))) == 20


def test_a_run_that_has_not_ended_is_told(tmp_path: Path, harden: Harden) -> None:
    write_fleet(tmp_path / "harden-fleet.db", [{str(tmp_path / "here"): done()}], finish=False)
    made = harden("fleet", "plan", "--cache", "cache", "--out", "plans")
    assert made.status == 0 and made.err == "harden: the last run has not ended: only what it has judged is planned\n"


def test_repositories_are_chosen_by_name_team_and_rule(tmp_path: Path, harden: Harden) -> None:
    commits = fleet(tmp_path, {f"{HOST}/{name}.git": {"web.yaml": PRIVILEGED} for name in ("a/x", "b/x", "b/y")})
    teams = {f"{HOST}/{name}.git": team for name, team in {"a/x": "@one", "b/x": "@two", "b/y": "@one"}.items()}
    results = {each: done(entry("no-privileged", team=teams[each]), commit=made) for each, made in commits.items()}
    os.unlink("harden-fleet.db")
    write_fleet(tmp_path / "harden-fleet.db", [results])
    for options, expected in {
        ("--repository", "/b/"): ["b/x", "b/y"],
        ("--team", "@one"): ["a/x", "b/y"],
        ("--team", "@one", "--repository", "/b/"): ["b/y"],
        ("--only", "memory-limit"): [],
    }.items():
        assert [each["name"] for each in planned(harden, *options)["pullRequests"]] == expected, options
        shutil.rmtree("plans")


@pytest.mark.parametrize(
    ("options", "message"),
    {
        ("--out", "full"): "--out full: is not empty; name another folder",
        ("--out", "full/file"): "--out full/file: Not a directory",
        ("--out", "x", "--branch", "-x"): "--branch -x: write letters, digits, and . _ - / between them",
        ("--out", "x", "--branch", "a..b"): "--branch a..b: write letters, digits, and . _ - / between them",
        ("--out", "x", "--only", "no-such"): "unknown transform no-such; 'harden list' shows them all",
    }.items(),
)
def test_wrong_options_are_refused(options: tuple[str, ...], message: str, tmp_path: Path, harden: Harden) -> None:
    write(tmp_path, {"full/file": ""})
    write_fleet(tmp_path / "harden-fleet.db", [{f"{HOST}/o/shop.git": done(entry("no-privileged"))}])
    made = harden("fleet", "plan", *options)
    assert made.status == 2 and message in made.err and made.err.count("\n") == 1
    assert not os.path.exists("x")


def test_hostile_names_are_text_and_secrets_are_masked(tmp_path: Path, harden: Harden) -> None:
    secret = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
    odd = "@everyone [x](http:evil) `$(id)` | <img> {}.yaml".format("\x1b[31m")
    manifest = PRIVILEGED.replace("name: web\n", f"name: web\n  annotations: {{a: {secret}}}\n", 1)
    fleet(tmp_path, {f"{HOST}/o/$(id).git": {odd: manifest}, f"{HOST}/o/shop.git": {"web.yaml": manifest}})
    planned(harden)
    everything = {path: path.read_text(encoding="utf-8") for path in Path("plans").rglob("*") if path.is_file()}
    for path, content in everything.items():
        assert secret not in content and "\x1b" not in content, path
    bodies = "".join(content for path, content in everything.items() if path.name == "body.md")
    assert "@<!-- -->everyone \\[x\\](http:evil) \\`\\$(id)\\` \\| \\<img\\>" in bodies
    assert text("repositories.txt") == "o/shop\n"  # the other is no name at a host
    assert not (Path("plans") / entry_name(f"{HOST}/o/$(id).git") / "name").exists()


# --- the scripts ---


@pytest.fixture
def plans(tmp_path: Path, harden: Harden) -> Path:
    """Plans for two repositories at a host."""
    fleet(tmp_path, {f"{SSH}:o/{name}.git": {"web.yaml": PRIVILEGED} for name in ("shop", "blog")})
    planned(harden)
    return tmp_path / "plans"


def script(
    name: str, *arguments: str | Path, cwd: Path, path: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of ``integrations/fleet`` with ``path`` before PATH, and this harden on it."""
    (path / "harden").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hardener "$@"\n', encoding="utf-8")
    (path / "harden").chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(cwd),
        "GIT_CONFIG_GLOBAL": str(cwd / "gitconfig"), "GIT_CONFIG_SYSTEM": os.devnull, **variables,
    }  # fmt: skip
    return subprocess.run(["sh", RECIPES / name, *arguments], cwd=cwd, env=environment, text=True, capture_output=True)


# Flags of the programs, from their documentation: README.md of lindell/multi-gitter ("Usage of run"), and README.md of
# Skyscanner/turbolift with the help of its commands.
DOCUMENTED = {
    "multi-gitter": {
        "run": {
            "--config", "--branch", "--commit-message", "--pr-title", "--pr-body", "--conflict-strategy", "--dry-run",
            "--platform",
        },
    },
    "turbolift": {
        "init": {"--name"}, "clone": set(), "foreach": {"--"}, "commit": {"--message"},
        "create-prs": {"--draft", "--sleep", "--repos", "--description"},
    },
}  # fmt: skip
NOTES = """#!/bin/sh
printf '%s\\0' "$@" >>"$NOTES"
printf '\\n\\0' >>"$NOTES"
for argument; do case $argument in *.yaml | /tmp/tmp.*) cat "$argument" >>"$NOTES.config" ;; esac; done
[ "$1" != init ] || mkdir "$3"
"""


def noted(program: str, folder: Path) -> dict[str, str]:
    """A program that writes down with what it is called; ``turbolift init`` makes its folder."""
    (folder / program).write_text(NOTES, encoding="utf-8")
    (folder / program).chmod(0o755)
    return {"NOTES": str(folder / "notes"), "TMPDIR": "/tmp"}


def calls(folder: Path) -> list[list[str]]:
    told = (folder / "notes").read_text(encoding="utf-8").split("\n\0")
    return [call.removesuffix("\0").split("\0") for call in told if call]


@pytest.mark.parametrize(("program", "options"), [("multi-gitter", ["--dry-run"]), ("turbolift", ["--draft"])])
def test_the_flags_are_those_of_the_documentation(
    program: str, options: list[str], plans: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    made = script(f"{program}.sh", plans, *options, cwd=tmp_path, path=path, **noted(program, path))
    assert made.returncode == 0, made.stderr
    found = calls(path)
    for name, *arguments in found:
        words = arguments[: arguments.index("--") + 1] if "--" in arguments else arguments
        assert {word for word in words if word.startswith("--")} <= DOCUMENTED[program][name]
    assert found[-1][-1:] == options
    message = text("commit-message").rstrip("\n")
    if program == "multi-gitter":
        given = dict(zip(found[0][2:-1:2], found[0][3:-1:2], strict=True))
        assert found[0][1] == str(plans / "apply.sh") and given["--commit-message"] == message
        assert given["--pr-title"] == message.split("\n")[0] and given["--pr-body"] == text("body.md").rstrip("\n")
        names = "  - o/blog\n  - o/shop\n"
        assert (path / "notes.config").read_text(encoding="utf-8") == f"repo:\n{names}project:\n{names}"
    else:
        assert [call[0] for call in found] == ["init", "clone", "foreach", "foreach", "commit", "create-prs"]
        assert found[2] == ["foreach", "--", "sh", str(plans / "apply.sh")]
        campaign = tmp_path / text("branch").strip()
        assert (campaign / "repos.txt").read_text(encoding="utf-8") == "o/blog\no/shop\n"
        assert (campaign / "README.md").read_text(encoding="utf-8") == message.split("\n")[0] + "\n" + text("body.md")


@pytest.mark.parametrize("name", ["multi-gitter.sh", "turbolift.sh", "pull-requests.sh"])
def test_a_script_without_a_folder_of_plans_says_what_it_wants(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    first: list[str | Path] = ["gh"] if name == "pull-requests.sh" else []
    for arguments in ([], [*first, tmp_path]):
        made = script(name, *arguments, cwd=tmp_path, path=path)
        assert made.returncode == 2 and made.stderr.startswith(f"{name}: ") and made.stderr.count("\n") == 1


class Forge(ThreadingHTTPServer):
    """What gh and glab ask GitHub and GitLab for; ``made`` are the fields of the pull requests that were opened."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.made: list[dict[str, Any]] = []
        self.asked: list[str] = []


class Answers(BaseHTTPRequestHandler):
    server: Forge

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        found = self._of_github(json.loads(body)) if self.path.endswith("/graphql") else self._of_gitlab(body)
        text = json.dumps(found).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_CONNECT = _answer

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""

    def _of_github(self, asked: dict[str, Any]) -> Any:
        if "createPullRequest" in asked["query"]:
            self.server.made.append(asked["variables"]["input"])
            return {"data": {"createPullRequest": {"pullRequest": {"id": "P", "url": f"{HOST}/o/x/pull/1"}}}}
        found = {
            "id": "R", "name": asked["variables"].get("name", "x"), "owner": {"login": "o"}, "hasIssuesEnabled": True,
            "hasWikiEnabled": True, "description": "", "viewerPermission": "WRITE", "parent": None,
            "defaultBranchRef": {"name": "main"}, "mergeCommitAllowed": True, "rebaseMergeAllowed": True,
            "squashMergeAllowed": True, "pullRequests": {"totalCount": 0, "nodes": []},
        }  # fmt: skip
        return {"data": {"repository": found, "viewer": {"login": "me"}}}

    def _of_gitlab(self, body: bytes) -> Any:
        path = self.path.partition("?")[0].partition("/api/v4/")[2]
        if path.endswith("/merge_requests"):
            if self.command == "GET":
                return []
            self.server.made.append(json.loads(body))
            return {"id": 1, "iid": 1, "title": "x", "web_url": f"{HOST}/o/x/-/merge_requests/1", "source_branch": "x"}
        if path.startswith("projects/"):
            name = path.removeprefix("projects/").replace("%2F", "/")
            access = {"access_level": 40, "notification_level": 3}
            return {
                "id": 7, "name": name.rpartition("/")[2], "path_with_namespace": name, "default_branch": "main",
                "merge_requests_enabled": True, "merge_requests_access_level": "enabled",
                "web_url": f"{HOST}/{name}", "http_url_to_repo": f"{HOST}/{name}.git",
                "ssh_url_to_repo": f"{SSH}:{name}.git", "permissions": {"project_access": access},
            }  # fmt: skip
        return {"id": 1, "username": "me"} if path == "user" else None


@contextmanager
def forge() -> Iterator[Forge]:
    with Forge() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.forge
@pytest.mark.slow
@pytest.mark.parametrize("program", ["gh", "glab"])
def test_the_pull_requests_are_opened(program: str, plans: Path, tmp_path: Path) -> None:
    """The program itself: the server is its proxy for http, and github.localhost is a name that gh asks without TLS. A
    script in the place of ssh answers with folders of the test."""
    path = tmp_path / "bin"
    path.mkdir()
    os.symlink(services.program(program), path / program)
    for name in ("shop", "blog"):
        git(tmp_path, "clone", "-q", "--bare", f"cache/{entry_name(f'{SSH}:o/{name}.git')}", f"remote/o/{name}.git")
    ssh = f'for command; do :; done\ncd "{tmp_path}/remote" && eval "$command"\n'  # the last argument
    write(tmp_path, {"ssh": ssh, "gitconfig": "[user]\nname = t\nemail = t@example.com\n"})
    with forge() as server:
        proxy = f"http://127.0.0.1:{server.server_port}"
        write(tmp_path, {"glab/config.yml": GLAB})
        os.chmod(tmp_path / "glab" / "config.yml", 0o600)
        made = script(
            "pull-requests.sh", program, plans, "--draft", cwd=tmp_path, path=path, HTTP_PROXY=proxy, http_proxy=proxy,
            HTTPS_PROXY=proxy, https_proxy=proxy, GH_HOST="github.localhost", GH_TOKEN="x", GH_ENTERPRISE_TOKEN="x",
            GH_CONFIG_DIR=str(tmp_path / "gh"), GH_NO_UPDATE_NOTIFIER="1", GLAB_CONFIG_DIR=str(tmp_path / "glab"),
            GITLAB_HOST="github.localhost", GITLAB_TOKEN="x", NO_PROMPT="1",
            GIT_SSH_COMMAND=f"sh {tmp_path}/ssh", GIT_SSH_VARIANT="simple",
        )  # fmt: skip
        assert made.returncode == 0, (made.stdout, made.stderr, server.asked)
        found = sorted(server.made, key=str)
    assert len(found) == 2
    for name in ("shop", "blog"):
        remote, folder = tmp_path / f"remote/o/{name}.git", entry_name(f"{SSH}:o/{name}.git")
        log = git(remote, "log", "-1", "--format=%B", "harden-review").stdout.decode()
        assert log.strip() == text(folder, "commit-message").strip()
        assert b"web.yaml" in git(remote, "diff", "--name-only", "HEAD", "harden-review").stdout
    body = text(entry_name(f"{SSH}:o/shop.git"), "body.md")
    if program == "gh":
        assert {(each["headRefName"], each["draft"]) for each in found} == {("harden-review", True)}
        assert {each["body"] for each in found} == {body}
    else:
        assert {each["source_branch"] for each in found} == {"harden-review"}
        assert all(each["title"].startswith("Draft: Harden manifests: ") for each in found)
        assert {each["description"].strip() for each in found} == {body.strip()}


GLAB = """\
check_update: false
host: github.localhost
hosts:
    github.localhost:
        token: x
        api_host: github.localhost
        api_protocol: http
        git_protocol: https
"""
