"""What a cluster told of a container, as facts about its image.

A recording proves what happened, and never that nothing else does: where it wrote and which capabilities it used are
added to what is known, and its silence leaves a change one to look at.
"""

from __future__ import annotations

import posixpath

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.ledger import ImageLedger, Number
from hardener.facts.images.recordings import Recording
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.tree.core_views import Container


def put_recording(ledger: ImageLedger, container: Container, told: Recording) -> None:
    """Put in what was recorded of ``container``."""
    _put_user(ledger, container, told)
    _put_paths(ledger, told)
    used = sorted({name for each in told.facts.capabilities for name in each.used})
    if used:
        place = told.place(told.facts.capabilities[0].by)
        ledger.used_capabilities = Known(tuple(used), KnownBy.RECORDED, place)


def _put_user(ledger: ImageLedger, container: Container, told: Recording) -> None:
    own = [ran for ran in told.facts.ran if ran.by_image]
    numbers = {ran.uid for ran in own}
    if len(numbers) != 1 or container.tree.ask(WrittenContexts).number(container) is not None:
        return
    ran, place = own[0], told.place(own[0].by)
    if ran.uid == 0:
        if ledger.user is None:
            ledger.user = Known("root", KnownBy.RECORDED, place, sure=told.hint is None)
    elif told.hint is None and not ledger.is_sure_of_number:
        # Not its user: a number is shown for a name as well, which a kubelet does not take under runAsNonRoot.
        ledger.number = Known(Number(ran.uid, ran.gid), KnownBy.RECORDED, place, sure=True)


def _put_paths(ledger: ImageLedger, told: Recording) -> None:
    for writes in told.facts.writes:
        place = told.place(writes.by)
        folders = (Known(path, KnownBy.RECORDED, place, text=f"{place}: it wrote to {path}") for path in writes.folders)
        ledger.writable = (*folders, *ledger.writable)
        files = (
            Known(
                posixpath.dirname(path), KnownBy.RECORDED, place,
                text=f"{place}: it opened {path} for writing, a file of its image that a volume would hide",
            )
            for path in writes.files
        )  # fmt: skip
        ledger.hiding = (*ledger.hiding, *files)
    if told.facts.writes and told.hint is None:
        newest = told.facts.writes[0]
        text = f"{told.period(newest.by)} show no write elsewhere ({told.place(newest.by)})"
        ledger.paths = Known(newest.folders, KnownBy.RECORDED, told.place(newest.by), text=text)
