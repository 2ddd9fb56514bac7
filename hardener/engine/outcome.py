"""What a run decided, as records: one Outcome, which every report and every exit code is made from."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import MISSING as MISSING
from hardener.authoring.edits import Drop, Edit, Evidence, Grade, Severity
from hardener.authoring.transform import Transform
from hardener.engine.given_options import GivenOptions
from hardener.engine.text_checks import patched
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.yaml import Hunk
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_NOTHING_WRITTEN: tuple[Any, ...] = (MISSING, None, {}, [])


class Change(Struct, eq=False):
    """One edit of a step. ``line`` counts in the file as read, ``new_line`` in the file as written (0: not there).

    ``path`` is the place in the document, without the number of the document: as read, for additions as written.
    ``before`` is MISSING for an addition, ``after`` for a removal. ``siblings`` are all changes of its step.
    """

    transform: Transform
    edit: Edit
    object: Object
    step: int
    path: Path
    before: Any
    line: int = 0
    new_line: int = 0
    extra: tuple[Evidence, ...] = ()
    siblings: list[Change] = field(default_factory=list)

    @property
    def after(self) -> Any:
        return getattr(self.edit, "value", MISSING)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return self.edit.evidence + self.extra if self.extra else self.edit.evidence


class Held(Struct, eq=False):
    """A step that was not made, since it is graded above the gate: its changes, and the exact patch."""

    transform: Transform
    grade: Grade
    changes: list[Change]

    @property
    def patch(self) -> list[dict[str, Any]]:
        """Return the step in RFC 6902, against the document as this run leaves it; made when a report asks."""
        from hardener.engine.json_patch import of_step  # late: it is about changes

        return of_step(self.changes)

    @property
    def is_guess(self) -> bool:
        """Whether the fact that decides is not known, so that nothing speaks against it."""
        return self.grade is Grade.GUESS

    @property
    def takes_away(self) -> bool:
        """Whether it would take away or replace what is written, and not only add to it."""
        return any(isinstance(change.edit, Drop) or change.before not in _NOTHING_WRITTEN for change in self.changes)


class Report(Struct, eq=False):
    """A finding: ``risk`` is None where it concerns a file and no risk of the list. ``not_looked_at`` is as in
    ``Finding``: what it is about may hold anything. ``also``: the same at other places, for which it stands."""

    id: str
    risk: str | None
    severity: Severity
    message: str
    advice: str
    file: str
    object: Object | None = None
    piece: Piece | None = None
    path: Path = ()
    line: int = 0
    topic: str | None = None
    not_looked_at: bool = False
    also: list[Report] = field(default_factory=list)


class Refused(Struct, eq=False):
    """A document that keeps its bytes: it could not be read, or the changes to it could not be proved.

    Or, where ``step`` names a transform, one step of it that was rolled back, or that ``cannot_write`` tells of; the
    document changes all the same.
    """

    file: str
    line: int
    reason: str
    advice: str
    edits: int = 0
    step: str | None = None
    cannot_write: bool = False

    @property
    def what(self) -> str:
        """What became of it, in words."""
        if self.step is None:
            return "kept byte for byte"
        return f"step {self.step} {'not made' if self.cannot_write else 'rolled back'}"


class Waived(Struct, eq=False):
    """A step that was not made, as its changes, or a finding that is not reported, since somebody decided so.

    ``carrier`` is "annotation", "comment", "config" or the scanner whose mark it is; that stands on ``line`` of
    ``file``, and where it is in a document, at ``path`` of ``piece``.
    """

    transform: Transform
    reason: str
    carrier: str
    file: str
    line: int
    piece: Piece | None
    path: Path
    changes: list[Change]
    finding: Report | None

    @property
    def place(self) -> tuple[str, int, Object | None, Path]:
        """Where it leaves something as it is: file, line, object and path, of the first change of a step."""
        if self.finding is not None:
            return self.finding.file, self.finding.line, self.finding.object, self.finding.path
        first = self.changes[0]
        return first.object.piece.file.name, first.line, first.object, first.path


class Override(Struct, frozen=True):
    """The key of a chart's values at ``path`` becomes ``value``, a list as a whole; None takes the key away, as helm
    reads it.

    ``changes`` are the changes of the rendered chart that come out by it, alone or together with other overrides.
    ``release`` is the object of the tree that has the chart rendered; "" where somebody names the chart.
    """

    path: tuple[str, ...]
    value: Any
    changes: tuple[Change, ...]
    release: str = ""


class FileChange(Struct, eq=False):
    """A file that changes: its hunks, in lines of the file as read and as written, and its new ``given`` text, None
    where that is the text as read with the hunks.

    ``ids`` are the transforms that changed it, each on the line of ``id_lines`` as written, in the order of the lines.
    ``makes`` are the changes of rendered charts that come out by the values in it. ``in_git`` is False where Git was
    asked, and has no version of the file to bring back.
    """

    file: ManifestFile
    given: str | None
    hunks: list[Hunk]
    ids: list[str] = field(default_factory=list)
    id_lines: array[int] = field(default_factory=lambda: array("q"))
    makes: list[Change] = field(default_factory=list)
    written: bool = False
    in_git: bool = True

    @classmethod
    def of(
        cls,
        file: ManifestFile,
        given: str | None,
        hunks: list[Hunk],
        ids: Iterable[tuple[int, str]] = (),
        makes: list[Change] | None = None,
    ) -> FileChange:
        """That of ``file`` with the ``ids``, each with its line, in any order."""
        ordered = sorted(ids)
        lines = array("q", [line for line, _ in ordered])
        return cls(file, given, hunks, [id for _, id in ordered], lines, makes or [])

    @property
    def text(self) -> str:
        """Its new text. It is made when it is asked for: the new texts of a tree are as large as the tree."""
        text = self.given if self.given is not None else patched(self.file.content.text, self.hunks)
        assert text is not None  # where it is not given, that the hunks fit was proved
        return text


class Outcome(Struct, eq=False):
    """Everything a run decided: edits + held back + waived + refused, and what it found and left alone.

    ``max_grade`` is the grade up to which steps are made. ``failure`` tells why nothing, or not all, could be written.
    ``looked_at`` are the risks of the transforms that ran, each with the names of the views of which they had a target;
    ``narrowed`` are the risks of which the run was asked to leave out transforms or targets; ``asked`` is how it was
    called; ``overrides`` are the values of a chart that make the changes; ``template_patch``
    is what else a person may add to the templates of that chart.
    """

    tree: Tree
    profile: str
    changes: list[Change] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    waived: list[Waived] = field(default_factory=list)
    findings: list[Report] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    documents: int = 0
    lines: dict[tuple[Piece, Path], int] = field(default_factory=dict)  # where evidence stands
    max_grade: Grade = Grade.REVIEW
    failure: str | None = None
    looked_at: dict[str, set[str]] = field(default_factory=dict)
    narrowed: set[str] = field(default_factory=set)
    asked: GivenOptions = GivenOptions()
    overrides: list[Override] = field(default_factory=list)
    template_patch: str = ""

    @property
    def guesses(self) -> list[Held]:
        """What is held back since the fact that decides is not known."""
        return [held for held in self.held if held.is_guess]

    @property
    def held_back(self) -> list[Held]:
        """What else is held back: something speaks against it, or nothing but what is surer was asked for."""
        return [held for held in self.held if not held.is_guess]

    @property
    def command(self) -> str:
        """The command of ours that makes its changes."""
        is_chart = self.tree.chart is not None or any(not override.release for override in self.overrides)
        return "values" if is_chart else "apply"

    def names_of(self, changes: Iterable[Change]) -> list[str]:
        """The files that ``changes`` are made in: their own, or those of the values that make them."""
        by_values: dict[int, list[str]] = {}
        for file in self.files:
            for change in file.makes:
                by_values.setdefault(id(change), []).append(file.file.name)
        found = (by_values.get(id(change)) or [change.object.piece.file.name] for change in changes)
        return [name for names in found for name in names]

    @property
    def not_made(self) -> list[Change]:
        """The changes of all steps that were held back or waived."""
        held = [change for step in self.held for change in step.changes]
        return held + [change for step in self.waived for change in step.changes]

    def summary(self) -> dict[str, Any]:
        """The counts of the run; they add up to everything that was decided."""
        risks: dict[str, dict[str, int]] = {}
        for name, found in (
            ("edits", [change.transform.risk for change in self.changes]),
            ("held", [held.transform.risk for held in self.held]),
            ("findings", [finding.risk for finding in self.findings]),
        ):
            for risk, count in Counter(found).items():
                if risk:
                    risks.setdefault(risk, {"edits": 0, "held": 0, "findings": 0})[name] = count
        return {
            "files": sum(1 for file in self.tree.files if file.editable and not file.is_new),
            "documents": self.documents,
            "changed": len(self.files),
            "edits": len(self.changes),
            "findings": len(self.findings),
            "held": len(self.held),
            "guesses": len(self.guesses),
            "refused": len(self.refused),
            "waived": len(self.waived),
            "byRisk": dict(sorted(risks.items())),
        }
