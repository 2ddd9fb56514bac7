"""Image references: `registry/repository:tag@digest`, as people write them in manifests.

Source of the grammar: github.com/distribution/reference; of the short names (`nginx` is `docker.io/library/nginx`):
its normalize.go.
"""

import re

from hardener.support.fast_dataclass import dataclass

# The kubelet passes at most this much on; a longer text is no reference, and the bound keeps every match cheap.
_LONGEST = 4096

_DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIASES = frozenset({"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

# Stands for an expression while the rest is parsed; a private-use character that no reference can hold.
_HOLE = "\ue000"

_EXPRESSION = re.compile(
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
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}")

# What registries use of these: github.com/opencontainers/image-spec, descriptor.md.
_REGISTERED_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image, as written and in parts.

    - `text`: as written.
    - `registry`: host and port as written, None when none is written (Docker Hub) or it is not known.
    - `repository`: registry and path as written, without tag and digest; None when an expression stands in it.
    - `name`: the last component of the path (`nginx`); None with the repository.
    - `tag`, `digest` (`sha256:...`): None when not written, or when an expression stands in it.
    - `opaque`: an expression stands somewhere in the text, so a None may also mean "not known".
    """

    text: str
    registry: str | None
    repository: str | None
    name: str | None
    tag: str | None
    digest: str | None
    opaque: bool = False

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


def parse(text: object) -> ImageReference | None:
    """The reference in `text`, or None when it is none (blank, not a string, `Nginx`, `a b`, `nginx:`).

    A text with an expression (`nginx:${TAG}`, `{{ image }}`) is a reference whose unknown parts are None.
    """
    if not isinstance(text, str) or not text or len(text) > _LONGEST or _HOLE in text:
        return None
    skeleton, holes = _EXPRESSION.subn(_HOLE, text)
    rest, at, digest = skeleton.partition("@")
    if at and not _legal(_DIGEST, digest):
        return None
    # A colon before the last slash belongs to the registry's port.
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, colon, tag = rest, "", ""
    if colon and not _legal(_TAG, tag):
        return None
    if _HOLE in head:
        if not _legal_with_holes(head):
            return None
        registry = repository = name = None
    else:
        first, slash, path = head.partition("/")
        registry = first if slash and _is_registry(first) else None
        components = (path if registry is not None else head).split("/")
        if registry is not None and not _REGISTRY.fullmatch(registry):
            return None
        if not all(_COMPONENT.fullmatch(component) for component in components):
            return None
        repository, name = head, components[-1]
    return ImageReference(
        text=text,
        registry=registry,
        repository=repository,
        name=name,
        tag=_known(tag),
        digest=_known(digest),
        opaque=holes > 0,
    )


def _is_registry(component: str) -> bool:
    return "." in component or ":" in component or component == "localhost" or component != component.lower()


def _legal(pattern: re.Pattern[str], part: str) -> bool:
    """Whether a tag or digest is legal; where an expression stands in it, nobody can say, so it is."""
    return _HOLE in part or pattern.fullmatch(part) is not None


def _legal_with_holes(head: str) -> bool:
    # What stands around the expressions may be any part of a reference, but nothing that no reference holds.
    return not any(character.isspace() or character in "\"'{}()$<>|&;," for character in head)


def _known(part: str) -> str | None:
    return part if part and _HOLE not in part else None
