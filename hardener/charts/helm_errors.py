"""What helm says when it refuses a chart, on one line, with no secret and no name of a folder of ours."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator

from hardener.kubernetes.secrets.secret_values import found_secrets, text_secrets
from hardener.sources.yaml import TextError, parse
from hardener.support.printable import plain

_HEAD, _TAIL = 240, 400  # characters: where it happened stands first, why stands last
_ADVICE = "Use --debug flag to render out invalid YAML"
_MEMORY = ("out of memory", "cannot allocate memory", "failed to reserve")  # what Go says
# A schema that is not met: since Helm 3.18 the value stands in front of what is wrong with it.
_IN_SCHEMA = re.compile(r"(?m)^(\s*(?:\[ERROR\] .*: )?- at '[^']*': )'.*'(?= (?:does not match|is not valid))")
_LARGEST = 4 * 1024 * 1024  # bytes of a file of values that is read for its secrets
_HIDDEN = "\u2039redacted\u203a"


def said(text: str, values: Iterable[str]) -> str:
    """The error in ``text``, all that helm printed, in few words; empty where there is none.

    Templates and schemas quote values: what the files ``values`` hold as secrets is left out.
    """
    if any(sign in text for sign in _MEMORY):
        return "helm needs more memory than it gets"
    begin = re.search(r"(?m)^Error: ", text)
    text = _IN_SCHEMA.sub(r"\1its value", text[begin.end() :] if begin else text).replace(_ADVICE, "")
    text = _without_secrets(text, values)
    for folder in {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}:
        text = re.sub(rf"{re.escape(os.path.join(folder, 'harden-'))}[^/\s]*/?", "", text)
    line = " ".join(part for each in text.splitlines() if (part := plain(each.strip())))
    return line if len(line) <= _HEAD + _TAIL else f"{line[:_HEAD]} [...] {line[-_TAIL:]}"


def _without_secrets(text: str, values: Iterable[str]) -> str:
    known = set(text_secrets(text))
    if "execution error at" in text:  # `fail` and `required`, whose message is the author's
        known |= {secret for path in values for secret in _secrets_of(path)}
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, _HIDDEN)
    return text


def _secrets_of(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as handle:
            documents = parse(handle.read(_LARGEST).decode("utf-8-sig")).documents
    except (OSError, TextError, UnicodeDecodeError):  # helm has said so, or will
        return
    for document in documents:
        for found in found_secrets(document):
            yield found.value
            yield from found.parts
