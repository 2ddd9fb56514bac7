"""``harden lock``: what registries say of the images of a tree, with ``--deep`` what their layers say, written to
``harden.lock``."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hardener.authoring import config as configuration
from hardener.authoring import user_config
from hardener.commands import lock_news
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree, say_unread
from hardener.commands.write_files import finish_killed
from hardener.errors import InputError
from hardener.facts.images.image_uses import Use, collect
from hardener.kubernetes.images.config import NOBODY_ELSE
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.images.table import lookup
from hardener.lock import registry_session, writer
from hardener.lock.model import NAME, Lock, LockedImage, load
from hardener.lock.oci.image import Found, digest_now, look_up
from hardener.lock.oci.layers import Layers
from hardener.lock.oci.limits import Limits
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import CONNECTIONS
from hardener.report.redactor import Redactor
from hardener.sources import files, registry
from hardener.sources.files.selection import INSTALLED, Selection
from hardener.support import worker_threads

if TYPE_CHECKING:
    from hardener.lock.oci.client import Client
    from hardener.tree.tree import Tree

_MOST_PREVIOUS = 4
# Fewer than there are connections: what is held of an image while it is read may be some 100 MiB.
_IMAGES_AT_ONCE = 4
# Whom transforms let an image of root run as where the image table knows no one: the number, and the group that a
# number without a line in passwd has.
_NOBODY_ELSE = (NOBODY_ELSE, 0)
_MOST_BYTES = 1 << 20  # of a file that is no manifest: what is larger is seldom a text
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_Word = tuple[bytes, re.Pattern[bytes]]  # what to look for, and how it stands there as a word
_Entry = tuple[str, ImageReference, LockedImage, Callable[[], str] | None]


class Errand(Struct, frozen=True):
    """An image to ask a registry for: by its tag, or by the ``digest`` that is known; ``tag_only``: has the tag moved?

    ``where``: the file and line that names it, None for one of the lock or the command line. ``keep``: somebody asked
    for it by its name, so it stays in the lock whether or not a manifest names it.
    """

    key: str
    reference: ImageReference
    locked: LockedImage | None = None
    digest: str | None = None
    tag_only: bool = False
    optional: str | None = None
    where: Callable[[], str] | None = None
    keep: bool = False


class Result(Struct):
    """What a run found: lines by image, for each kind of news; ``unused`` are the stanzas that nothing needs."""

    root: str
    total: int = 0
    new: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    unheeded: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)

    @property
    def fails(self) -> bool:
        """Whether an image could not be resolved or read, is missing, or moved."""
        return bool(self.failed or self.unread or self.missing or self.moved)


class _Scope(Struct, frozen=True):
    """What a run is about: the images that files use, those that the lock holds, and those that the command line names;
    ``everything``: the whole of both."""

    root: str
    uses: list[Use]
    held: Lock
    images: list[ImageReference]
    everything: bool

    @classmethod
    def of(cls, tree: Tree, paths: list[str], images: list[ImageReference], *, by_name: bool) -> _Scope:
        """That of ``paths`` and ``images``; ``by_name``: of the images alone."""
        # Whoever names the whole tree means what stands in the lock for manifests that are rendered elsewhere, too.
        everything = not images and tree.root in map(os.path.realpath, paths)
        return cls(tree.root, [] if by_name else collect(tree), tree.lock or Lock(), images, everything)


def lock(
    arguments: list[str], choices: Choices, *, check: bool, update: bool, frozen: bool, deep: bool = False,
    registries: str | None = None,
) -> int:  # fmt: skip
    """Write what registries say of the images that ``arguments`` name to the lock, and print what is new.

    Without one of the options it looks up what the lock does not hold. ``update``: all, or the images among the
    arguments, anew. Both take out what the repository no longer uses. ``check`` writes nothing, and asks whether tags
    moved. ``frozen`` asks nobody. ``deep``: read the layers, too, where the lock says nothing of the files of an image.
    ``registries``: a file that stands in place of the user's own about registries.
    Returns 1 when an image could not be resolved, is missing (``check``, ``frozen``) or moved (``check``), else 0.
    """
    _refuse_together(check=check, update=update, frozen=frozen, deep=deep)
    writes = not (check or frozen)
    paths, images = _sorted_out(arguments, update)
    by_name = bool(images) and not paths
    paths = paths or ["."]
    if writes:
        finish_killed(paths)
    with Progress() as progress, worker_threads.ended_by_signals():
        tree = read_tree(paths, choices, progress)
        scope = _Scope.of(tree, paths, images, by_name=by_name)
        errands = [] if frozen else _errands(scope, check=check, update=update)
        result = Result(tree.root, len(errands if by_name else scope.uses))
        _note_uses(scope, result, compare=not writes)
        if errands or deep:
            config = configuration.load(tree.root, choices.config)
            user = user_config.registries(tree.root, registries)
            with registry_session.client(user, config.registries) as client:
                _run(client, errands, result, progress)
                if deep:
                    _read_files(client, _unread(scope, errands), config, result, progress)
                result.unheeded = client.unheeded
        if not deep:
            _note_unread_files(result, scope.held)
        if not frozen:
            result.unused = _unused(scope, tree)
        if writes and result.unused:
            writer.save(tree.root, {}, result.unused)
    if not by_name:
        say_unread(tree)
    _print(result, wrote=writes)
    return int(result.fails)


def _refuse_together(*, check: bool, update: bool, frozen: bool, deep: bool) -> None:
    """Raises InputError for options that do not go together."""
    if check + update + frozen > 1:
        raise InputError("--check, --update and --frozen: choose one")
    if deep and (check or frozen):
        raise InputError("--deep reads the layers of images: it goes with neither --check nor --frozen")


def _unused(scope: _Scope, tree: Tree) -> list[str]:
    """The stanzas that nothing in the repository uses; none where it is images that are asked for."""
    if scope.images or not scope.held.images:
        return []
    uses = scope.uses if scope.everything else collect(tree, everywhere=True)
    return _stale(scope.root, uses, scope.held)


def _why_left(use: Use) -> str:
    """Why no registry is asked for the image of ``use``; with the place where it is no reference at all."""
    illegal = use.reference.repository is None and not use.reference.opaque
    return f"{use.left} ({use.where})" if illegal else str(use.left)


def _note_unread_files(result: Result, held: Lock) -> None:
    """Say of each image that changed that what the lock tells of its files is about the one before."""
    for key in result.changed.keys() & held.images.keys():
        if held.images[key].files is not None and key not in result.failed:
            result.changed[key] += "  its files are not read: harden lock --deep"


def _sorted_out(arguments: list[str], update: bool) -> tuple[list[str], list[ImageReference]]:
    """Paths and images; an argument is an image only with --update, and where there is no such file."""
    paths, images = [], []
    for argument in arguments:
        image = parse_image(argument) if update and not os.path.lexists(argument) else None
        if image is None:
            paths.append(argument)
        elif image.digest is not None or image.opaque or image.repository is None:
            raise InputError(f"{argument}: --update takes an image by its name and tag")
        else:
            images.append(image)
    return paths, images


# What there is to ask.


def _errands(scope: _Scope, *, check: bool, update: bool) -> list[Errand]:
    if check:
        return _checks(scope)
    if not update:
        return _lacking(scope.uses, scope.held, writer.stanzas(scope.root) if scope.held.images else {})
    return _named(scope.images, scope.held) if scope.images else _updates(scope)


def _note_uses(scope: _Scope, result: Result, *, compare: bool) -> None:
    """Say which images no registry is asked for; ``compare``: and which are not in the lock."""
    for use in scope.uses:
        if use.left:
            result.left[use.key] = _why_left(use)
        elif compare and scope.held.find(use.reference) is None:
            if use.optional:
                result.left[use.key] = f"not in {NAME}, {use.optional}"
            else:
                result.missing[use.key] = use.where


def _lacking(uses: list[Use], held: Lock, stanzas: dict[str, dict[str, Any]]) -> list[Errand]:
    """The images that the lock does not hold, and those whose config it does not."""
    names = {id(image): name for name, image in held.images.items()}
    found = []
    for use in uses:
        locked = held.find(use.reference)
        key = names[id(locked)] if locked is not None else use.key
        if use.left is None and (locked is None or "config" not in stanzas.get(key, {})):
            digest = locked.digest if locked is not None else use.reference.digest
            found.append(_errand(use, key, locked, digest))
    return found


def _errand(use: Use, key: str, locked: LockedImage | None, digest: str | None) -> Errand:
    return Errand(key, use.reference, locked, digest, optional=use.optional, where=lambda: use.where)


def _checks(scope: _Scope) -> list[Errand]:
    return [
        Errand(key, image, locked, locked.digest, tag_only=True, where=where)
        for key, image, locked, where in _entries(scope.uses, scope.held, scope.everything)
        if image.tag is not None or image.digest is None
    ]


def _updates(scope: _Scope) -> list[Errand]:
    known = [
        Errand(key, image, locked, where=where)
        for key, image, locked, where in _entries(scope.uses, scope.held, scope.everything)
        if image.digest is None
    ]  # fmt: skip
    return known + [
        _errand(use, use.key, None, use.reference.digest)
        for use in scope.uses
        if use.left is None and scope.held.find(use.reference) is None
    ]


def _named(images: list[ImageReference], held: Lock) -> list[Errand]:
    """``images`` of the command line: each that the lock holds of that name and tag, else the image itself."""
    found: dict[str, Errand] = {}
    for image in images:
        fitting = [
            (key, reference, locked)
            for key, reference, locked, _ in _entries([], held, True)
            if reference.digest is None and reference.normalized == image.normalized
            and (image.tag is None or (reference.tag or "latest") == image.tag)
        ]  # fmt: skip
        for key, reference, locked in fitting:
            found[key] = Errand(key, reference, locked)
        if not fitting:
            found[image.text] = Errand(image.text, image, keep=True)
    return list(found.values())


def _entries(uses: list[Use], held: Lock, everything: bool) -> list[_Entry]:
    """What the lock holds of the images of ``uses``, or all that it holds."""
    places: dict[int, Callable[[], str]] = {}
    for use in uses:
        if (locked := held.find(use.reference)) is not None and use.left is None:
            places.setdefault(id(locked), lambda use=use: use.where)  # type: ignore[misc]
    found: list[_Entry] = []
    for key, locked in held.images.items():
        reference = parse_image(key)
        if reference is not None and (everything or id(locked) in places):
            found.append((key, reference, locked, places.get(id(locked))))
    return found


def _unread(scope: _Scope, errands: list[Errand]) -> list[Errand]:
    """The images of the lock, as it is by now, whose files it knows nothing of: those of ``errands`` where images are
    named, else those that are used."""
    named = {errand.key for errand in errands} if scope.images else None
    held, stanzas = load(scope.root) or Lock(), writer.stanzas(scope.root)
    optional = {id(held.find(use.reference)): use.optional for use in scope.uses}
    return [
        Errand(key, reference, locked, locked.digest, optional=optional.get(id(locked)), where=where)
        for key, reference, locked, where in _entries(scope.uses, held, scope.everything or named is not None)
        if "files" not in stanzas.get(key, {}) and (named is None or key in named)
    ]


# Asking.


def _run(client: Client, tasks: list[Errand], result: Result, progress: Progress) -> None:
    """Ask for all ``tasks`` at once; what comes is saved now and then, and whatever ends the run."""
    progress.begin("asking registries", len(tasks))
    with registry_session.Unsaved[dict[str, Any]](lambda entries: writer.save(result.root, entries)) as unsaved:
        for errand, found in unsaved.each(tasks, lambda errand: _asked(client, errand), CONNECTIONS):
            progress(errand.key)
            if isinstance(found, RegistryError):
                _failed(errand, str(found), result)
            elif isinstance(found, str):
                if errand.locked is not None and found != errand.locked.digest:
                    result.moved[errand.key] = f"{errand.locked.digest} is now {found}"
            else:
                _take(errand, found, result, unsaved.entries)


def _read_files(
    client: Client, tasks: list[Errand], config: configuration.Config, result: Result, progress: Progress
) -> None:
    """Read the layers of the images of ``tasks``, and save what they say now and then, and whatever ends the run."""
    wanted = [errand for errand in tasks if errand.key not in result.failed]
    if not wanted:
        return
    layers = Layers(client, Limits(**config.deep), progress.tell)
    progress.begin("reading layers", len(wanted))

    def ask(errand: Errand) -> dict[str, Any]:
        row = lookup(errand.reference, config.images)
        user = (row.uid, row.gid or 0) if row is not None and row.uid is not None else _NOBODY_ELSE
        return layers.facts(str(errand.reference.normalized), str(errand.digest), user)

    with registry_session.Unsaved[tuple[str, dict[str, Any]]](
        lambda entries: writer.save_files(result.root, entries)
    ) as unsaved:
        for errand, found in unsaved.each(wanted, ask, _IMAGES_AT_ONCE):
            progress(errand.key)
            if isinstance(found, RegistryError):
                _failed(errand, str(found), result, result.unread)
            else:
                unsaved.entries[errand.key] = (str(errand.digest), found)
                result.read[errand.key] = _words_of_files(found)


def _words_of_files(found: dict[str, Any]) -> str:
    words = [found["platform"]]
    if "uid" in found:
        words.append(f"user {found['uid']}:{found['gid']}")
    for path in found["starts"]:
        if path in found["capabilities"]:
            words.append(f"{path} carries {found['capabilities'][path]}")
    if found.get("secrets"):
        words.append(_count(len(found["secrets"]), "credential file"))
    if found["setuid"]:
        words.append(_count(len(found["setuid"]), "setuid program"))
    if "empty" in found:
        writer = f" for {found['writer']}" if "writer" in found else ""
        folders = _count(len(found["empty"]) + len(found["occupied"]), "folder")
        words.append(f"{folders} to write to{writer}")
    return "  ".join(words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _asked(client: Client, errand: Errand) -> Found | str:
    """The image, or the digest of its tag where that is all that there is to know. Raises RegistryError."""
    normalized, tag = str(errand.reference.normalized), errand.reference.tag or "latest"
    if errand.tag_only:
        return digest_now(client, normalized, tag)
    if errand.digest is None and errand.locked is not None:
        now = digest_now(client, normalized, tag)  # costs no pull where the tag did not move
        if now == errand.locked.digest:
            return now
    return look_up(client, normalized, errand.digest or tag)


def _failed(errand: Errand, problem: str, result: Result, kind: dict[str, str] | None = None) -> None:
    if errand.optional:
        result.left[errand.key] = f"{problem}, {errand.optional}"
    else:
        place = f" ({errand.where()})" if errand.where is not None else ""
        (result.failed if kind is None else kind)[errand.key] = f"{problem}{place}"


def _take(errand: Errand, found: Found, result: Result, unsaved: dict[str, dict[str, Any]]) -> None:
    entry = masked(writer.stanza(found))
    _keep(errand, found.digest, entry)
    unsaved[errand.key] = entry
    words = [found.digest, *([", ".join(found.platforms)] if found.platforms else [])]
    if found.config and "user" in found.config:
        words.append(f"user {found.config['user'] or 'root'}")
    if found.config and found.config.get("exposedPorts"):
        words.append(f"ports {', '.join(found.config['exposedPorts'])}")
    news = result.new if errand.locked is None else result.changed
    news[errand.key] = "  ".join(words)
    if found.problem:
        _failed(errand, f"{found.problem}; only its digest is known", result)


def _keep(errand: Errand, digest: str, entry: dict[str, Any]) -> None:
    """Take over to ``entry`` what the lock said beside what a registry says: above all the digests that the tag had
    before, by which ``apply`` knows what it has pinned itself."""
    locked = errand.locked
    if locked is not None:
        before = dict.fromkeys([locked.digest, *locked.previous])
        before.pop(digest, None)
        if before and errand.reference.digest is None:
            entry["previous"] = list(before)[:_MOST_PREVIOUS]
    if errand.keep or (locked is not None and locked.keep):
        entry["keep"] = True


def masked(entry: dict[str, Any]) -> dict[str, Any]:
    """``entry`` without what looks like a secret in a command: the lock is committed."""
    words = {key: entry["config"][key] for key in ("entrypoint", "cmd") if entry.get("config", {}).get(key)}
    if not words:
        return entry
    redactor = Redactor()  # knows a password by the flag before it, where it looks at a container
    container = {"name": "c", "command": words.get("entrypoint", []), "args": words.get("cmd", [])}
    redactor.learn_document({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}})
    return {**entry, "config": {**entry["config"], **{key: redactor.value(said) for key, said in words.items()}}}


# Stanzas whose images the repository no longer uses. All of it is asked, whatever paths a run was given. What its
# manifests do not show may still be used by what harden does not read: so a stanza also stays while any file of the
# tree, of whatever kind, holds both its name and its tag. Files that Git ignores and does not track are not asked.


def _stale(root: str, uses: Iterable[Use], lock: Lock) -> list[str]:
    """The names of the stanzas of ``lock`` that nothing in ``root`` uses; those that a person wrote or that say
    ``keep: true`` are none of them. ``uses`` are the images of the whole repository."""
    used: set[int] = set()
    open_names: set[str | None] = set()  # of images whose tag is filled in later
    for use in uses:
        reference = use.reference
        if reference.opaque:
            open_names.add(reference.normalized)
        for found in (lock.find(reference), lock.images.get(reference.text)):
            used.add(id(found))
    # One without a media type was written by hand.
    ours = ((name, image) for name, image in lock.images.items() if image.media_type and not image.keep)
    unused = {name: parse_image(name) for name, image in ours if id(image) not in used}
    candidates = {name: image for name, image in unused.items() if image and image.normalized not in open_names}
    return sorted(_unnamed(root, candidates)) if candidates else []


def _unnamed(root: str, candidates: dict[str, ImageReference]) -> dict[str, ImageReference]:
    """Those of ``candidates`` that no file in ``root`` names."""
    left = dict(candidates)
    patterns = {name: _patterns(reference) for name, reference in candidates.items()}
    # What names an image in test data keeps it, too: whoever gives that folder needs it.
    for path, is_link in Selection(root, test_data=INSTALLED).everywhere(("",)):
        if not left:
            break
        if is_link or _is_passed_over(path):
            continue
        try:
            raw = files.read_bytes(path)[0]
        except files.UnreadableError:
            return {}  # nobody can say
        if raw.startswith(_UTF_16):
            raw = raw.replace(b"\0", b"")  # leaves the letters of names and tags
        # The plain search first: it is many times as fast.
        for name in [one for one in left if all(word in raw and how.search(raw) for word, how in patterns[one])]:
            del left[name]
    return left


def _is_passed_over(path: str) -> bool:
    """Whether it is a lock, which names all images, or no text: a pipe, or something large that is no manifest."""
    name = os.path.basename(path)
    if name == NAME:
        return True
    try:
        status = os.lstat(path)
    except OSError:
        return False  # whoever reads it says why it cannot be read
    is_manifest = name.endswith(registry.endings()) or name in files.NAMES
    if stat.S_ISREG(status.st_mode):
        return status.st_size > _MOST_BYTES and not is_manifest
    return not stat.S_ISDIR(status.st_mode)


def _patterns(reference: ImageReference) -> list[_Word]:
    repository = str(reference.repository)
    if reference.registry is not None:  # values of charts have it in a field of its own
        repository = repository.removeprefix(f"{reference.registry}/")
    words = [repository, reference.digest or reference.tag]
    if words[1] is None:  # no tag beside it
        return [_word(repository, r"(?<![\w./-])", r"(?![\w./:@-])")]
    return [_word(str(word), r"(?<![\w.-])", r"(?![\w.-])") for word in words]


def _word(text: str, before: str, after: str) -> _Word:
    return text.encode(), re.compile(f"{before}{re.escape(text)}{after}".encode())


# Telling.


def _print(result: Result, *, wrote: bool) -> None:
    name = lock_news.name_of(result.root)
    unused = ("removed", "removed, no file names it") if wrote else ("unused", "no file names it")
    lock_news.print_news(result.root, lock_news.counted(result.total, "image"), (
        (result.new, "added", "added"),
        (result.changed, "changed", "changed"),
        (result.read, "read", "files read"),
        (result.unread, "not read", "files not read"),
        (result.moved, "moved", "moved since"),
        (result.missing, "missing", f"missing in {name}: run harden lock"),
        (result.failed, "not resolved", "not resolved"),
        (result.left, "left alone", "left alone"),
        (result.unheeded, "not heeded", "not heeded"),
        (dict.fromkeys(result.unused, ""), *unused),
    ))  # fmt: skip
    if wrote and (result.new or result.changed or result.read or result.unused):
        print("commit it with the manifests; then: harden apply PATH")
    elif result.failed and not os.path.exists(os.path.join(result.root, NAME)):
        print(f"{name} was not written; harden diff and harden apply work without it, and know less of the images")
