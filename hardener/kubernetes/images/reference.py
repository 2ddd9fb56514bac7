"""Image references: `registry/repository:tag@digest`, as people write them in manifests.

Source of the grammar: github.com/distribution/reference; of the short names (`nginx` is `docker.io/library/nginx`):
its normalize.go; of what is a digest: github.com/opencontainers/go-digest, which runtimes check it with.
"""

from __future__ import annotations

import re
from sys import intern

from msgspec import Struct

from hardener.support.late_pattern import late_pattern

# The kubelet passes at most this much on; a longer text is no reference, and the bound keeps every match cheap.
_LONGEST = 4096

_DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIASES = frozenset({"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

# Stands for an expression while the rest is parsed; a private-use character that no reference can hold.
_HOLE = "\ue000"

_EXPRESSION = late_pattern(
    r"\$\{[^{}]*\}"  # ${TAG}: shells, envsubst, kustomize vars, Flux substitution
    r"|\$\([^()]*\)"  # $(TAG): kustomize and Kubernetes itself
    r"|\{\{[^{}]*\}\}"  # {{ .Values.tag }}: Helm, Jinja
    r"|\$[A-Za-z_][A-Za-z0-9_]*"  # $TAG
)
_REGISTRY = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?"
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}  # in lower case, of the digests that runtimes take

# What registries use of these: github.com/opencontainers/image-spec, descriptor.md.
_REGISTERED_DIGEST = late_pattern(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class ImageReference(Struct, frozen=True):
    """One image, as written and in parts.

    - `text`: as written.
    - `registry`: host and port as written, None when none is written (Docker Hub) or it is not known.
    - `repository`: registry and path as written, without tag and digest; None when an expression stands in it.
    - `name`: the last component of the path (`nginx`); None when an expression stands in it.
    - `tag`, `digest` (`sha256:...`): None when not written, or when an expression stands in it.
    - `opaque`: an expression stands somewhere in the text, so a None may also mean "not known".
    - `fault`: what is wrong with its digest, in words; no runtime starts it, and nothing is pinned. Only of `read`.
    """

    text: str
    registry: str | None
    repository: str | None
    name: str | None
    tag: str | None
    digest: str | None
    opaque: bool = False
    fault: str | None = None

    @property
    def is_latest(self) -> bool:
        """Whether it names no version, so that runtimes take `latest`."""
        return self.tag is None and self.digest is None and not self.opaque

    @property
    def known_part(self) -> str | None:
        """The repository, or its name where an expression stands before that, as in `${REGISTRY}/nginx`."""
        return self.repository or self.name

    @property
    def normalized(self) -> str | None:
        """The repository with its registry and `library/` spelled out, or None when the repository is not known."""
        return None if self.repository is None else normalize(self.repository)


def is_digest(value: object) -> bool:
    """Whether it is a digest as registries name one, which makes it safe in an address, too."""
    return isinstance(value, str) and _REGISTERED_DIGEST.fullmatch(value) is not None


def normalize(repository: str) -> str:
    """`nginx` -> `docker.io/library/nginx`, `prom/prometheus` -> `docker.io/prom/prometheus`, `quay.io/x` unchanged.

    Works on globs too (`prom/*`), since it looks at the first component only.
    """
    first, slash, rest = repository.partition("/")
    if not slash:
        return f"{_DOCKER_HUB}/library/{repository}"
    if not _is_registry(first):
        return f"{_DOCKER_HUB}/{repository}"
    if first in _DOCKER_HUB_ALIASES:
        first = _DOCKER_HUB
    if first == _DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


def digest_fault(digest: str) -> str | None:
    """What is wrong with `digest`, in words; None for one that runtimes take."""
    algorithm, colon, digits = digest.partition(":")
    if not colon:
        return "it does not begin with an algorithm and a colon"
    if algorithm not in _DIGITS:
        return f"runtimes take {', '.join(_DIGITS)}, in lower case, and no other algorithm"
    if not re.fullmatch("[0-9a-fA-F]*", digits):
        return "it holds what is no hexadecimal digit"
    if len(digits) != _DIGITS[algorithm]:
        return f"it has {len(digits)} digits, and one of {algorithm} has {_DIGITS[algorithm]}"
    return None if digits == digits.lower() else "its digits are not in lower case"


def parse(text: object) -> ImageReference | None:
    """The reference in `text`, or None when it is none: blank, no string, `Nginx`, `a b`, `nginx:`, `nginx@sha256:1`.

    A text with an expression (`nginx:${TAG}`, `{{ image }}`) is a reference whose unknown parts are None.
    """
    found = read(text)
    return None if found is None or found.fault is not None else found


def read(text: object) -> ImageReference | None:
    """As `parse`, but what has a digest that is not legal is a reference with a `fault`, and without a digest."""
    if not isinstance(text, str) or not text or len(text) > _LONGEST or _HOLE in text:
        return None
    skeleton, holes = _EXPRESSION.subn(_HOLE, text) if "$" in text or "{{" in text else (text, 0)
    rest, at, digest = skeleton.partition("@")
    fault = digest_fault(digest) if at and _HOLE not in digest else None
    head, tag = _without_tag(rest)
    if tag is not None and not _legal(_TAG, tag):
        return None
    parts = _parts_with_holes(head) if _HOLE in head else _parts(head)
    if parts is None:
        return None
    registry, repository, name = parts
    return ImageReference(
        text=text,
        registry=registry,
        repository=repository,
        name=name,
        tag=_known(tag or ""),
        digest=None if fault else _known(digest),
        opaque=holes > 0,
        fault=fault,
    )


def _without_tag(name: str) -> tuple[str, str | None]:
    """A name and its tag, None without one. A colon before the last slash belongs to the registry's port."""
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, None)


_Parts = tuple[str | None, str | None, str | None]  # registry, repository, name


def _parts(head: str) -> _Parts | None:
    """The parts of a name without its tag; None for one that is not legal."""
    first, slash, path = head.partition("/")
    registry = intern(first) if slash and _is_registry(first) else None  # many images are of one
    if registry is not None and not _REGISTRY.fullmatch(registry):
        return None
    components = (path if registry is not None else head).split("/")
    if not all([_COMPONENT.fullmatch(component) for component in components]):
        return None
    return registry, head, components[-1]


def _parts_with_holes(head: str) -> _Parts | None:
    """The same where expressions stand in it: its last part at most is known."""
    if not _legal_with_holes(head):
        return None
    last = head.rpartition("/")[2]
    return None, None, last if _COMPONENT.fullmatch(last) else None


def _is_registry(component: str) -> bool:
    return "." in component or ":" in component or component == "localhost" or component != component.lower()


def _legal(pattern: re.Pattern[str], part: str) -> bool:
    """Whether a tag is legal; where an expression stands in it, nobody can say, so it is."""
    return _HOLE in part or pattern.fullmatch(part) is not None


def _legal_with_holes(head: str) -> bool:
    # What stands around the expressions may be any part of a reference, but nothing that no reference holds.
    return not any(character.isspace() or character in "\"'{}()$<>|&;," for character in head)


def _known(part: str) -> str | None:
    return part if part and _HOLE not in part else None
