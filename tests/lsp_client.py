"""A small client of the language server: it speaks the protocol to the real process, by its own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self
from urllib.parse import unquote, urlsplit

CAPABILITIES: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
        "codeLens": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "codeAction": {"resolveSupport": {"properties": ["edit"]}, "dataSupport": True},
    },
}
WAIT = 60  # seconds, after which a server is taken for dead
Record = dict[str, Any]


class Client:
    """A server over ``folder``, and what it said. ``received`` are its notifications and requests by method."""

    def __init__(self, folder: Path | None, *, capabilities: Mapping[str, Any] = CAPABILITIES, **options: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hardener", "lsp"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **options.pop("environment", {})},
        )  # fmt: skip
        self._queue: Queue[Record | None] = Queue()
        self._answers: dict[int, Record] = {}
        self.received: list[Record] = []
        self._number = 0
        self.versions: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        self._errors: list[bytes] = []
        threading.Thread(target=self._hear, daemon=True).start()
        uri = folder.as_uri() if folder is not None else None
        folders = [{"uri": uri, "name": "it"}] if uri else None
        self.server = self.ask(
            "initialize", processId=os.getpid(), rootUri=uri, workspaceFolders=folders,
            capabilities=dict(capabilities), **options,
        )  # fmt: skip
        self.tell("initialized")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if raised[0] is not None:
            self.kill()
            return
        if self._process.poll() is None:
            self.ask("shutdown")
            self.tell("exit")
        assert self.ended() == 0, self.errors

    def kill(self) -> None:
        """End the server at once."""
        self._process.kill()
        self._process.wait()

    def leave(self) -> int:
        """Be gone without a word, as a client that dies; the exit code of the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        """The exit code of the server, once it ended."""
        return self._process.wait(WAIT)

    @property
    def errors(self) -> str:
        """What the server wrote to standard error."""
        return b"".join(self._errors).decode("utf-8", "replace")

    # Messages.

    def tell(self, method: str, **params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request, and return its answer. Raises RuntimeError for an error."""
        return self.answer(self.request(method, **params))

    def request(self, method: str, **params: Any) -> int:
        """Send a request, and return its number."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params or None})
        return self._number

    def answer(self, number: int) -> Any:
        """Return the answer to request ``number``. Raises RuntimeError for an error."""
        self._until(lambda: number in self._answers)
        found = self._answers.pop(number)
        if "error" in found:
            raise RuntimeError(found["error"]["message"])
        return found.get("result")

    def raw(self, data: bytes) -> None:
        """Send what may be no message."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def wait(self, method: str, fits: Callable[[Any], bool] = lambda params: True) -> Any:
        """Return the parameters of the first notification or request ``method`` that ``fits``, and forget those up to
        it."""
        found: list[Record] = []

        def is_there() -> bool:
            for number, each in enumerate(self.received):
                if each["method"] == method and fits(each.get("params")):
                    found.append(each)
                    del self.received[: number + 1]
                    return True
            return False

        self._until(is_there)
        return found[0].get("params")

    # Documents.

    def open(self, path: Path, text: str | None = None) -> str:
        """Open a file, with ``text`` in place of what it holds; its address."""
        uri, text = path.as_uri(), path.read_bytes().decode() if text is None else text
        self.versions[uri], self.texts[uri] = 1, text
        self.tell("textDocument/didOpen", textDocument={"uri": uri, "languageId": "yaml", "version": 1, "text": text})
        return uri

    def change(self, uri: str, text: str) -> int:
        """Change the text of a document; its new version."""
        self.versions[uri] += 1
        self.texts[uri] = text
        document = {"uri": uri, "version": self.versions[uri]}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])
        return self.versions[uri]

    def diagnostics(self, uri: str, *, whole: bool = True) -> list[Record]:
        """The diagnostics of the text that a document has now; with ``whole`` those of a run over all."""
        if whole:
            self.lenses(uri)  # these are of a run over all, and come behind what it published
            own = [each for each in self.received if _is_about(each, uri)]
            last = [each for each in own if each["params"].get("version") == self.versions[uri]]
            if last:
                return list(last[-1]["params"]["diagnostics"])
        found = self.wait(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == uri and params.get("version") == self.versions[uri],
        )
        return list(found["diagnostics"])

    def lenses(self, uri: str) -> list[Record]:
        """The code lenses of a document."""
        return list(self.ask("textDocument/codeLens", textDocument={"uri": uri}))

    def hover(self, uri: str, line: int) -> Record | None:
        """The hover at the beginning of a line."""
        position = {"line": line, "character": 0}
        found: Record | None = self.ask("textDocument/hover", textDocument={"uri": uri}, position=position)
        return found

    def actions(self, uri: str, line: int | None = None) -> list[Record]:
        """The code actions of a line, or of the whole document."""
        first, last = (0, 1_000_000) if line is None else (line, line)
        range = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
        context = {"diagnostics": [], "only": ["quickfix"]}
        return list(self.ask("textDocument/codeAction", textDocument={"uri": uri}, range=range, context=context))

    def resolved(self, action: Record) -> Record:
        """The edit of a code action."""
        edit: Record = self.ask("codeAction/resolve", **action)["edit"]
        return edit

    # The process.

    def _send(self, message: Record) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def _until(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            try:
                message = self._queue.get(timeout=WAIT)
            except Empty:
                raise AssertionError(f"the server says nothing: {self.errors}") from None
            assert message is not None, f"the server ended: {self.errors}"
            if "method" not in message:
                self._answers[message["id"]] = message
                continue
            self.received.append(message)
            if "id" in message:
                result = {"applied": True} if message["method"] == "workspace/applyEdit" else None
                self._send({"id": message["id"], "result": result})

    def _listen(self) -> None:
        out = self._process.stdout
        assert out is not None
        while head := out.readline():
            length = 0
            while head.strip():
                name, _, value = head.decode().partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                head = out.readline()
            self._queue.put(json.loads(out.read(length)))
        self._queue.put(None)

    def _hear(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line)


def _is_about(message: Record, uri: str) -> bool:
    return message["method"] == "textDocument/publishDiagnostics" and bool(message["params"]["uri"] == uri)


def path_of(uri: str) -> Path:
    """The path of a file's address."""
    return Path(unquote(urlsplit(uri).path))


def applied(edit: Record, text_of: Callable[[Path], str]) -> dict[Path, str]:
    """The texts that come of a workspace edit, by the editor's rules; ``text_of`` are those of before."""
    made: dict[Path, str] = {}
    for change in edit["documentChanges"]:
        if change.get("kind") == "create":
            made[path_of(change["uri"])] = ""
            continue
        path = path_of(change["textDocument"]["uri"])
        text = made[path] if path in made else text_of(path)
        lines = _lines(text)
        edits = [
            (_offset(lines, e["range"]["start"]), _offset(lines, e["range"]["end"]), e["newText"])
            for e in change["edits"]
        ]
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        made[path] = text
    return made


def _lines(text: str) -> list[str]:
    """The lines of the protocol, with their ends."""
    found, start, number = [], 0, 0
    while number < len(text):
        if text[number] == "\n" or (text[number] == "\r" and text[number + 1 : number + 2] != "\n"):
            found.append(text[start : number + 1])
            start = number + 1
        number += 1
    return [*found, text[start:]]


def _offset(lines: list[str], position: Record) -> int:
    """The characters before a position in UTF-16."""
    before, units, column = sum(map(len, lines[: position["line"]])), 0, 0
    line = lines[position["line"]] if position["line"] < len(lines) else ""
    while column < len(line) and units < position["character"]:
        units += 2 if line[column] > "\uffff" else 1
        column += 1
    return before + column
