"""The patch alone, as it is read on a terminal or taken by git."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardener.engine.outcome import Outcome
from hardener.report.context import Context
from hardener.report.patch import Patch
from hardener.report.terminal import printed


def write_patches(outcome: Outcome, context: Context, out: Callable[[str], object]) -> list[str]:
    """Write the patch of ``outcome``, each file below the ids of its transforms. Returns what there is to say of files
    that git cannot take, in lines."""
    # All of them first, so that the redactor knows every secret.
    patches = [Patch.of(change, context.redactor) for change in outcome.files]
    return list(_PatchOnly(outcome, context, out).write(patches))


class _PatchOnly(printed.Printed):
    def write(self, patches: list[Patch]) -> Iterator[str]:
        if masked := self._patches(patches):
            yield printed.refused_by_git(masked)
