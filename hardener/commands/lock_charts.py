"""``harden lock --charts``: the charts that releases of a tree name, pulled once, written to ``harden.lock``, and kept
in the cache of the user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring import config as configuration
from hardener.authoring import user_config
from hardener.charts.files.copy import Copied
from hardener.charts.files.metadata import dependencies as dependencies_of
from hardener.charts.files.metadata import metadata
from hardener.charts.helm import ChartError
from hardener.charts.releases.collect import releases
from hardener.charts.releases.dependencies import dependencies
from hardener.charts.releases.release import Release
from hardener.commands import lock_news
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree, say_unread
from hardener.commands.write_files import finish_killed
from hardener.errors import InputError
from hardener.lock import registry_session, writer
from hardener.lock.charts import archives
from hardener.lock.charts.locked import Charts, Located, LockedChart, find, read
from hardener.lock.charts.pull import ChartClient, Pulled
from hardener.lock.charts.reference import ChartReference
from hardener.lock.model import NAME, Lock
from hardener.lock.oci.registry_error import RegistryError
from hardener.support import worker_threads
from hardener.support.printable import plain
from hardener.support.version_ranges import best
from hardener.tree.tree import Tree

_AT_ONCE = 8  # charts; some MiB of each are held
_LONGEST = 200  # characters of what a chart says of itself that stand in the lock
_UPDATE = "harden lock --charts --update takes it, if that is meant"


class _Wanted(Struct, frozen=True):
    """A chart, where the first release that asks for it stands, and what the lock has of it."""

    reference: ChartReference
    where: str
    held: Located | None = None

    @property
    def key(self) -> str:
        return f"{self.reference.place} {self.reference.version}"


class _Kept(Struct, frozen=True):
    """A chart that is in the cache now: its version, what the lock says of it, and the path of its archive."""

    version: str
    chart: LockedChart
    path: str


class _Result(Struct):
    """What a run found: lines by chart, for each kind of news. ``total``: the charts that releases name."""

    root: str
    total: int = 0
    releases: int = 0
    new: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    pulled: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    unheeded: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    @property
    def fails(self) -> bool:
        """Whether a chart could not be pulled, or is missing."""
        return bool(self.failed or self.missing)


def lock_charts(
    paths: list[str], choices: Choices, asked: Mapping[str, bool], *, registries: str | None = None,
    vendor: str | None = None,
) -> int:  # fmt: skip
    """Pull the charts that releases in ``paths`` name, keep the archives in the cache of the user, and write what they
    are to the lock. Prints what is new.

    What the lock holds is pulled only where it is not in the cache, and has to have the digest that is written there.
    ``asked`` are the switches of ``harden lock``: with ``update`` all is looked up anew, with ``frozen`` nobody is
    asked and nothing is written. ``vendor``: a folder that gets copies of the archives. Returns 1 when a chart could
    not be pulled, or is missing (``frozen``), else 0. Raises InputError for options that do not go together.
    """
    _refuse_together(asked)
    update, frozen = asked["update"], asked["frozen"]
    paths = paths or ["."]
    if not frozen:
        finish_killed(paths)
    with Progress() as progress, worker_threads.ended_by_signals():
        tree = read_tree(paths, choices, progress)
        held = (tree.lock or Lock()).charts
        wanted, result = _wanted(tree, held or {})
        known = _known(wanted) if not update else {}
        tasks = [each for each in wanted if each not in known]
        if frozen:
            result.missing = {each.key: _why_missing(each) for each in tasks}
        else:
            # Of a part of the tree nobody can say what else is asked for.
            whole = tree.root in map(os.path.realpath, paths)
            with _saved(tree.root, known, wanted if whole else None, result, is_new=held is None):
                _ask(tasks, tree, choices, registries, known, result, progress, update=update)
    if vendor is not None:
        for kept in known.values():
            _copy(kept.path, vendor)
    say_unread(tree)
    _print(result, wrote=not frozen)
    return int(result.fails)


def _refuse_together(asked: Mapping[str, bool]) -> None:
    """Raises InputError for options that do not go together."""
    if not asked["charts"] or asked["check"] or asked["deep"] or (asked["update"] and asked["frozen"]):
        raise InputError("--charts goes with one of --update and --frozen; --vendor with --charts alone")


def _known(wanted: list[_Wanted]) -> dict[_Wanted, _Kept]:
    """Those of ``wanted`` that the lock holds and the cache has."""
    kept = {each: _kept(each) for each in wanted}
    return {each: found for each, found in kept.items() if found is not None}


def _wanted(tree: Tree, held: Charts) -> tuple[list[_Wanted], _Result]:
    """The charts that releases name, each once, in the order of the releases."""
    result = _Result(tree.root)
    found: dict[ChartReference, _Wanted] = {}
    for release in [*releases(tree), *dependencies(tree)]:
        if not release.owner.editable:
            continue
        result.releases += 1
        if release.asked is not None:
            located = find(held, release.asked)
            found.setdefault(release.asked, _Wanted(release.asked, _where(release), located))
        elif not release.at_hand:
            result.left[f"{_named(release)} ({_where(release)})"] = release.missing
    result.total = len({reference.place for reference in found})
    return list(found.values()), result


def _named(release: Release) -> str:
    owner = release.owner
    return release.called or f"{owner.kind}/{owner.name}"


def _where(release: Release) -> str:
    return f"{release.owner.piece.file.name}:{release.line}"


def _kept(wanted: _Wanted) -> _Kept | None:
    """The chart where the lock holds it and the cache its archive."""
    held = wanted.held
    if held is None:
        return None
    path = archives.kept(held.chart.digest, wanted.reference.name, held.version)
    return _Kept(held.version, held.chart, path) if path is not None else None


def _why_missing(wanted: _Wanted) -> str:
    if wanted.held is None:
        return f"not in {NAME} ({wanted.where})"
    return f"its archive is not on this machine ({wanted.where})"


# Asking.


def _ask(
    tasks: list[_Wanted], tree: Tree, choices: Choices, registries: str | None, known: dict[_Wanted, _Kept],
    result: _Result, progress: Progress, *, update: bool,
) -> None:  # fmt: skip
    """Pull the charts of ``tasks``; what comes is ``known`` at once."""
    if not tasks:
        return
    config = configuration.load(tree.root, choices.config)
    user = user_config.registries(tree.root, registries)
    progress.begin("pulling charts", len(tasks))
    with registry_session.client(user, config.registries) as client:
        charts = ChartClient(client, [each.reference for each in tasks], progress.tell)

        def ask(wanted: _Wanted) -> _Kept | RegistryError:
            try:
                held = None if update else wanted.held
                asked = wanted.reference if held is None else _pinned(wanted.reference, held)
                return _taken(wanted.reference, charts.pull(asked), held)
            except RegistryError as error:
                return error

        for wanted, found in worker_threads.run(tasks, ask, _AT_ONCE):
            progress(wanted.key)
            if isinstance(found, RegistryError):
                result.failed[wanted.key] = f"{found} ({wanted.where})"
            else:
                known[wanted] = found
                _tell(wanted, found, result)
        result.unheeded = client.unheeded


def _pinned(reference: ChartReference, held: Located) -> ChartReference:
    """The same chart, in the version that the lock holds."""
    if reference.is_archive:
        return reference
    return replace(reference, version=held.chart.manifest or held.version, is_tag=False)


def _taken(reference: ChartReference, pulled: Pulled, held: Located | None) -> _Kept:
    """Keep what was ``pulled``, once it is known to be the chart that is asked for, and the one that the lock holds.
    Raises RegistryError, InputError."""
    if held is not None and held.chart.digest != pulled.digest:
        raise RegistryError(f"what comes now is {pulled.digest}, {NAME} has {held.chart.digest}: {_UPDATE}")
    with tempfile.TemporaryDirectory(prefix="harden-") as folder:
        path = os.path.join(folder, f"{reference.name.removesuffix('.tgz')}.tgz")
        archives.write(path, pulled.archive)
        try:
            with Copied(path) as copy:
                said = metadata(copy.folder, copy.name)
        except ChartError as error:  # which names a folder that is gone by then
            raise RegistryError(str(error).replace(os.path.join(plain(folder), ""), "")) from None
    name, version = str(said.get("name")), str(said.get("version"))
    if not reference.is_archive and name != reference.name:
        raise RegistryError(f"the chart in its archive is called {plain(name)}")
    if not _fits(pulled.version or reference.wanted or version, version):
        raise RegistryError(f"the chart in its archive has the version {plain(version)}, not {pulled.version}")
    chart = LockedChart(
        pulled.digest, _short(said.get("appVersion")),
        tuple(f"{_short(each['name'])} {_short(each.get('version'))}".strip() for each in dependencies_of(said)),
        manifest=pulled.manifest,
    )  # fmt: skip
    version = _short(held.version if held is not None else version)
    return _Kept(version, chart, archives.keep(pulled.archive, pulled.digest, reference.name, version))


def _fits(wanted: str, version: str) -> bool:
    """Whether a place may call ``version`` so; a tag that is no version is any of them."""
    try:
        return best(wanted, [(version, version)]) is not None
    except ValueError:
        return True


def _short(value: Any) -> str:
    return plain(str(value if value is not None else ""))[:_LONGEST]


def _tell(wanted: _Wanted, kept: _Kept, result: _Result) -> None:
    held = wanted.held
    line = f"{kept.version}  {kept.chart.digest}"
    if held is None:
        result.new[wanted.key] = line
    elif (held.version, held.chart.digest) == (kept.version, kept.chart.digest):
        result.pulled[wanted.key] = line
    else:
        result.changed[wanted.key] = f"{line}, was {held.version}  {held.chart.digest}"


# Writing.


@contextmanager
def _saved(
    root: str, known: dict[_Wanted, _Kept], wanted: list[_Wanted] | None, result: _Result, *, is_new: bool
) -> Iterator[None]:
    """Put what is ``known`` into the lock, whatever ends the ``with``. Where it ends by itself, what no release asks
    for is taken out; ``wanted`` is all that is asked for, None where that is not known."""
    asked = None

    def change(charts: dict[str, Any]) -> dict[str, Any]:
        merged = {place: dict(versions) for place, versions in read(charts, _refuse).items()}
        _merge(merged, known)
        if asked is not None:
            result.removed = list(_drop_unasked(merged, asked))
        return {
            place: {version: chart.entry() for version, chart in sorted(versions.items())}
            for place, versions in sorted(merged.items())
            if versions
        }

    try:
        yield
        asked = wanted
    finally:
        # That there is a list of charts, though an empty one, is what has releases hardened.
        if known or result.releases or not is_new:
            writer.save_charts(root, change)


def _refuse(path: tuple[str, ...], message: str) -> Any:
    raise InputError(f"{NAME}: {message}")


def _merge(charts: dict[str, dict[str, LockedChart]], known: dict[_Wanted, _Kept]) -> None:
    """Take ``known`` into ``charts``: what is asked for otherwise than by its version means one version only."""
    for wanted, kept in known.items():
        versions, asked = charts.setdefault(wanted.reference.place, {}), wanted.reference.version
        for version, chart in versions.items():
            if asked in chart.asked and version != kept.version:
                versions[version] = replace(chart, asked=tuple(each for each in chart.asked if each != asked))
        before = versions.get(kept.version)
        names = set(before.asked) if before is not None and before.digest == kept.chart.digest else set()
        names |= {asked} - {kept.version, kept.chart.manifest}
        versions[kept.version] = replace(kept.chart, asked=tuple(sorted(names)))


def _drop_unasked(charts: dict[str, dict[str, LockedChart]], wanted: list[_Wanted]) -> Iterator[str]:
    """Take out of ``charts`` what nothing of the tree asks for; the names of it."""
    used = {(each.reference.place, found.version) for each in wanted if (found := find(charts, each.reference))}
    for place, versions in charts.items():
        for version in [version for version in versions if (place, version) not in used]:
            del versions[version]
            yield f"{place} {version}"


def _copy(path: str, folder: str) -> None:
    """Copy the archive ``path`` into ``folder``. Raises InputError."""
    try:
        with open(path, "rb") as handle:
            content = handle.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    archives.write(os.path.join(folder, os.path.basename(path)), content)


# Telling.


def _print(result: _Result, *, wrote: bool) -> None:
    charts, of = lock_news.counted(result.total, "chart"), lock_news.counted(result.releases, "release")
    lock_news.print_news(result.root, f"{charts} of {of}", (
        (result.new, "added", "added"),
        (result.changed, "changed", "changed"),
        (result.pulled, "pulled", "pulled"),
        (result.missing, "missing", "missing: run harden lock --charts"),
        (result.failed, "not pulled", "not pulled"),
        (result.left, "left alone", "left alone"),
        (result.unheeded, "not heeded", "not heeded"),
        (dict.fromkeys(result.removed, ""), "removed", "removed, no release asks for it"),
    ))  # fmt: skip
    if wrote and (result.new or result.changed or result.removed):
        print("commit it with the manifests; then: harden diff PATH")
