"""The archives of charts that were pulled, in the cache of the user, each under its digest.

Source of the place: specifications.freedesktop.org/basedir-spec.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile

from hardener.errors import InputError

_FOLDER = ("harden", "charts")
_CHUNK = 1 << 20
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,160}")


def folder() -> str:
    """Return where the archives are kept, whether or not there are any."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # as the specification has it: a relative one is not heeded
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, *_FOLDER)


def path_of(digest: str, name: str, version: str) -> str:
    """Return where the archive with ``digest`` is kept, which is called as its chart and version are."""
    called = f"{name}-{version}"
    algorithm, _, digits = digest.partition(":")
    return os.path.join(folder(), algorithm, digits, f"{called if _SAFE.fullmatch(called) else 'chart'}.tgz")


def kept(digest: str, name: str, version: str) -> str | None:
    """Return the path of the archive with ``digest``; None where it is not kept, or is another one by now."""
    path = path_of(digest, name, version)
    return path if digest_of(path, digest.partition(":")[0]) == digest else None


def digest_of(path: str, algorithm: str = "sha256") -> str | None:
    """Return the digest of the file ``path``; None where it cannot be read."""
    try:
        made = hashlib.new(algorithm)
        with open(path, "rb") as handle:
            while chunk := handle.read(_CHUNK):
                made.update(chunk)
    except (OSError, ValueError):
        return None
    return f"{algorithm}:{made.hexdigest()}"


def keep(archive: bytes, digest: str, name: str, version: str) -> str:
    """Keep ``archive``, whose digest is known to be ``digest``, and return its path. Raises InputError."""
    path = path_of(digest, name, version)
    write(path, archive)
    return path


def write(path: str, content: bytes) -> None:
    """Let the file ``path`` hold ``content``, whole or not at all. Raises InputError."""
    made = ""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, made = tempfile.mkstemp(dir=os.path.dirname(path))
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        os.replace(made, path)
    except OSError as error:
        if made and os.path.exists(made):
            os.unlink(made)
        raise InputError(f"{os.path.dirname(path)}: charts cannot be kept there: {error.strerror}") from None
