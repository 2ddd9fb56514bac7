"""``harden lock``: what registries say of the images of a tree, written to ``harden.lock``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hardener.authoring import config as configuration
from hardener.authoring import user_config
from hardener.commands.lock_deep import read as read_layers
from hardener.commands.lock_prune import stale
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree, say_unread
from hardener.commands.write_files import finish_killed
from hardener.errors import InputError
from hardener.facts.images.image_uses import Use, collect
from hardener.kubernetes.images.reference import ImageReference
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock import registry_session, writer
from hardener.lock.model import NAME, Lock, LockedImage, load
from hardener.lock.oci.image import digest_now, look_up
from hardener.lock.oci.registry_error import RegistryError
from hardener.lock.oci.transport import CONNECTIONS
from hardener.report.redactor import Redactor
from hardener.support import worker_threads
from hardener.support.printable import plain, plain_line

if TYPE_CHECKING:
    from hardener.lock.oci.client import Client
    from hardener.lock.oci.image import Found

_MOST_PREVIOUS = 4


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
    if writes:
        finish_killed(paths or ["."])
    with Progress() as progress, worker_threads.ended_by_signals():
        tree = read_tree(paths or ["."], choices, progress)
        root = tree.root
        uses = [] if images and not paths else collect(tree)
        # Whoever names the whole tree means what stands in the lock for manifests that are rendered elsewhere, too.
        everything = root in (os.path.realpath(path) for path in paths or ["."]) and not images
        held = tree.lock or Lock()
        result = Result(root, len(uses))
        errands: list[Errand] = []
        if not writes:
            _compare(uses, held, result)
        if check:
            errands = _checks(uses, held, everything)
        elif update:
            errands = _updates(uses, held, images, everything)
            result.total = len(errands) if images and not paths else len(uses)
        elif not frozen:
            errands = _lacking(uses, held, writer.stanzas(root) if tree.lock else {})
        result.left.update({use.key: _why_left(use) for use in uses if use.left})
        if errands or deep:
            config = configuration.load(root, choices.config)
            user = user_config.registries(root, registries)
            with registry_session.client(user, config.registries) as client:
                progress.begin("asking registries", len(errands))
                _run(client, errands, result, progress)
                if deep:
                    named = {errand.key for errand in errands} if images else None
                    _read_files(client, _unread(uses, root, named, everything), config, result, progress)
                result.unheeded = client.unheeded
        if not deep:
            _note_unread_files(result, held)
        if held.images and not frozen and not images:
            result.unused = stale(root, uses if everything else collect(tree, everywhere=True), held)
            if result.unused and not check:
                writer.save(root, {}, result.unused)
    if paths or not images:
        say_unread(tree)
    _print(result, wrote=writes)
    return int(result.fails)


def _refuse_together(*, check: bool, update: bool, frozen: bool, deep: bool) -> None:
    """Raises InputError for options that do not go together."""
    if check + update + frozen > 1:
        raise InputError("--check, --update and --frozen: choose one")
    if deep and (check or frozen):
        raise InputError("--deep reads the layers of images: it goes with neither --check nor --frozen")


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


def _compare(uses: list[Use], held: Lock, result: Result) -> None:
    for use in uses:
        if use.left is None and held.find(use.reference) is None:
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


def _errand(use: Use, key: str, locked: LockedImage | None, digest: str | None, *, tag_only: bool = False) -> Errand:
    return Errand(key, use.reference, locked, digest, tag_only, use.optional, lambda: use.where)


def _checks(uses: list[Use], held: Lock, everything: bool) -> list[Errand]:
    return [
        Errand(key, image, locked, locked.digest, tag_only=True, where=where)
        for key, image, locked, where in _entries(uses, held, everything)
        if image.tag is not None or image.digest is None
    ]


def _updates(uses: list[Use], held: Lock, images: list[ImageReference], everything: bool) -> list[Errand]:
    if not images:
        known = [
            Errand(key, image, locked, where=where)
            for key, image, locked, where in _entries(uses, held, everything)
            if image.digest is None
        ]
        return known + [
            _errand(use, use.key, None, use.reference.digest)
            for use in uses
            if use.left is None and held.find(use.reference) is None
        ]
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


_Entry = tuple[str, ImageReference, LockedImage, Callable[[], str] | None]


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


def _unread(uses: list[Use], root: str, named: set[str] | None, everything: bool) -> list[Errand]:
    """The images of the lock whose files it knows nothing of: those that are ``named``, else those of ``uses``."""
    held, stanzas = load(root) or Lock(), writer.stanzas(root)
    optional = {id(held.find(use.reference)): use.optional for use in uses}
    return [
        Errand(key, reference, locked, locked.digest, optional=optional.get(id(locked)), where=where)
        for key, reference, locked, where in _entries(uses, held, everything or named is not None)
        if "files" not in stanzas.get(key, {}) and (named is None or key in named)
    ]


# Asking.


def _run(client: Client, tasks: Iterable[Errand], result: Result, progress: Progress) -> None:
    """Ask for all ``tasks`` at once; what comes is saved now and then, and whatever ends the run."""
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
    by_key = {errand.key: errand for errand in tasks if errand.key not in result.failed}

    def done(key: str, said: str | RegistryError) -> None:
        if isinstance(said, str):
            result.read[key] = said
        else:
            _failed(by_key[key], str(said), result, result.unread)

    if by_key:
        wanted = {key: (errand.reference, str(errand.digest)) for key, errand in by_key.items()}
        read_layers(client, result.root, wanted, config, progress, done)


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


# Telling.


def _print(result: Result, *, wrote: bool) -> None:
    name = plain(os.path.normpath(os.path.join(os.path.relpath(result.root), NAME)))
    for title, lines in (
        ("added", result.new), ("changed", result.changed), ("files read", result.read),
        ("files not read", result.unread),
        ("moved since", result.moved),
        (f"missing in {name}: run harden lock", result.missing), ("not resolved", result.failed),
        ("left alone", result.left), ("not heeded", result.unheeded),
        ("removed, no file names it" if wrote else "no file names it", dict.fromkeys(result.unused, "")),
    ):  # fmt: skip
        if lines:
            print(f"{title}: {len(lines)}")
            for key, line in sorted(lines.items()):
                print(plain_line(f"  {plain(key)}  {line}".rstrip()))
    counts = [
        f"{len(lines)} {word}"
        for lines, word in (
            (result.new, "added"), (result.changed, "changed"), (result.read, "read"),
            (result.unread, "not read"), (result.moved, "moved"),
            (result.missing, "missing"), (result.failed, "not resolved"), (result.left, "left alone"),
            (result.unheeded, "not heeded"), (result.unused, "removed" if wrote else "unused"),
        )
        if lines
    ]  # fmt: skip
    images = "1 image" if result.total == 1 else f"{result.total} images"
    print(f"{name}: {images} named{': ' if counts else ', nothing to do'}{', '.join(counts)}")
    if wrote and (result.new or result.changed or result.read or result.unused):
        print("commit it with the manifests; then: harden apply PATH")
    elif result.failed and not os.path.exists(os.path.join(result.root, NAME)):
        print(f"{name} was not written; harden diff and harden apply work without it, and know less of the images")
