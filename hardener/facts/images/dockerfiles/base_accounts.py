"""Accounts that well-known base images hold, so that `USER node` has a number; each looked up in what makes the image.

The image table says as whom an image runs; that is another question than which accounts it holds.
"""

import re
from typing import NamedTuple

from hardener.facts.images.dockerfiles.accounts import Account
from hardener.kubernetes.images.reference import ImageReference

_EIGHT_OR_NEWER = re.compile(r"(?:[89]|[1-9][0-9])(?:[.-].*)?")


class _Base(NamedTuple):
    repository: re.Pattern[str]  # normalized
    tag: re.Pattern[str]
    accounts: tuple[Account, ...]
    variables: tuple[tuple[str, str], ...] = ()


def _user(name: str, uid: int, gid: int) -> tuple[Account, ...]:
    return Account(name, uid, group=name), Account(name, gid, is_group=True)


_ANY = re.compile(r".*")
_BASES = (
    # github.com/nodejs/docker-node, 20/bookworm-slim and 20/alpine3.20
    _Base(re.compile(r"docker\.io/library/node"), _ANY, _user("node", 1000, 1000)),
    # github.com/nginxinc/docker-nginx, mainline/debian: "consistent throughout docker variants"
    _Base(re.compile(r"docker\.io/library/nginx"), _ANY, _user("nginx", 101, 101)),
    # github.com/docker-library/php, 8.3/alpine3.20/fpm; Debian: base-passwd, passwd.master
    _Base(re.compile(r"docker\.io/library/php"), re.compile(r".*alpine.*"), _user("www-data", 82, 82)),
    _Base(re.compile(r"docker\.io/library/php"), re.compile(r"(?!.*alpine).*"), _user("www-data", 33, 33)),
    # base-passwd, passwd.master
    _Base(re.compile(r"docker\.io/library/debian"), _ANY, (Account("nobody", 65534), *_user("www-data", 33, 33))),
    # github.com/GoogleContainerTools/distroless, common/variables.bzl
    _Base(re.compile(r"gcr\.io/distroless/.*"), _ANY, (*_user("nonroot", 65532, 65532), Account("nobody", 65534))),
    # github.com/dotnet/dotnet-docker, src/runtime-deps/8.0/noble
    _Base(
        re.compile(r"mcr\.microsoft\.com/dotnet/(?:runtime-deps|runtime|aspnet|sdk)"),
        _EIGHT_OR_NEWER,
        _user("app", 1654, 1654),
        (("APP_UID", "1654"),),
    ),
)


def held_by(image: ImageReference) -> tuple[tuple[Account, ...], tuple[tuple[str, str], ...]]:
    """The accounts that ``image`` is known to hold, and the variables that it sets to their numbers."""
    for base in _BASES:
        if image.normalized is not None and base.repository.fullmatch(image.normalized):
            if base.tag.fullmatch(image.tag or ("" if image.opaque or image.digest else "latest")):
                return base.accounts, base.variables
    return (), ()
