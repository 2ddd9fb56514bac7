"""Which lines of a file show a secret, and how they look without it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from hardener.authoring.edits import Drop
from hardener.engine.document import applied_steps
from hardener.kubernetes.components.static_tokens import rows_in
from hardener.kubernetes.secrets.secret_text import may_hold_secret
from hardener.kubernetes.secrets.secret_values import secret_spans
from hardener.report.redactor import Redactor
from hardener.sources import yaml
from hardener.sources.manifests import ManifestFile, Piece


def masked_lines(
    redactor: Redactor, text: str, ranges: Iterable[range], known: Mapping[int, list[Any]] | None = None
) -> dict[int, str]:
    """Return the lines of ``text`` within ``ranges`` (1-based line numbers) that hold a secret, masked, by their
    number.

    ``ranges`` are in ascending order. Only the documents that the ranges touch are looked at. ``known`` holds the
    documents of segments by where they start; a segment whose documents hold no secret is not parsed again.
    """
    found: dict[int, str] = {}
    rest = iter(ranges)
    coming, stop = next(rest, None), 0  # the first range behind the segment, and the end of the last before that
    segments = yaml.segments(text)
    for segment, behind in zip_longest(segments, segments[1:]):
        first = segment.line + 1
        last = behind.line + 1 if behind is not None else first + segment.text.count("\n")
        while coming is not None and coming.start <= last:
            stop = coming.stop
            coming = next(rest, None)
        if stop <= first:
            continue
        documents = known.get(segment.start) if known else None
        masked = _mask(redactor, segment.text, documents)
        if masked == segment.text:
            continue
        shown = zip(segment.text.split("\n"), masked.split("\n"), strict=False)
        for number, (plain, hidden) in enumerate(shown, first):
            if plain != hidden:
                found[number] = hidden + "\n" * (number < last)
    return found


def masked_text(redactor: Redactor, text: str, ranges: Iterable[range], file: ManifestFile) -> dict[int, str]:
    """Return the same of a text of ``file``, which is no YAML; all of it is searched for secrets."""
    source = file.source
    # Reading a program takes long, and hardly one may hold a secret.
    searched = source.searched(file, text) if not source.is_program or may_hold_secret(text) else ""
    redactor.learn_text(searched)
    shown = zip(text.split("\n"), redactor.mask_spans(text, _rows(text)).split("\n"), strict=False)
    hidden = {number: masked + "\n" for number, (plain, masked) in enumerate(shown, 1) if plain != masked}
    last, wanted = text.count("\n") + 1, list(ranges) if hidden else []
    starts = [lines.start for lines in wanted]
    found = {}
    for number, line in hidden.items():
        near = bisect_right(starts, number) - 1  # the last of those that begin before it goes on for longest
        if near >= 0 and number in wanted[near]:
            found[number] = line.removesuffix("\n") if number == last else line
    return found


def learn_pieces(redactor: Redactor, file: ManifestFile) -> None:
    """Show ``redactor`` the secrets in the data of ``file``, which its text alone may not tell."""
    if may_hold_secret(file.content.text):
        for piece in file.pieces:
            for document in piece.data:
                redactor.learn_document(document)


def known_documents(file: ManifestFile) -> dict[int, list[Any]]:
    """Return the documents of ``file`` as decided, by where they start: those that lost nothing, so that they still
    hold every secret that the text shows."""
    return {piece.start: piece.data for piece in file.pieces if piece.parsed and not _drops(piece)}


def _drops(piece: Piece) -> bool:
    return any(type(edit) is Drop for step in applied_steps(piece) for edit in step)


def masked_file(redactor: Redactor, file: ManifestFile, text: str) -> str:
    """Return ``text``, which is that of ``file`` as read or as written, with every secret masked."""
    every = [range(1, text.count("\n") + 2)]
    if not file.source.has_segments:
        learn_pieces(redactor, file)
        found = masked_text(redactor, text, every, file)
    else:
        found = masked_lines(redactor, text, every, known_documents(file) if text is file.content.text else None)
    if found:
        lines = text.split("\n")
        text = "\n".join(found.get(number, line).removesuffix("\n") for number, line in enumerate(lines, 1))
    return redactor.text(text)


def _mask(redactor: Redactor, text: str, known: list[Any] | None) -> str:
    rows = _rows(text)
    if not may_hold_secret(text):
        return redactor.mask_spans(text, rows)
    if known is not None and not any(map(redactor.holds_secret, known)):
        redactor.learn_comments(text)
        return redactor.mask_spans(text, rows)
    try:
        parsed = yaml.parse(text)
    except yaml.TextError:
        redactor.learn_text(text)
        return redactor.mask_spans(text, rows)
    spans = rows
    for start, end in rows:
        redactor.learn(text[start:end])
    for number, document in enumerate(parsed.documents):
        redactor.learn_document(document)
        for path, _ in secret_spans(document):
            span = parsed.span(number, path)
            if span is not None:
                spans.append(span)
    redactor.learn_comments(text)
    return redactor.text(redactor.mask_spans(text, spans, known=True))


def _rows(text: str) -> list[tuple[int, int]]:
    """The tokens of the API server in ``text``, which may stand in comments, too."""
    if '"' not in text or "," not in text:
        return []

    return [(row.start, row.end) for row in rows_in(text)]
