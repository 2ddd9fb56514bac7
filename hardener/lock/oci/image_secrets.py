"""Credentials that an image gives to whoever may pull it: which variables, build arguments and files hold one. Names
alone come out of here, never a value.

Sources: github.com/opencontainers/image-spec, config.md (``Env``, ``history``) and layer.md (a file that a later layer
removes stays in the layer below); docs.docker.com, build variables (an argument that a RUN uses stands in the history,
``|1 NAME=value /bin/sh -c ...``); where files of credentials lie: the documentation of git, npm, pip, PostgreSQL,
OpenSSH, Docker, kubectl and the AWS CLI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hardener.kubernetes.secrets.secret_values import SecretClass, classify, text_secrets

PRIVATE_KEY, CREDENTIAL = "a private key", "a credential"
_CREDENTIALS = (SecretClass.SECRET, SecretClass.WEAK)
_NAMES = frozenset(
    """.dockercfg .env .git-credentials .netrc .npmrc .pgpass .pypirc .yarnrc.yml
    id_dsa id_ecdsa id_ed25519 id_rsa terraform.tfvars""".split()
)
_IN_FOLDERS = frozenset(
    {(".aws", "credentials"), (".docker", "config.json"), (".kube", "config"), (".m2", "settings.xml")}
)
_BEGINS, _ENDS = ".env.", (".key", ".pem", ".p8")
# Files that show how something looks, and keys of tests, which open nothing.
_EXAMPLES = frozenset(
    "doc docs example examples fixtures man sample samples site-packages spec test testdata tests".split()
)
_SHOWS = (".example", ".sample", ".template", ".dist", ".tmpl")
_SNAKE_OIL = "snakeoil"  # of Debian's ssl-cert: made anew by each installation, and by nobody trusted
_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s")
_ARGUMENTS = re.compile(r"(?:RUN )?\|\d{1,3} ")  # how a step begins that was run with arguments
_PAIR = re.compile(r"(?:^|(?<= ))[A-Za-z_]\w*=")


def secret_variables(variables: Iterable[str]) -> list[str]:
    """Return the names of those of ``variables``, each NAME=value, that hold a credential, sorted."""
    pairs = (text.partition("=") for text in variables)
    return sorted({name for name, _, value in pairs if name and classify(name, value)[0] in _CREDENTIALS})


def secret_arguments(history: object) -> list[str]:
    """Return the names of the build arguments in the ``history`` of a config that hold a credential, sorted."""
    entries = history if isinstance(history, list) else []
    steps = (entry.get("created_by") for entry in entries if isinstance(entry, dict))
    return secret_variables(pair for step in steps if isinstance(step, str) for pair in _arguments(step))


def _arguments(step: str) -> Iterator[str]:
    """NAME=value of each argument that a step of the history was run with: what is between its mark and its shell."""
    mark = _ARGUMENTS.match(step)
    end = step.find(" /bin/", mark.end()) if mark is not None else -1
    if mark is None or end < 0:
        return
    given = step[mark.end() : end]
    starts = [match.start() for match in _PAIR.finditer(given)]
    for start, behind in zip(starts, [*starts[1:], len(given)], strict=True):
        yield given[start:behind].strip()


def may_hold_secret(path: str) -> bool:
    """Whether the file at ``path`` of an image is looked into: its name is that of a file of credentials."""
    folders, _, name = path.strip("/").rpartition("/")
    parts = folders.split("/")
    if not _EXAMPLES.isdisjoint(parts) or name.endswith(_SHOWS) or _SNAKE_OIL in name:
        return False
    return name in _NAMES or (parts[-1], name) in _IN_FOLDERS or name.startswith(_BEGINS) or name.endswith(_ENDS)


def secret_in(path: str, content: bytes) -> str:
    """Return what the file at ``path`` holds, one of ``PRIVATE_KEY`` and ``CREDENTIAL``; "" for neither."""
    if _KEY.search(content):
        return PRIVATE_KEY
    if path.endswith(_ENDS):
        return ""
    text = content.decode("utf-8", "replace")
    return CREDENTIAL if any(text_secrets(text)) else ""
