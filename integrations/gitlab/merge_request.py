"""What a job writes to a merge request of GitLab: one note that is kept up to date, and suggestions.

Usage: ``merge_request.py comment REPORT.md`` or ``merge_request.py suggest REPORT.rdjson``. It reads CI_API_V4_URL,
CI_PROJECT_ID, CI_MERGE_REQUEST_IID, HARDEN_TOKEN (a project access token with the scope api: the token of a job
may write no note) and HARDEN_COMMENT (the name of the note). What GitLab refuses is said and is no failure. Routes:
docs.gitlab.com/api, "Notes", "Discussions", "Merge requests", "Repository files".
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardener.report.formats.markdown import LONGEST
from hardener.report.review_notes import MOST_SUGGESTIONS, Note, evened, is_blob, marked, notes

PAGE = 100  # of a list; GitLab gives no more
MOST_PAGES = 30
MOST_LINES = 100  # above and below the line of a note that a suggestion may cover
SECONDS = 30


class Refused(Exception):
    """GitLab did not do what it was asked for; ``status`` is that of its answer, 0 where there is none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to no other host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class GitLab:
    """The merge request ``number`` of the project with the id ``project`` by the REST API at ``api``."""

    def __init__(self, api: str, project: str, number: str, token: str) -> None:
        if not all(re.fullmatch(r"[1-9][0-9]*", id) for id in (project, number)):
            raise Refused("the job is of no merge request")
        if not token:
            raise Refused("HARDEN_TOKEN is empty")
        self._api, self._token = api.rstrip("/"), token
        self._project = f"{self._api}/projects/{project}"
        self._request = f"{self._project}/merge_requests/{number}"
        self._open = urllib.request.build_opener(_NoRedirect).open

    def notes(self) -> Iterator[dict[str, Any]]:
        return self._list("notes")

    def comment(self, body: str) -> None:
        self._ask("POST", f"{self._request}/notes", {"body": body})

    def edit(self, note: int, body: str) -> None:
        self._ask("PUT", f"{self._request}/notes/{note}", {"body": body})

    def diffs(self) -> Iterator[dict[str, Any]]:
        return self._list("diffs")

    @cached_property
    def revisions(self) -> dict[str, str]:
        """The commits that the diff of the merge request compares."""
        found = self._ask("GET", self._request)["diff_refs"]
        return {name: str(found[name]) for name in ("base_sha", "start_sha", "head_sha")}

    def blob(self, path: str) -> str:
        """The object of Git that ``path`` is at the head of the merge request."""
        named = urllib.parse.quote(path, safe="")
        return str(
            self._ask("GET", f"{self._project}/repository/files/{named}?ref={self.revisions['head_sha']}")["blob_id"]
        )

    def discuss(self, body: str, position: dict[str, Any]) -> None:
        self._ask("POST", f"{self._request}/discussions", {"body": body, "position": position})

    def is_ours(self, note: dict[str, Any]) -> bool:
        """Whether who holds the token wrote ``note``: a stranger may begin one as we do."""
        return not note.get("system") and (note.get("author") or {}).get("id") == self._user

    @cached_property
    def _user(self) -> int:
        return int(self._ask("GET", f"{self._api}/user")["id"])

    def _list(self, what: str) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            found = self._ask("GET", f"{self._request}/{what}?per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        heads = {"Content-Type": "application/json", "PRIVATE-TOKEN": self._token, "User-Agent": "harden"}
        raw = None if body is None else json.dumps(body).encode()
        try:
            with self._open(urllib.request.Request(url, raw, heads, method=method), timeout=SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {url.removeprefix(self._api)}: {error.code}", error.code) from None
        except (OSError, ValueError) as error:
            raise Refused(f"{method} {url.removeprefix(self._api)}: {type(error).__name__}") from None


def comment(gitlab: GitLab, report: str, name: str) -> str:
    """Write ``report`` as the note called ``name``, in place of the one that is there. Returns what was done."""
    mark, body = marked(report, name)
    for found in gitlab.notes():
        if str(found.get("body", "")).startswith(mark) and gitlab.is_ours(found) and "position" not in found:
            if evened(found["body"]) == evened(body):
                return "the comment is as it was"
            gitlab.edit(int(found["id"]), body)
            return "the comment is up to date"
    gitlab.comment(body)
    return "the comment is written"


def suggest(gitlab: GitLab, report: dict[str, Any]) -> str:
    """Offer the suggestions of ``report`` that lie on lines of the merge request, each once. Returns what was done."""
    offered = notes(report)
    named = {note.path for note in offered}
    files = [file for file in gitlab.diffs() if file["new_path"] in named] if named else []
    shown = {
        str(file["new_path"]): (file, lines_shown(str(file.get("diff", ""))))
        for file in files
        if is_blob(str(file["new_path"]), gitlab.blob(str(file["new_path"])))
    }
    made = [note for note in offered if note.path in shown and _fits(note, shown[note.path][1])]
    if not made:
        return "no suggestion lies on lines of the merge request"
    said = {evened(str(note["body"])) for note in gitlab.notes() if gitlab.is_ours(note)}
    new = [note for note in made if evened(_body(note)) not in said]
    for note in new[:MOST_SUGGESTIONS]:
        file, lines = shown[note.path]
        gitlab.discuss(_body(note), _position(note, file, lines, gitlab.revisions))
    return f"{min(len(new), MOST_SUGGESTIONS)} of {len(made)} suggestions are new"


def lines_shown(diff: str) -> dict[int, int | None]:
    """The lines of the new side that ``diff``, the hunks of one file, shows, each with its number on the old side; None
    for one that is new. On no others GitLab takes a suggestion."""
    shown: dict[int, int | None] = {}
    old = new = 0
    for line in diff.split("\n"):
        if head := re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", line):
            old, new = int(head[1]), int(head[2])
        elif line.startswith("+"):
            shown[new] = None
            new += 1
        elif line.startswith(" "):
            shown[new] = old
            old, new = old + 1, new + 1
        elif line.startswith("-"):
            old += 1
    return shown


def _body(note: Note) -> str:
    """The note, with how many lines above its own and below it the suggestion replaces. Two notes of one text in
    different files are two: the path stands in it."""
    return f"{note.body(f'suggestion:-{note.last - note.first}+0')}\n<!-- {urllib.parse.quote(note.path)} -->"


def _position(
    note: Note, file: dict[str, Any], lines: dict[int, int | None], revisions: dict[str, str]
) -> dict[str, Any]:
    """Where the note stands: on the last of its lines. A line that was there before has two numbers."""
    place = {
        "position_type": "text", "old_path": file["old_path"], "new_path": file["new_path"], "new_line": note.last,
        **revisions,
    }  # fmt: skip
    old = lines[note.last]
    return place if old is None else {**place, "old_line": old}


def _fits(note: Note, lines: dict[int, int | None]) -> bool:
    covered = range(note.first, note.last + 1)
    return len(covered) <= MOST_LINES and lines.keys() >= set(covered) and len(_body(note)) <= LONGEST


def main(arguments: list[str]) -> None:
    what, path = arguments
    given = os.environ
    try:
        gitlab = GitLab(
            given.get("CI_API_V4_URL", ""), given.get("CI_PROJECT_ID", ""), given.get("CI_MERGE_REQUEST_IID", ""),
            given.get("HARDEN_TOKEN", ""),
        )  # fmt: skip
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        done = (
            comment(gitlab, text, given.get("HARDEN_COMMENT", ""))
            if what == "comment"
            else suggest(gitlab, json.loads(text))
        )
        print(f"harden: {done}")
    except Refused as error:
        rights = ": HARDEN_TOKEN is a project access token with the scope api"
        why = rights if error.status in (0, 401, 403, 404) else ""
        print(f"harden: nothing was written to the merge request ({error}){why}")


if __name__ == "__main__":
    main(sys.argv[1:])
