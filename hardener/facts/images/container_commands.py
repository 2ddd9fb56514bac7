"""What a container is told to run: by its manifest, and where that is silent by its image.

Source: kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container: `command` replaces the
entrypoint and the cmd of the image, `args` only its cmd.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.images.known_image import known_image
from hardener.tree.core_views import Container

T = TypeVar("T")


class Speaker(Struct, frozen=True):
    """Who says something: the manifest of ``container``, or its image."""

    container: Container
    image: bool

    def says(self, text: str) -> Evidence:
        """``text`` continues "container NAME", or "its image" where nothing in the manifest says it."""
        command = known_image(self.container).command
        if self.image and command is not None:
            return command.fact(self.container, f"its image {text}")
        return self.container.fact(f"container {self.container.name} {text}")


def own_command(container: Container) -> bool:
    """Whether it starts the command of its image. Raises OpaqueError where a program may give it another one."""
    return not container.has("command") or (_is_silent(container, "command") and not container.strings("command"))


def _is_silent(container: Container, key: str) -> bool:
    return container.data.get(key) in (None, [])  # an empty list is as none, for the kubelet too


def image_words(container: Container) -> tuple[str, ...]:
    """What runs without being in the manifest: the entrypoint and cmd of the image, or what the manifest leaves of
    them; () where nobody knows."""
    command = known_image(container).command
    if command is None or not _is_silent(container, "command"):
        return ()
    cmd = command.value.cmd if _is_silent(container, "args") else ()
    return (*command.value.entrypoint, *cmd)


def every_word(container: Container) -> tuple[str, ...]:
    """What its image says, then the command, arguments and hooks of the manifest."""
    return (*image_words(container), *container.words)


def spoken(
    container: Container,
    find: Callable[[tuple[str, ...]], Iterable[T]],
    *,
    probes: bool = False,
    beside: Collection[object] = (),
) -> Iterable[tuple[T, Speaker]]:
    """What ``find`` sees in the words of the manifest (and of ``probes``), then what only the image says.

    ``beside`` is what else it looks at: without words and that it sees nothing.
    """
    written = (*container.words, *container.probe_words) if probes else container.words
    if written or beside:
        return _spoken(container, find, written)
    more = image_words(container)
    return [(one, Speaker(container, True)) for one in find(more)] if more else ()


def _spoken(
    container: Container, find: Callable[[tuple[str, ...]], Iterable[T]], written: tuple[str, ...]
) -> Iterator[tuple[T, Speaker]]:
    seen = list(find(written))
    for one in seen:
        yield one, Speaker(container, False)
    if more := image_words(container):
        yield from ((one, Speaker(container, True)) for one in find((*more, *written)) if one not in seen)
