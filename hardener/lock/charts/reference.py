"""Which chart something asks for: a place, and a version of what is there.

Source: helm.sh/docs/topics/registries (``oci://`` addresses, a ``+`` in a version is a ``_`` in a tag) and
helm.sh/docs/topics/chart_repository (``index.yaml``).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from hardener.kubernetes.images.reference import is_digest
from hardener.support.late_pattern import late_pattern
from hardener.support.version_ranges import version as version_of

OCI = "oci://"
NEWEST = "*"
_WEB = ("http", "https")
_LONGEST = 2048  # characters of an address
_HOST = late_pattern(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_PATH = late_pattern(r"[A-Za-z0-9._~/@:+,%=-]*")
_REPOSITORY = late_pattern(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
_NAME = late_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_VERSION = late_pattern(r"[ -~]{1,256}")
_TAG = late_pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class ChartReference(Struct, frozen=True):
    """A chart and the version that is asked for.

    - ``place``: ``oci://HOST/PATH/NAME``, ``https://HOST/PATH#NAME`` for a repository with an index, or the address of
      an archive. It is the name that the lock has for it.
    - ``version``: a version, a range, NEWEST, a tag or the digest of a manifest, as it is written.
    - ``is_tag``: the version is a tag, whatever it looks like.
    """

    place: str
    version: str = NEWEST
    is_tag: bool = False

    @property
    def name(self) -> str:
        """What the chart is called there."""
        address, number, name = self.place.partition("#")
        return name if number else address.rstrip("/").rpartition("/")[2]

    @property
    def repository(self) -> str:
        """The address of the repository with an index, of the archive, or of the chart in its registry."""
        return self.place.partition("#")[0]

    @property
    def is_oci(self) -> bool:
        return self.place.startswith(OCI)

    @property
    def is_archive(self) -> bool:
        """Whether the place is that of one archive."""
        return not self.is_oci and "#" not in self.place

    @property
    def wanted(self) -> str | None:
        """The version or range that the chart itself has to fit; None where that is not known before it is there."""
        if is_digest(self.version) or (self.is_tag and version_of(self.version) is None):
            return None
        return self.version.replace("_", "+") if self.is_tag else self.version

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class NoReferenceError(ValueError):
    """What a release says of its chart names none that can be asked for; the message says why."""


def in_repository(address: str, name: str, version: str | None, *, is_tag: bool = False) -> ChartReference:
    """Return the chart ``name`` of the repository at ``address``: one with an index, or a part of a registry
    (``oci://``). Raises NoReferenceError."""
    if address.startswith(OCI):
        return of_registry(f"{address.rstrip('/')}/{name}", version, is_tag=is_tag)
    if not _NAME.fullmatch(name):
        raise NoReferenceError("the name of its chart is none")
    return ChartReference(f"{_web(address)}#{name}", _version(version))


def of_registry(address: str, version: str | None, *, is_tag: bool = False) -> ChartReference:
    """Return the chart at ``address`` of a registry, with ``oci://`` before it or not. Raises NoReferenceError."""
    host, _, path = address.removeprefix(OCI).rstrip("/").partition("/")
    _no_login(address)
    if len(address) > _LONGEST or not _HOST.fullmatch(host) or not _REPOSITORY.fullmatch(path):
        raise NoReferenceError("its address is none of a registry")
    found = ChartReference(f"{OCI}{host.lower()}/{path}", _version(version), is_tag)
    if found.is_tag and not _TAG.fullmatch(found.version):
        raise NoReferenceError("its tag is none")
    return found


def of_archive(address: str, version: str | None = None) -> ChartReference:
    """Return the chart that is the archive at ``address``. Raises NoReferenceError."""
    return ChartReference(_web(address), _version(version))


def _web(address: str) -> str:
    """An address of HTTP as the lock has it."""
    _no_login(address)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise NoReferenceError("its address is none") from None
    scheme = parts.scheme.lower()
    if scheme not in _WEB:
        raise NoReferenceError("its address begins with neither https:// nor oci://")
    is_plain = not parts.query and not parts.fragment and _PATH.fullmatch(parts.path) is not None
    if len(address) > _LONGEST or not _HOST.fullmatch(parts.netloc) or not is_plain:
        raise NoReferenceError("its address is none that harden asks")
    return f"{scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _no_login(address: str) -> None:
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise NoReferenceError("its address contains a login: take it out; harden uses those of docker login")


def _version(written: str | None) -> str:
    found = (written or "").strip()
    if found and not _VERSION.fullmatch(found):
        raise NoReferenceError("its version is none")
    return found or NEWEST
