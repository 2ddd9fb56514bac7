"""The changes as a git patch and nothing else: ``harden diff --format patch | git apply``."""

from __future__ import annotations

from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.report.patch import Patch
from hardener.report.redactor import Redactor


def write(outcome: Outcome, redactor: Redactor, out: Callable[[str], object]) -> list[str]:
    """Write the patch of every file that git can take; the names of the others, whose secrets are masked."""
    # All of them first, so that the redactor knows every secret.
    patches = [Patch.of(change, redactor) for change in outcome.files]
    masked = []
    for patch in patches:
        if patch.is_masked(redactor):
            masked.append(patch.change.file.name)
            continue
        for part in patch.pieces():
            out(part)
    return masked
