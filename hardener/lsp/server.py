"""The language server: what the editor says comes in, a run judges it a moment later, and answers go out.

Two runs follow a change. The first, after a tenth of a second, looks at the changed file alone and leaves out what
kustomizations build. The second, once nothing was typed for a while, judges all as ``harden check`` does, and its
answer takes the place of the first. A change ends the run that is under way.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from hardener.errors import HardenError, InputError
from hardener.lsp import shown
from hardener.lsp.positions import Lines, as_read
from hardener.lsp.repository import (
    LARGEST,
    Edited,
    Judged,
    Name,
    Repository,
    StoppedError,
    left_alone,
    target_of,
    waivable,
)
from hardener.report.problems import Kind, Problem
from hardener.report.redactor import Redactor
from hardener.sources import registry
from hardener.sources.files import UnreadableError, read
from hardener.support.printable import plain

SOON, LATER = 0.1, 0.7
"""Seconds without a change after which a file, and all, is judged."""
EXPLAIN, LEAVE = "harden.explain", "harden.leave"
"""Commands of the server: a message about a problem; a waiver, which takes a reason."""
TO_SAY = "say why it stays"
"""The reason of a waiver from an editor that asks for none: the person overwrites it."""
_WATCHED = (
    *(f"**/*{ending}" for ending in registry.endings()),
    "**/{harden.lock,.harden.yaml,.harden-ignore,Dockerfile*}",
    "**/*Dockerfile",
)

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Document:
    """An open file: its address and text as the editor has them, and the real path."""

    uri: str
    path: str
    text: str
    version: int | None
    is_dirty: bool = False


@dataclass(slots=True)
class _State:
    """What is known of a repository: the last judgements, each with the revision that it is of."""

    repository: Repository
    revision: int = 0
    whole: tuple[int, Judged] | None = None
    quick: dict[str, tuple[int, Judged]] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None
    is_urgent: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str | None = None


class HardenServer(LanguageServer):
    """The server of ``harden lsp``, for one editor."""

    def __init__(self, version: str) -> None:
        # A text is sent whole: the parts that pygls puts together end lines at characters that end none here.
        super().__init__("harden", version, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.documents: dict[str, _Document] = {}
        self.states: list[_State] = []
        self.asks_reason = False
        self.makes_files = self.takes_markdown = self.refreshes_lenses = self.watches = False
        self.is_ended = False
        self._judge = ThreadPoolExecutor(max_workers=1, thread_name_prefix="harden-judge")
        _register(self)

    # What the editor can do, and what it has open.

    def begin(self, params: types.InitializeParams) -> None:
        """Take in what the editor says of itself."""
        options = params.initialization_options
        self.asks_reason = isinstance(options, dict) and options.get("asksReason") is True
        able: Callable[[str, Any], Any] = partial(get_capability, params.capabilities)
        operations = able("workspace.workspace_edit.resource_operations", [])
        creates = types.ResourceOperationKind.Create in operations
        self.makes_files = creates and able("workspace.workspace_edit.document_changes", False)
        self.takes_markdown = types.MarkupKind.Markdown in able("text_document.hover.content_format", [])
        self.refreshes_lenses = able("workspace.code_lens.refresh_support", False)
        self.watches = able("workspace.did_change_watched_files.dynamic_registration", False)
        folders = [folder.uri for folder in params.workspace_folders or []] or [params.root_uri or ""]
        self.set_folders(folders, [])

    def set_folders(self, added: list[str], removed: list[str]) -> None:
        """Have the folders with these addresses judged, or no longer."""
        gone = {_real(uri) for uri in removed}
        for state in [state for state in self.states if state.repository.root in gone]:
            self._stop(state)
            self.states.remove(state)
        known = {state.repository.root for state in self.states}
        for root in dict.fromkeys(_real(uri) for uri in added):
            if root is not None and root not in known and os.path.isdir(root):
                self.states.append(_State(Repository(root)))

    def state_of(self, path: str) -> _State | None:
        """The innermost folder that holds the file at ``path``; a file opened without any has its own folder."""
        holders = [state for state in self.states if state.repository.holds(path)]
        if not holders and not self.states:
            self.states.append(_State(Repository(os.path.dirname(path))))
            return self.states[-1]
        return max(holders, key=lambda state: len(state.repository.root), default=None)

    def opened(self, item: types.TextDocumentItem) -> None:
        """A document came in."""
        path = _real(item.uri)
        if path is None or not _is_read(path):
            return
        if self.state_of(path) is None:
            self._note(f"{plain(path)} lies outside of the open folders, and is not judged")
            return
        document = _Document(item.uri, path, item.text, item.version)
        document.is_dirty = _differs(document)  # an editor may have kept what was not saved before it ended
        self.documents[item.uri] = document
        self.changed(path)

    def edited(self, params: types.DidChangeTextDocumentParams) -> None:
        """The text of a document changed."""
        document = self.documents.get(params.text_document.uri)
        if document is None:
            return
        for change in params.content_changes:
            document.text = change.text  # all of it: that is what the server asked for
        document.version = params.text_document.version
        document.is_dirty = True
        self.changed(document.path)

    def saved(self, uri: str) -> None:
        """A document was written."""
        document = self.documents.get(uri)
        if document is not None:
            document.is_dirty = _differs(document)
            self.changed(document.path)

    def closed(self, uri: str) -> None:
        """A document is not shown any more."""
        document = self.documents.pop(uri, None)
        if document is not None:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
            self.changed(document.path)

    def changed(self, path: str | None) -> None:
        """Judge again what holds ``path``; None is all."""
        for state in [self.state_of(path)] if path is not None else list(self.states):
            if state is not None:
                self._schedule(state, path)

    # Runs.

    def _schedule(self, state: _State, path: str | None) -> None:
        self._stop(state)
        state.done.clear()
        state.is_urgent.clear()
        state.task = asyncio.ensure_future(self._after_change(state, path, state.revision))

    def _stop(self, state: _State) -> None:
        state.revision += 1  # what runs sees it, and ends
        if state.task is not None:
            state.task.cancel()

    async def _after_change(self, state: _State, path: str | None, revision: int) -> None:
        try:
            await self._answer(state, path, revision)
        except Exception as error:  # somebody may wait for the answer
            self._broken(state, error)
        if state.revision == revision:
            state.done.set()

    async def _answer(self, state: _State, path: str | None, revision: int) -> None:
        await self._quiet(state, SOON)
        if path is not None and not state.is_urgent.is_set() and self._document_at(path) is not None:
            judged = await self._judged(state, revision, path)
            if judged is not None:
                state.quick[path] = (revision, judged)
                self._publish(state, judged, path)
                await self._run(gc.collect)  # now that nobody waits: else it takes half a second of one run in thirty
        await self._quiet(state, LATER)
        judged = await self._judged(state, revision, None)
        if judged is not None:
            state.whole = (revision, judged)
            state.quick.clear()
            self._publish(state, judged, None)
            if self.refreshes_lenses:
                self.workspace_code_lens_refresh(None)
            await self._run(gc.collect)
        elif state.failure is not None:
            self._publish(state, None, None)  # what was said of another text does not stay

    async def _quiet(self, state: _State, seconds: float) -> None:
        """Wait until nothing was typed for ``seconds``, or somebody waits for the answer."""
        try:
            await asyncio.wait_for(state.is_urgent.wait(), seconds)
        except TimeoutError:
            return

    async def _judged(self, state: _State, revision: int, only: str | None) -> Judged | None:
        """What a run finds, None where it failed; a failure is told once."""
        stop = self._stopper(state, revision)
        run = partial(state.repository.judge, self.texts(state), stop, only=only)
        try:
            judged = await self._run(run)
        except StoppedError:
            return None
        except (HardenError, OSError, RecursionError, MemoryError) as error:
            self._fail(state, _words(error))
            return None
        except Exception as error:
            self._broken(state, error)
            return None
        state.failure = None
        return judged

    async def _run(self, run: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._judge, run)

    def _stopper(self, state: _State, revision: int) -> Callable[[], bool]:
        return lambda: self.is_ended or state.revision != revision

    def _broken(self, state: _State, error: Exception) -> None:
        _log.error("an error of harden", exc_info=error)
        self._fail(state, f"an internal error in harden ({type(error).__name__}); standard error has the lines")

    def _fail(self, state: _State, message: str) -> None:
        if state.failure != message:
            state.failure = message
            params = types.ShowMessageParams(types.MessageType.Error, f"harden: {message}")
            self.window_show_message(params)

    def _note(self, message: str) -> None:
        self.window_log_message(types.LogMessageParams(types.MessageType.Info, f"harden: {message}"))

    def texts(self, state: _State) -> dict[str, str]:
        """What stands in for files: the open texts that are not what is saved."""
        own = [each for each in self.documents.values() if state.repository.holds(each.path)]
        return {each.path: as_read(each.text) for each in own if each.is_dirty and len(each.text) <= LARGEST}

    def _document_at(self, path: str) -> _Document | None:
        return next((each for each in self.documents.values() if each.path == path), None)

    def _publish(self, state: _State, judged: Judged | None, path: str | None) -> None:
        for document in list(self.documents.values()):
            if state.repository.holds(document.path) and path in (None, document.path):
                found = [] if judged is None else self._diagnostics(document, judged)
                params = types.PublishDiagnosticsParams(document.uri, found, document.version)
                self.text_document_publish_diagnostics(params)

    def _diagnostics(self, document: _Document, judged: Judged) -> list[types.Diagnostic]:
        lines = self._lines(document)
        return [shown.diagnostic(each, lines, judged) for each in judged.problems.get(document.path, [])]

    def _lines(self, document: _Document) -> Lines:
        return Lines(document.text, self.encoding)

    @property
    def encoding(self) -> str:
        """What a column counts."""
        return str(types.PositionEncodingKind(self.workspace.position_encoding).value)

    # Answers.

    async def current(self, uri: str, *, whole: bool) -> tuple[_Document, _State, Judged] | None:
        """The document ``uri`` with a judgement of the texts that are there now; ``whole``: of all."""
        document = self.documents.get(uri)
        state = self.state_of(document.path) if document is not None else None
        if document is None or state is None:
            return None
        found = state.whole
        if not whole and (found is None or found[0] != state.revision):
            found = state.quick.get(document.path)
        while found is None or found[0] != state.revision:
            revision = state.revision
            state.is_urgent.set()
            await state.done.wait()
            found = state.whole
            if state.revision == revision and (found is None or found[0] != revision):
                return None  # the run failed, which is said
        return document, state, found[1]

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """What there is to know of the line under the pointer."""
        now = await self.current(params.text_document.uri, whole=False)
        if now is None:
            return None
        document, _, judged = now
        lines = self._lines(document)
        line = params.position.line
        found = [each for each in judged.problems.get(document.path, []) if lines.holds(each.line, line)]
        if not found:
            return None
        return shown.hover(found, judged, lines.line_span(found[0].line), markdown=self.takes_markdown)

    async def lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        """The Pod Security levels of the workloads of a document."""
        now = await self.current(params.text_document.uri, whole=True)
        if now is None:
            return []
        document, _, judged = now
        lines = self._lines(document)
        return [shown.lens(level, lines) for level in judged.levels.get(document.path, [])]

    async def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """What may be done about the problems in a range; edits are made when one of them is chosen."""
        now = await self.current(params.text_document.uri, whole=True)
        if now is None or not _asks_for_fixes(params.context.only):
            return []
        document, state, judged = now
        lines = self._lines(document)
        first, last = params.range.start.line, params.range.end.line
        found: list[types.CodeAction] = []
        for problem in judged.problems.get(document.path, []):
            start, end = lines.line_span(problem.line)
            if start[0] <= last and end[0] >= first:
                found += self._actions_of(problem, document, state, judged, lines)
        return found

    def _actions_of(
        self, problem: Problem, document: _Document, state: _State, judged: Judged, lines: Lines
    ) -> list[types.CodeAction]:
        about = [shown.diagnostic(problem, lines, judged)]
        data = {"uri": document.uri, "fingerprint": problem.fingerprint, "revision": state.revision}
        action = partial(types.CodeAction, kind=types.CodeActionKind.QuickFix, diagnostics=about)
        found: list[types.CodeAction] = []
        if (target := target_of(judged, problem)) is not None:
            name = problem.object or problem.file
            is_safe = problem.grade == "safe"
            fix = {**data, "fix": problem.id, "target": list(target)}
            found.append(action(f"{problem.id}: change {name} ({problem.grade})", is_preferred=is_safe, data=fix))
            found.append(action(f"{problem.id}: change all that it applies to", data={**data, "fix": problem.id}))
        elif problem.kind in (Kind.PENDING, Kind.HELD):
            title = f"{problem.id}: not made ({problem.grade}): explain"
            found.append(action(title, command=types.Command(title, EXPLAIN, arguments=[data])))
        if waivable(judged, problem) is not None:
            title = f"{problem.id}: leave it, with a reason"
            if self.asks_reason:
                found.append(action(title, command=types.Command(title, LEAVE, arguments=[data])))
            else:
                found.append(action(title, data={**data, "leave": TO_SAY}))
        return found

    async def resolved(self, chosen: types.CodeAction) -> types.CodeAction:
        """``chosen`` with its edit. Raises JsonRpcInvalidParams where the text has changed since, or it is none of
        ours."""
        data = chosen.data
        if not isinstance(data, dict) or chosen.command is not None:
            return chosen
        _, state, judged, problem = await self._about(data)
        if isinstance(reason := data.get("leave"), str):
            edited = await self._left(judged, problem, reason)
        else:
            target = _target(data.get("target"))
            if data.get("fix") != problem.id or target_of(judged, problem) is None:
                raise JsonRpcInvalidParams("harden offered no such change")
            stop = self._stopper(state, state.revision)
            edited = await self._run(partial(state.repository.fixed, self.texts(state), stop, problem.id, target))
        chosen.edit = self._edit(edited)
        return chosen

    async def leave(self, data: Any, reason: Any) -> None:
        """Send the editor the waiver of a problem, for ``reason``."""
        if not isinstance(data, dict) or not isinstance(reason, str):
            raise JsonRpcInvalidParams(f"{LEAVE} takes a problem and a reason")
        _, _, judged, problem = await self._about(data)
        edit = self._edit(await self._left(judged, problem, reason))
        self.workspace_apply_edit(types.ApplyWorkspaceEditParams(edit, f"harden: leave {problem.id} as it is"))

    async def explain(self, data: Any) -> None:
        """Show a message about a problem."""
        if not isinstance(data, dict):
            raise JsonRpcInvalidParams(f"{EXPLAIN} takes a problem")
        _, _, judged, problem = await self._about(data)
        said = shown.explanation(problem, judged)
        self.window_show_message(types.ShowMessageParams(types.MessageType.Info, said))

    async def _about(self, data: dict[str, Any]) -> tuple[_Document, _State, Judged, Problem]:
        now = await self.current(str(data.get("uri")), whole=True)
        if now is not None:
            document, state, judged = now
            for problem in judged.problems.get(document.path, []):
                if problem.fingerprint == data.get("fingerprint"):
                    return document, state, judged, problem
        raise JsonRpcInvalidParams("harden finds this no longer; ask for the actions again")

    async def _left(self, judged: Judged, problem: Problem, reason: str) -> list[Edited]:
        try:
            return await self._run(partial(left_alone, judged, problem, reason))
        except InputError as error:
            raise JsonRpcInvalidParams(_words(error)) from None

    def _edit(self, edited: list[Edited]) -> types.WorkspaceEdit:
        """Raises JsonRpcInvalidParams for new files in an editor that makes none."""
        if any(each.created for each in edited) and not self.makes_files:
            raise JsonRpcInvalidParams("this change makes a file, which the editor cannot do: harden apply does")
        return shown.edit(edited, self._open, self.encoding)

    def _open(self, path: str) -> tuple[str, str, int | None] | None:
        found = self._document_at(path)
        return (found.uri, found.text, found.version) if found is not None else None

    def end(self) -> None:
        """Stop what runs; nothing comes after."""
        self.is_ended = True
        self._judge.shutdown(wait=False, cancel_futures=True)


def _register(server: HardenServer) -> None:
    """Tell pygls which method answers which message."""
    _register_session(server)
    _register_documents(server)
    _register_files(server)
    _register_answers(server)


def _register_session(server: HardenServer) -> None:
    feature = server.feature

    @feature(types.INITIALIZE)
    def initialize(ls: HardenServer, params: types.InitializeParams) -> None:
        ls.begin(params)

    @feature(types.INITIALIZED)
    def initialized(ls: HardenServer, params: types.InitializedParams) -> None:
        if ls.watches:
            watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            wanted = types.Registration("harden-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            ls.client_register_capability(types.RegistrationParams([wanted]))

    @feature(types.SHUTDOWN)
    def shutdown(ls: HardenServer, params: None) -> None:
        ls.end()


def _register_documents(server: HardenServer) -> None:
    feature = server.feature

    @feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(ls: HardenServer, params: types.DidOpenTextDocumentParams) -> None:
        ls.opened(params.text_document)

    @feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(ls: HardenServer, params: types.DidChangeTextDocumentParams) -> None:
        ls.edited(params)

    @feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(ls: HardenServer, params: types.DidSaveTextDocumentParams) -> None:
        ls.saved(params.text_document.uri)

    @feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(ls: HardenServer, params: types.DidCloseTextDocumentParams) -> None:
        ls.closed(params.text_document.uri)


def _register_files(server: HardenServer) -> None:
    feature = server.feature

    @feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_files(ls: HardenServer, params: types.DidChangeWatchedFilesParams) -> None:
        ls.changed(None)

    @feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(ls: HardenServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
        event = params.event
        ls.set_folders([folder.uri for folder in event.added], [folder.uri for folder in event.removed])
        ls.changed(None)


def _register_answers(server: HardenServer) -> None:
    feature = server.feature

    @feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: HardenServer, params: types.HoverParams) -> types.Hover | None:
        return await ls.hover(params)

    @feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(ls: HardenServer, params: types.CodeLensParams) -> list[types.CodeLens]:
        return await ls.lenses(params)

    kinds = types.CodeActionOptions([types.CodeActionKind.QuickFix], resolve_provider=True)

    @feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    async def code_action(ls: HardenServer, params: types.CodeActionParams) -> list[types.CodeAction]:
        return await ls.actions(params)

    @feature(types.CODE_ACTION_RESOLVE)
    async def resolve(ls: HardenServer, params: types.CodeAction) -> types.CodeAction:
        return await ls.resolved(params)

    @server.command(EXPLAIN)
    async def explain(ls: HardenServer, data: Any = None) -> None:
        await ls.explain(data)

    @server.command(LEAVE)
    async def leave(ls: HardenServer, data: Any = None, reason: Any = None) -> None:
        await ls.leave(data, reason)


def _real(uri: str | None) -> str | None:
    """The real path of a file's address; None for any other address."""
    if not uri or not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return os.path.realpath(path) if path and "\0" not in path else None


def _is_read(path: str) -> bool:
    return path.endswith(tuple(registry.endings())) and os.path.isfile(path)


def _differs(document: _Document) -> bool:
    """Whether the text of ``document`` is not what is saved; a file that harden does not read is judged as saved."""
    try:
        return read(document.path).text != as_read(document.text)
    except UnreadableError:
        return False


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return plain(f"{error.filename}: {error.strerror}")
    return plain(Redactor().text(str(error) or type(error).__name__))


def _asks_for_fixes(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    return only is None or any(
        types.CodeActionKind.QuickFix.value.startswith(str(getattr(k, "value", k))) for k in only
    )


def _target(given: Any) -> Name | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise JsonRpcInvalidParams("harden offered no such change")
    return tuple(given)


def serve(version: str) -> int:
    """Speak the protocol on standard input and output until the editor ends it, or is gone. Returns 0."""
    # Whatever prints would break in between the messages: the protocol has the only way to standard output.
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    server = HardenServer(version)
    try:
        server.start_io(stdout=own)
    finally:
        server.end()
    return 0
