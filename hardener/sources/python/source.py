"""Python programs that make Kubernetes objects, for the rest of the program.

What it takes to read or write one is loaded when that is asked for: few trees hold any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.source import Around, Making, Mutate, Owned, Plan, Reader, Source, Touch, Unknown
from hardener.sources.yaml import Comment, TextError
from hardener.support.data_path import Parts, Path, dotted

if TYPE_CHECKING:
    from hardener.sources.python.parsed import Parsed
    from hardener.sources.python.rewrite import Rewrite

_ADVICE = "check what calls it, or write the value here"
_MERGED = "the program, or what it calls, merges it into another pod; harden that one"
_ELSEWHERE = "set what is left where the pod is made"
_BY_CLASS = "set by "
_MERGED_BY = {"DagsterConfig": "Dagster merges it into the pods of its runs"}
_FILLED_IN = re.compile(r"[{}%\\]")  # what a program may fill in, or read otherwise, in a text
# What tells that a file is of a framework, an import or a kind of object, and what `harden hook` prints for it.
_HOOKS = (
    (re.compile(r"KubeSpawner"), "kubespawner", "a modify_pod_hook"),
    (re.compile(r"airflow(?:\..+)?"), "airflow", "a pod_mutation_hook"),
    (re.compile(r"pulumi(?:_kubernetes)?(?:\..+)?"), "pulumi", "a transform"),
    (re.compile(r"cdk8s(?:_plus_\d+)?(?:\..+)?|(?:\w+\.)*imports\.k8s"), "cdk8s", "a function"),
)
# What of a pod that is not known a hook may fill in, and what holds it.
_OF_HOOKS = frozenset(
    "spec template containers initContainers securityContext automountServiceAccountToken allowPrivilegeEscalation "
    "capabilities runAsNonRoot seccompProfile type".split()
)
_EXPRESSION = re.compile(r"\$\{[^{}]*\}")


class PythonPrograms(Source):
    """Programs, whose documents are the objects that their code makes."""

    name = "python"
    is_code = True
    is_program = True
    maker = "a program"
    fills_in = "the program"
    by_hand = "make this change by hand, or write the value where the program builds the object"
    made_beside = "let the program make {them}, or apply {them} as YAML"
    no_patch = "a program, and patches are for what it makes"

    def reader(self, around: Around) -> Reader:
        from hardener.sources.python.reading import Programs

        return Programs(around)

    def parse(self, piece: Piece, text: str) -> Parsed:
        from hardener.sources.python.parsed import parse

        return parse(text)

    def read(self, piece: Piece) -> Parsed:
        found: Parsed = piece.file.kept
        return found

    def comments(self, parsed: Parsed) -> list[Comment]:
        return [*parsed.comments(), *parsed.comments_of_texts()]

    def check_comment(self, parsed: Parsed, number: int, text: str) -> None:
        if parsed.text_at(number) is not None and _FILLED_IN.search(text):
            raise TextError("the program would take it for more than text")

    # What the program leaves open.

    def unknown(self, piece: Piece, path: Path, read: Path, said: str, expression: str) -> Unknown | None:
        advice = _ADVICE + _hook(piece, path)
        program: Parsed | None = piece.file.kept
        if program is None or not read:
            return Unknown((piece, path), said, advice)
        if program.text_at(int(read[0])) is not None:
            return Unknown((piece, read[0], expression), f"{said}, which the program fills in", advice)
        from hardener.sources.python.model import Opaque

        node, _, depth = program.find(int(read[0]), read[1:])
        if not isinstance(node, Opaque):
            return Unknown((piece, expression), said, advice)
        place = dotted(read[1 : 1 + depth])
        where = "" if "(line " in node.reason else f" (line {piece.line + node.line})"
        message = f"{place} is {node.reason}: {_shown(node.text)}{where}"
        shared = node.reason.startswith(_BY_CLASS)  # with every call of that class
        return Unknown((piece, None if shared else node.start, node.reason), message, advice)

    def chooses_namespace(self, written: Any) -> bool:
        return True

    def doubt(self, piece: Piece, read: Path, target: str, data: Any) -> str | None:
        from hardener.sources.python.objects.assembled import FRAGMENT

        document = piece.data[int(read[0])]
        if isinstance(document, dict) and document.get("apiVersion") == FRAGMENT and document.get("kind") in _MERGED_BY:
            return _MERGED_BY[document["kind"]]
        return self.open_containers(data) if target == "pod" else None

    def making(self, file: ManifestFile) -> Making | None:
        found: Making | None = file.kept
        return found

    def hidden(self, file: ManifestFile) -> Iterator[str]:
        if file.unread or any(piece.problem for piece in file.pieces):
            yield f"{file.name} may make pods, and could not be read"

    def advise(self, piece: Piece, kind: str) -> str | None:
        return (_MERGED if kind == "patch" else _ELSEWHERE) + _hook(piece)

    # Writing.

    def rewrite(self, piece: Piece, mutate: Mutate, plan: Plan) -> Rewrite:
        from hardener.sources.python.rewrite import rewrite

        found = rewrite(piece.text, mutate, piece.file.kept)
        content = piece.file.content
        try:
            content.encoded(found.text)
        except UnicodeEncodeError:
            raise TextError(f"its encoding, {content.encoding}, has not every character", 1) from None
        return found

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> Rewrite:
        from hardener.sources.python.parsed import parse
        from hardener.sources.python.rewrite import rewrite

        known: Parsed | None = piece.file.kept
        return rewrite(text, mutate, parse(text, elsewhere=known.elsewhere) if known is not None else None)

    def check(self, piece: Piece, after: list[Any], touched: Parts, at: Path, *, removes: bool) -> None:
        from hardener.sources.python.rewrite import check, may_try

        program: Parsed = piece.file.kept
        try:
            may_try(program)
            check(program, {int(number): after[int(number)] for number in touched}, touched)
        except TextError as refused:
            raise TextError(refused.reason, refused.line or program.line(int(at[0]), at[1:])) from None

    def owned(self, piece: Piece, written: Rewrite, touches: Sequence[Touch]) -> Owned:
        """All lines of an object: it may be spread over the program, and what is new is imported."""
        own = Owned()
        for touch in touches:
            if touch.kind == "drop":
                own.gone |= written.before.lines(int(touch.read[0]), touch.read[1:])
        for number in {int(touch.path[0]) for touch in touches}:
            own.before |= written.before.lines_of(number)
            own.after |= written.after.lines_of(number)
        for hunk in written.hunks:  # the call around an object is laid out anew with it
            old = "".join(line for at, line in enumerate(hunk.before, hunk.before_start) if at in own.before)
            own.after |= {at for at, line in enumerate(hunk.after, hunk.after_start) if line.strip() in old}
        return own

    def can_create(self, beside: Piece, *, for_hosts: bool) -> bool:
        return False

    def searched(self, file: ManifestFile, text: str) -> str:
        from hardener.sources.python.texts.texts_and_keys import texts_and_keys

        return texts_and_keys(text)


def _hook(piece: Piece, path: Path = ()) -> str:
    """What continues an advice where `harden hook` has something for the pods of ``piece``; "" where it has not, or
    where ``path`` is nothing that a hook fills in."""
    program: Parsed | None = piece.file.kept
    if program is None or (path and isinstance(path[-1], str) and path[-1] not in _OF_HOOKS):
        return ""
    names = [*(str(item.get("kind")) for item in program.documents), *(each.module for each in program.imports)]
    names += [name.qualified for each in program.imports for name in each.names]
    for pattern, name, what in _HOOKS:
        if any(map(pattern.fullmatch, names)):
            return f"; harden hook {name} prints {what} that fills in what each pod leaves open"
    return ""


def _shown(text: str) -> str:
    """The expression of a value that is nothing else; the whole text of one with known parts, and of one that holds
    more than a word its expressions alone: a script is long, and may hold secrets."""
    if text.startswith("${") and text.find("}") == len(text) - 1:
        return text[2:-1]
    if any(map(str.isspace, _EXPRESSION.sub("", text))):
        text = "...".join(["", *dict.fromkeys(_EXPRESSION.findall(text)), ""])
    return f'f"{text.replace("${", "{")}"'


SOURCE = PythonPrograms()
