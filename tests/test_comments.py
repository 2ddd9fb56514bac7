"""What a reviewer reads on a pull or merge request: whole comments of 1, 40 and 400 changes, as golden texts, and what
the job of GitLab writes."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from .comment_trees import KNOWN, TREES
from .conftest import ROOT, Harden, commit, write
from .formats import with_suggestions
from .test_formats import well_formed

GOLDEN = ROOT / "tests/data/comments"
PAGES = "https://git.example/tools/harden/blob/v1/docs"


@pytest.mark.parametrize("count", TREES)
def test_the_comment_as_a_whole(
    count: int, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    files, options = TREES[count]
    monkeypatch.setenv("HARDEN_DOCS", PAGES)
    write(tmp_path, files)
    commit(tmp_path)
    text = harden("check", "--format", "markdown", *options).out
    golden = GOLDEN / f"{count}.md"
    if request.config.getoption("--harden-accept"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    pending = "1 change is pending" if count == 1 else f"{count} changes are pending"
    assert text.startswith(f"<!-- harden -->\n## harden: check failed\n\n**{pending}")
    assert len(text) <= 60_000
    well_formed(text, pages=PAGES)


def test_of_400_changes_the_comment_says_what_it_leaves_out() -> None:
    text = (GOLDEN / "400.md").read_text(encoding="utf-8")
    shown = text.count("<summary><code>")
    (left,) = re.findall(r"^\*(\d+) files more left out, since the comment has no more room: ", text, re.M)
    assert shown + int(left) == 41  # the manifests, and the one with the policies
    assert re.search(
        r"^\*The first \d+ are shown, since this part has room for 12000 characters\. \d+ more: ", text, re.M
    )


# -- GitLab

OURS, STRANGER = {"id": 17, "username": "project_3_bot"}, {"id": 4, "username": "mallory"}
REVISIONS = {"base_sha": "b" * 40, "start_sha": "c" * 40, "head_sha": "d" * 40}


class Api(ThreadingHTTPServer):
    """A stand-in of the API of GitLab on loopback: the merge request 7 of project 3."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.notes: list[dict[str, Any]] = []
        self.diffs: list[dict[str, Any]] = []
        self.blobs: dict[str, str] = {}
        self.positions: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refuse = 0


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def _answer(self) -> None:
        api, (path, _, query) = self.server, self.path.partition("?")
        page = int((re.findall(r"[?&]?\bpage=(\d+)", query) or ["1"])[0])
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        api.asked.append(self.command)
        assert self.headers["PRIVATE-TOKEN"] == "glpat-of-the-project"
        request = "/api/v4/projects/3/merge_requests/7"
        files = "/api/v4/projects/3/repository/files/"
        status = 200
        answer: Any = None
        if self.command in ("POST", "PUT") and api.refuse:
            status = api.refuse
        elif self.command == "GET" and path in (f"{request}/notes", f"{request}/diffs"):
            found = api.notes if path.endswith("notes") else api.diffs
            answer = found[100 * (page - 1) : 100 * page]
        elif self.command == "GET" and path == request:
            answer = {"diff_refs": REVISIONS}
        elif self.command == "GET" and path == "/api/v4/user":
            answer = OURS
        elif self.command == "GET" and path.startswith(files) and query == f"ref={REVISIONS['head_sha']}":
            answer = {"blob_id": api.blobs[unquote(path.removeprefix(files))]}
        elif self.command == "POST" and path in (f"{request}/notes", f"{request}/discussions"):
            api.notes.append({"id": len(api.notes) + 1, "author": OURS, "system": False, **body})
            api.positions += [body["position"]] if "position" in body else []
            status = 201
        elif self.command == "PUT" and path.startswith(f"{request}/notes/"):
            next(note for note in api.notes if path.endswith(f"/{note['id']}")).update(body)
        else:
            status = 404
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        for name, value in {
            "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4", "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7", "HARDEN_TOKEN": "glpat-of-the-project",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def merge_request() -> ModuleType:
    spec = importlib.util.spec_from_file_location("merge_request", ROOT / "integrations/gitlab/merge_request.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gitlab_gets_one_note_which_is_kept_up_to_date(
    api: Api, merge_request: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.notes = [{"id": 900 + n, "author": STRANGER, "body": "<!-- harden -->\nall is well"} for n in range(101)]
    for count, done in (
        (40, "the comment is written"),
        (40, "the comment is as it was"),
        (1, "the comment is up to date"),
    ):
        merge_request.main(["comment", str(GOLDEN / f"{count}.md")])
        assert capsys.readouterr().out == f"harden: {done}\n"
        assert len(api.notes) == 102
        assert (
            api.notes[-1]["body"].replace("\r", "").strip()
            == (GOLDEN / f"{count}.md").read_text(encoding="utf-8").strip()
        )
        api.notes[-1]["body"] = api.notes[-1]["body"].replace("\n", "\r\n")
    assert {note["body"] for note in api.notes[:-1]} == {"<!-- harden -->\nall is well"}


def test_gitlab_gets_suggestions_on_lines_of_the_merge_request_once(
    api: Api, merge_request: ModuleType, harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"k8s/web.yaml": KNOWN, "k8s/old.yaml": KNOWN.replace("web", "old")})
    commit(tmp_path)
    report = tmp_path / "harden.rdjson"
    report.write_text(harden("check", "k8s", "--max-grade", "safe", "--format", "rdjson").out)
    sha = subprocess.run(["git", "hash-object", "k8s/web.yaml"], capture_output=True, text=True).stdout.strip()
    lines = KNOWN.splitlines()
    # The first half of the file is new, the second was there: it began at line 1.
    half = len(lines) // 2
    diff = "\n".join([f"@@ -1,{len(lines) - half} +1,{len(lines)} @@", *("+" + line for line in lines[:half]),
                      *(" " + line for line in lines[half:])])  # fmt: skip
    api.diffs = [{"old_path": "k8s/web.yaml", "new_path": "k8s/web.yaml", "diff": diff}]
    api.blobs = {"k8s/web.yaml": sha}
    merge_request.main(["suggest", str(report)])
    assert re.fullmatch(r"harden: (\d+) of \1 suggestions are new\n", capsys.readouterr().out)
    rows = []
    for position, note in zip(api.positions, api.notes, strict=True):
        assert position["position_type"] == "text" and position["new_path"] == "k8s/web.yaml"
        assert position.items() >= REVISIONS.items()
        line = position["new_line"]
        assert position.get("old_line") == (line - half if line > half else None)
        ((above, text),) = re.findall(r"^```suggestion:-(\d+)\+0\n(.*?)\n```$", note["body"], re.S | re.M)
        rows.append((line - int(above), line, text.encode()))
    assert "allowPrivilegeEscalation: false" in with_suggestions(KNOWN.encode(), rows).decode()
    merge_request.main(["suggest", str(report)])
    assert capsys.readouterr().out.startswith("harden: 0 of ") and len(api.notes) == len(rows)
    api.blobs = {"k8s/web.yaml": "0" * 40}
    merge_request.main(["suggest", str(report)])
    assert capsys.readouterr().out == "harden: no suggestion lies on lines of the merge request\n"


@pytest.mark.parametrize(("refuse", "token", "said"), [(403, None, "POST /projects/3/merge_requests/7/notes: 403"),
                                                       (0, "", "HARDEN_TOKEN is empty")])  # fmt: skip
def test_what_gitlab_refuses_is_said_and_fails_nothing(
    refuse: int, token: str | None, said: str, api: Api, merge_request: ModuleType, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    api.refuse = refuse
    if token is not None:
        monkeypatch.setenv("HARDEN_TOKEN", token)
    merge_request.main(["comment", str(GOLDEN / "1.md")])
    out = capsys.readouterr().out
    assert f"nothing was written to the merge request ({said})" in out and "glpat" not in out
