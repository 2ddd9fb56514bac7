"""What the action writes to a pull request of GitHub: one comment that is kept up to date, and suggestions.

Usage: ``pull_request.py comment REPORT.md`` or ``pull_request.py suggest REPORT.rdjson``. It reads GITHUB_API_URL,
GITHUB_REPOSITORY, HARDEN_TOKEN, HARDEN_PULL_REQUEST (the number) and HARDEN_COMMENT (the name of the comment). What
GitHub refuses is a warning and no failure: a pull request from a fork has no right to be written to. Routes and fields:
docs.github.com/en/rest, "Issue comments", "Pull request reviews", "Pull request review comments", "Pull requests".
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardener.report.formats.markdown import LONGEST
from hardener.report.review_notes import MARK, MOST_SUGGESTIONS, Note, evened, is_blob, marked, notes

PAGE = 100  # of a list; GitHub gives no more
MOST_PAGES = 30
SECONDS = 30


class Refused(Exception):
    """GitHub did not do what it was asked for; ``status`` is that of its answer, 0 where there is none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to no other host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class GitHub:
    """The pull request ``number`` of ``repository`` by the REST API at ``api``."""

    def __init__(self, api: str, repository: str, number: str, token: str) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not re.fullmatch(r"[1-9][0-9]*", number):
            raise Refused("the event names no pull request")
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        self._api, self._number, self._token = api.rstrip("/"), number, token
        self._open = urllib.request.build_opener(_NoRedirect).open

    def comments(self) -> Iterator[dict[str, Any]]:
        return self._list(f"/issues/{self._number}/comments")

    def comment(self, body: str) -> None:
        self._ask("POST", f"{self._base}/issues/{self._number}/comments", {"body": body})

    def edit(self, comment: int, body: str) -> None:
        self._ask("PATCH", f"{self._base}/issues/comments/{comment}", {"body": body})

    def files(self) -> Iterator[dict[str, Any]]:
        return self._list(f"/pulls/{self._number}/files")

    def remarks(self) -> Iterator[dict[str, Any]]:
        return self._list(f"/pulls/{self._number}/comments")

    def review(self, body: str, remarks: list[dict[str, Any]]) -> None:
        asked = {"event": "COMMENT", "body": body, "comments": remarks}
        self._ask("POST", f"{self._base}/pulls/{self._number}/reviews", asked)

    def is_ours(self, comment: dict[str, Any]) -> bool:
        """Whether who holds the token wrote ``comment``: a stranger may begin one as we do."""
        user = comment.get("user") or {}
        return user.get("type") == "Bot" if self._login is None else user.get("login") == self._login

    @cached_property
    def _login(self) -> str | None:
        """Whose token it is; None for that of a workflow or of an app, which is nobody's."""
        try:
            return str(self._ask("GET", f"{self._api}/user")["login"])
        except Refused:
            return None

    def _list(self, path: str) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            found = self._ask("GET", f"{self._base}{path}?per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        heads = {
            "Accept": "application/vnd.github+json", "Authorization": f"Bearer {self._token}",
            "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "harden",
        }  # fmt: skip
        raw = None if body is None else json.dumps(body).encode()
        try:
            with self._open(urllib.request.Request(url, raw, heads, method=method), timeout=SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {url.removeprefix(self._api)}: {error.code}", error.code) from None
        except (OSError, ValueError) as error:
            raise Refused(f"{method} {url.removeprefix(self._api)}: {type(error).__name__}") from None


def comment(github: GitHub, report: str, name: str) -> str:
    """Write ``report`` as the comment called ``name``, in place of the one that is there. Returns what was done."""
    mark, body = marked(report, name)
    for found in github.comments():
        if str(found.get("body", "")).startswith(mark) and github.is_ours(found):
            if evened(found["body"]) == evened(body):
                return "the comment is as it was"
            github.edit(int(found["id"]), body)
            return "the comment is up to date"
    github.comment(body)
    return "the comment is written"


def suggest(github: GitHub, report: dict[str, Any]) -> str:
    """Offer the suggestions of ``report`` that lie on lines of the pull request, each once. Returns what was done."""
    offered = [_remark(note) for note in notes(report)]
    named = {remark["path"] for remark in offered}
    files = [file for file in github.files() if file["filename"] in named] if named else []
    shown = {
        str(file["filename"]): lines_shown(str(file.get("patch", "")))
        for file in files
        if is_blob(str(file["filename"]), file.get("sha"))
    }
    made = [remark for remark in offered if _fits(remark, shown)]
    if not made:
        return "no suggestion lies on lines of the pull request"
    said = {(remark["path"], evened(str(remark["body"]))) for remark in github.remarks() if github.is_ours(remark)}
    new = [remark for remark in made if (remark["path"], evened(remark["body"])) not in said]
    if new:
        left = len(new) - MOST_SUGGESTIONS
        more = f" {left} more are left out: harden apply makes them." if left > 0 else ""
        github.review(f"{MARK} -->\nharden suggests changes.{more}", new[:MOST_SUGGESTIONS])
    return f"{min(len(new), MOST_SUGGESTIONS)} of {len(made)} suggestions are new"


def lines_shown(patch: str) -> set[int]:
    """The lines of the new side that ``patch``, the hunks of one file, shows: on no others GitHub takes a remark."""
    shown: set[int] = set()
    number = 0
    for line in patch.split("\n"):
        if head := re.match(r"@@ -\d+(?:,\d+)? \+(\d+)", line):
            number = int(head[1])
        elif line.startswith(("+", " ")):
            shown.add(number)
            number += 1
    return shown


def _remark(note: Note) -> dict[str, Any]:
    """A suggestion as a remark of a review."""
    remark: dict[str, Any] = {"path": note.path, "line": note.last, "side": "RIGHT", "body": note.body("suggestion")}
    return remark | ({"start_line": note.first, "start_side": "RIGHT"} if note.first < note.last else {})


def _fits(remark: dict[str, Any], shown: dict[str, set[int]]) -> bool:
    lines = range(remark.get("start_line", remark["line"]), remark["line"] + 1)
    return shown.get(remark["path"], set()).issuperset(lines) and len(remark["body"]) <= LONGEST


def main(arguments: list[str]) -> None:
    what, path = arguments
    given = os.environ
    try:
        github = GitHub(
            given.get("GITHUB_API_URL", "https://api.github.com"), given.get("GITHUB_REPOSITORY", ""),
            given.get("HARDEN_PULL_REQUEST", ""), given.get("HARDEN_TOKEN", ""),
        )  # fmt: skip
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        done = (
            comment(github, text, given.get("HARDEN_COMMENT", ""))
            if what == "comment"
            else suggest(github, json.loads(text))
        )
        print(f"harden: {done}")
    except Refused as error:
        rights = ": the workflow needs permissions: {pull-requests: write}, which a pull request from a fork never has"
        why = rights if error.status in (401, 403, 404) else ""
        print(f"::warning title=harden::nothing was written to the pull request ({error}){why}")


if __name__ == "__main__":
    main(sys.argv[1:])
