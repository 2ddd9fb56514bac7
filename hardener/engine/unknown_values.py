"""What keeps transforms from deciding: values that are not known, and shapes that the API refuses. One finding for each
says which transforms wait for it."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct, field

from hardener.authoring.edits import Severity, WrongShapeError
from hardener.authoring.transform import Transform
from hardener.engine.document import applied_steps
from hardener.engine.index_shifts import as_read, shifts
from hardener.engine.outcome import Report
from hardener.support.data_path import Path
from hardener.tree.core_views import OpaqueError, View


class _Cause(Struct):
    report: Report  # without the transforms, until all are known
    waiting: dict[str, None] = field(default_factory=dict)  # the ids of transforms
    places: dict[tuple[int, Path], None] = field(default_factory=dict)  # by object


class UnknownValues:
    """The causes that a run met, by what they are: an expression of a program, else a place in an object."""

    def __init__(self) -> None:
        self._causes: dict[Hashable, _Cause] = {}

    def add(self, transform: Transform, target: View, error: OpaqueError | WrongShapeError) -> Report | None:
        """Remember that ``error`` stopped ``transform`` at ``target``.

        The finding of a cause that is new, whose message is whole after ``finish``; None for a cause that is known.
        """
        piece, path = target.object.piece, target.path
        key: Hashable
        if isinstance(error, WrongShapeError):
            what, key = "not-valid-kubernetes", (id(target.object), path, "shape")
            message = f"not valid Kubernetes: {error} has a shape that the API refuses"
            advice = "correct it; kubectl apply --dry-run=server names the place"
        else:
            path = (*target.object.path[:1], *error.path) if error.path else path
            what, key = "opaque-value", (id(target.object), path)
            message, advice = (
                f"{error}, which is filled in later",
                "harden the rendered manifest, or write the value here",
            )
            read = as_read(path, len(applied_steps(piece)), shifts(piece))
            known = piece.source.unknown(piece, path, read, str(error), error.expression)
            if known is not None:
                key, message, advice = known
            advice = error.advice or advice
        cause = self._causes.get(key)
        is_new = cause is None
        if cause is None:
            as_it_was = as_read(path, len(applied_steps(piece)), shifts(piece))
            report = Report(
                what, transform.risk, Severity.LOW, message, advice, piece.file.name, target.object, piece, as_it_was,
                not_looked_at=True,
            )  # fmt: skip
            self._causes[key] = cause = _Cause(report)
        elif len(advice) > len(cause.report.advice):
            cause.report.advice = advice  # which names a hook, for another field
        cause.waiting[transform.id] = None
        cause.places[id(target.object), path] = None
        return cause.report if is_new else None

    def finish(self) -> None:
        """Write into each finding at how many more places the expression stands, and which transforms wait for it."""
        for cause in self._causes.values():
            more = len(cause.places) - 1
            where = f" (and at {more} more place{'s' * (more > 1)})" if more else ""
            *others, last = cause.waiting
            names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
            cause.report.message += f"{where}, so {names} not decided"
