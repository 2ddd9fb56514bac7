"""What an editor shows of what a run found: diagnostics, hovers, lenses, and edits, as records of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from lsprotocol import types

from hardener.authoring import registry
from hardener.authoring.edits import Severity
from hardener.authoring.risks import RISKS
from hardener.lsp.positions import Lines, Span
from hardener.lsp.repository import Edited, Judged, Level
from hardener.report.formats.markdown import as_text
from hardener.report.held_back import why_held
from hardener.report.levels import change
from hardener.report.pages import page_of
from hardener.report.problems import Kind, Problem
from hardener.support.printable import plain_lines

SOURCE = "harden"
_SEVERITIES = {
    Severity.CRITICAL: types.DiagnosticSeverity.Error,
    Severity.HIGH: types.DiagnosticSeverity.Warning,
    Severity.MEDIUM: types.DiagnosticSeverity.Warning,
    Severity.LOW: types.DiagnosticSeverity.Information,
}
_KINDS = {
    Kind.PENDING: "pending change",
    Kind.HELD: "held back",
    Kind.FINDING: "finding",
    Kind.REFUSED: "not judged",
}
_MOST_PLACES = 20  # of evidence, that a diagnostic names


def uri_of(path: str) -> str:
    """The address of the file at the absolute ``path``; bytes that are no UTF-8 stay as they are."""
    posix = Path(path).as_posix()
    return "file://" + quote(posix if posix.startswith("/") else "/" + posix, safe="/", errors="surrogateescape")


def range_of(span: Span) -> types.Range:
    """``span`` as a record of the protocol."""
    (first, begin), (last, end) = span
    return types.Range(types.Position(first, begin), types.Position(last, end))


def diagnostic(problem: Problem, lines: Lines, judged: Judged) -> types.Diagnostic:
    """``problem`` in a file with ``lines``; it is told apart from others by its fingerprint."""
    page = _page(problem)
    places = [
        types.DiagnosticRelatedInformation(
            types.Location(
                uri_of(judged.path_of(place.file)),
                range_of(((place.line - 1, 0), (place.line - 1, 0))),
            ),
            plain_lines(place.text),
        )
        for place in problem.places[:_MOST_PLACES]
    ]
    return types.Diagnostic(
        range=range_of(lines.line_span(problem.line)),
        severity=types.DiagnosticSeverity.Hint if problem.fails_nothing else _SEVERITIES[problem.severity],
        code=problem.id,
        code_description=types.CodeDescription(page) if page else None,
        source=SOURCE,
        message=plain_lines(problem.message),
        related_information=places or None,
        data={"fingerprint": problem.fingerprint, "kind": str(problem.kind), "line": problem.line},
    )


def hover(found: list[Problem], judged: Judged, span: Span, *, markdown: bool) -> types.Hover:
    """What there is to know of the problems ``found`` on a line."""
    texts = (("\n".join(_told(problem, judged, as_text if markdown else str, markdown))) for problem in found)
    text = ("\n\n---\n\n" if markdown else "\n\n").join(texts)
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, text), range_of(span))


def explanation(problem: Problem, judged: Judged) -> str:
    """The same for a message, which has no markup."""
    return "\n".join(line for line in _told(problem, judged, str, markdown=False) if line)


def _told(problem: Problem, judged: Judged, text: Callable[[str], str], markdown: bool) -> Iterator[str]:
    transform = problem.transform or registry.transforms().get(problem.id)
    strong = "**" if markdown else ""
    yield f"{strong}{text(problem.id)}{strong}: {', '.join(map(text, _facts(problem)))}"
    yield ""
    yield text(plain_lines(problem.message))
    if problem.grade is not None and problem.kind is Kind.HELD:
        yield ""
        yield f"Not made: {text(why_held(problem.grade, judged.outcome.max_grade))}"
    if transform is not None:
        for title, said in (("Why", transform.why), ("May break", transform.may_break)):
            if said:
                yield ""
                yield f"{title}: {text(' '.join(said.split()))}"
    if problem.places:
        yield ""
        yield "Evidence:"
        yield ""
        yield from (_place(place.text, place.file, place.line, judged, markdown) for place in problem.places)
    if (page := _page(problem)) is not None:
        yield ""
        yield f"[The page of this rule]({page})" if markdown else page


def _place(said: str, file: str, line: int, judged: Judged, markdown: bool) -> str:
    shown = plain_lines(said)
    if not markdown:
        return f"- {shown} ({file}:{line})"
    return f"- {as_text(shown)} ([{as_text(f'{file}:{line}')}]({uri_of(judged.path_of(file))}#L{line}))"


def _facts(problem: Problem) -> Iterator[str]:
    yield _KINDS[problem.kind]
    if problem.risk in RISKS:
        yield f"{problem.risk} {RISKS[problem.risk].title}"
    yield f"severity {problem.severity}"
    if problem.grade is not None:
        yield f"grade {problem.grade}"


def _page(problem: Problem) -> str | None:
    transform = problem.transform or registry.transforms().get(problem.id)
    return page_of(transform) if transform is not None else None


def lens(level: Level, lines: Lines) -> types.CodeLens:
    """The line above a workload: its Pod Security level, and what keeps it from the next one."""
    title = f"Pod Security: {change(level.before, level.after)}"
    if level.missing:
        title += f" ({plain_lines(level.missing)})"
    return types.CodeLens(range_of(lines.line_span(level.line)), types.Command(title, ""))


def edit(
    edited: Iterable[Edited], open: Callable[[str], tuple[str, str, int | None] | None], encoding: str
) -> types.WorkspaceEdit:
    """The files ``edited`` as one edit. ``open`` gives of a path its address, text and version in the editor, where it
    is open."""
    made: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    for each in edited:
        found = open(each.path)
        uri, text, version = found if found is not None else (uri_of(each.path), each.before, None)
        if each.created:
            made.append(types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=False)))
        lines = Lines(text, encoding)
        edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = [
            types.TextEdit(range_of(lines.lines_span(first, count)), new) for first, count, new in each.hunks
        ]
        made.append(
            types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version), edits)
        )
    return types.WorkspaceEdit(document_changes=made)
