"""``harden images``: the images of a tree as a table. Asks no registry."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

from msgspec import Struct
from msgspec.structs import asdict

from hardener.authoring import config as configuration
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, read_tree, say_unread
from hardener.facts.images.collectors.lock import published
from hardener.facts.images.image_uses import Use, collect
from hardener.kubernetes.images.config import UNKNOWN
from hardener.kubernetes.images.table import OwnRows, lookup
from hardener.lock.model import Lock
from hardener.report.terminal.screen import columns, is_terminal
from hardener.support.printable import plain, plain_line
from hardener.tree.core_views import Object

_SHORT = len("sha256:") + 12
_LEAST = 16  # columns that a name keeps in a narrow terminal
_EPOCH = 1990  # a build that is to be reproducible names a day long before there were images


class Row(Struct, frozen=True):
    """An image for people and programs. ``pinned``: every place names it by its digest. ``user``, ``ports``: None where
    nobody knows. ``days``: its age."""

    image: str
    digest: str | None
    pinned: bool
    user: str | None
    ports: tuple[int, ...] | None
    created: str | None
    days: int | None
    used_by: tuple[str, ...]


def images(paths: list[str], choices: Choices, *, format: str) -> int:
    """Print the images of ``paths``. Returns 0."""
    with Progress() as progress:
        tree = read_tree(paths, choices, progress)
        today = configuration.day(choices.as_of) if choices.as_of else datetime.now(UTC).date()
        rows = [_row(use, tree.lock or Lock(), tree.settings.images, today) for use in collect(tree)]
    say_unread(tree)
    if format == "json":
        print(json.dumps({"images": [asdict(row) for row in rows]}, indent=2))
        return 0
    for line in _table(rows, columns(sys.stdout) if is_terminal(sys.stdout) else 0):
        print(plain_line(line))
    locked = sum(row.digest is not None for row in rows)
    count, pinned = "1 image" if len(rows) == 1 else f"{len(rows)} images", sum(row.pinned for row in rows)
    print(f"{count}, {locked} with a digest, {pinned} pinned")
    return 0


def _row(use: Use, lock: Lock, own: OwnRows, today: date) -> Row:
    reference = use.reference
    locked = lock.find(reference) if lock.successor(reference) is None else None  # what it names now is another image
    config = locked.config if locked is not None else UNKNOWN
    known = published(lookup(reference, own), config)
    ports = known.ports.value if known.ports is not None else None
    where = (_of(place.object) for place in use.places)
    return Row(
        reference.text, reference.digest or (locked.digest if locked is not None else None),
        reference.digest is not None, known.user_name, ports, config.created,
        _days(config.created, today), tuple(dict.fromkeys(where)),
    )  # fmt: skip


def _of(item: Object) -> str:
    """``item`` for people; what has no name of its own, such as values of a chart, by its file."""
    return str(item) if item.name else item.piece.file.name


def _days(created: str | None, today: date) -> int | None:
    try:
        made = date.fromisoformat((created or "")[:10])
    except ValueError:
        return None
    return (today - made).days if made.year >= _EPOCH else None


def _table(rows: list[Row], width: int) -> Iterator[str]:
    """The lines; ``width``: columns of the terminal, 0 for lines as long as they are. What is too long is shortened:
    of its users an image keeps the first, of its name the end."""
    lines = [("IMAGE", "DIGEST", "USER", "PORTS", "AGE", "USED BY")]
    for row in rows:
        image = row.image.partition("@")[0]
        ports = "?" if row.ports is None else ",".join(map(str, row.ports)) or "-"
        ports = _start(ports, _LEAST) if width else ports  # names tell images apart, ports do not
        more = f" and {len(row.used_by) - 2} more" if len(row.used_by) > 2 else ""
        lines.append((
            plain(image), row.digest[:_SHORT] if row.digest else "-", row.user or "?", ports,
            "?" if row.days is None else f"{row.days} d", plain(", ".join(row.used_by[:2])) + more,
        ))  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    if width:
        name, *_, users = widths
        others = sum(widths) + 2 * (len(widths) - 1) - name - users
        widths[-1] = max(min(users, _LEAST), min(users, width - others - name))
        widths[0] = max(min(name, _LEAST), min(name, width - others - widths[-1]))
    for line in lines:
        line = (_end(line[0], widths[0]), *line[1:-1], _start(line[-1], widths[-1]))
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _end(text: str, width: int) -> str:
    return text if len(text) <= width else f"...{text[3 - width :]}"


def _start(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
