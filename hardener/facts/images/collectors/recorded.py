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

_ROOT = frozenset({"", "0", "root"})


def put_recording(ledger: ImageLedger, container: Container, told: Recording) -> None:
    """Put in what was recorded of ``container``."""
    _put_user(ledger, container, told)
    _put_paths(ledger, told)
    _put_capabilities(ledger, told)
    _put_signs(ledger, told)
    _put_config(ledger, told)


def _put_capabilities(ledger: ImageLedger, told: Recording) -> None:
    every = told.facts.capabilities
    used = sorted({name for each in every for name in each.used})
    newest = next((each for each in every if told.counts(each.by)), None)
    if newest is not None:
        place = told.place(newest.by)
        silence = f"{place}: {told.period(newest.by)} show no use of another capability"
        ledger.used_capabilities = Known(tuple(used), KnownBy.RECORDED, place, text=silence)
    elif used:
        ledger.used_capabilities = Known(tuple(used), KnownBy.RECORDED, told.place(every[0].by))


def _put_signs(ledger: ImageLedger, told: Recording) -> None:
    """What it did that a stricter context forbids; that it did nothing of it proves nothing."""
    for calls in told.facts.calls:
        if calls.refused:
            text = f"it made system calls that the default profile refuses: {', '.join(calls.refused)}"
            ledger.makes_rare_calls = _forbidden(told.place(calls.by), text)
    for programs in told.facts.programs:
        if programs.setuid:
            text = f"it started programs that need the setuid bit: {', '.join(programs.setuid)}"
            ledger.uses_setuid = _forbidden(told.place(programs.by), text)


def _forbidden(place: str, text: str) -> Known[bool]:
    return Known(True, KnownBy.RECORDED, place, sure=True, text=f"{place}: {text}")


def _put_config(ledger: ImageLedger, told: Recording) -> None:
    """How its image is set to start, where nothing else tells; its tag may have moved since, so nothing is sure."""
    for config in (each for each in told.image.configs if told.counts(each.by)):
        place = told.place(config.by)
        user = config.user.partition(":")[0]
        if ledger.user is None:
            ledger.user = Known("root" if user in _ROOT else user, KnownBy.RECORDED, place)
        if ledger.volumes is None and config.volumes:
            ledger.volumes = Known(config.volumes, KnownBy.RECORDED, place)
        if ledger.workdir is None and config.folder:
            ledger.workdir = Known(config.folder, KnownBy.RECORDED, place)
        ports = tuple(sorted({int(port) for each in config.ports if (port := each.partition("/")[0]).isdecimal()}))
        if ledger.ports is None and ports:
            ledger.ports = Known(ports, KnownBy.RECORDED, place)


def _put_user(ledger: ImageLedger, container: Container, told: Recording) -> None:
    every = [ran for ran in told.facts.ran if ran.by_image]
    own = [ran for ran in every if told.counts(ran.by)] or every
    numbers = {ran.uid for ran in own}
    if len(numbers) != 1 or container.tree.ask(WrittenContexts).number(container) is not None:
        return
    ran, place = own[0], told.place(own[0].by)
    if ran.uid == 0:
        if ledger.user is None:
            ledger.user = Known("root", KnownBy.RECORDED, place, sure=told.counts(ran.by))
    elif told.counts(ran.by) and not ledger.is_sure_of_number:
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
    newest = next((writes for writes in told.facts.writes if told.counts(writes.by)), None)
    if newest is not None:
        text = f"{told.period(newest.by)} show no write elsewhere ({told.place(newest.by)})"
        ledger.paths = Known(newest.folders, KnownBy.RECORDED, told.place(newest.by), text=text)
