"""Secrets inside longer text: configuration files, scripts, command lines, and manifests that do not parse."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hardener.kubernetes.secrets.secret_formats import structured
from hardener.kubernetes.secrets.secret_words import compiled, is_placeholder, is_random, key_strength

# Text without one of these cannot hold a pair with a key that names a secret.
_HINTS = tuple(
    "pass pwd pswd secret token key cred bearer auth dsn salt pem connection webhook sig= signature binarydata"
    " cookie".split()
)
_HINT = f"(?i){'|'.join(_HINTS)}"
# key, sign, and (not consumed, so that pairs inside the value are found as well) the value: quoted, or to a blank.
_PAIR = (
    r"(?<![\w.\-$])-{0,2}(?P<key>[A-Za-z_][\w.\-]*+(?:/[\w.\-]*+){,20}+)[\\\"']*+[ \t]*+"
    r"(?P<sign>=>|:=|[:=])(?![:=])[ \t]*"
    r"(?=(?P<value>\\++\"(?:[^\\]|\\++(?!\"))*+\\++\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[\"']?[^\s\"']{1,1000})?)"
)
_FLAG = r"(?:(?<=\s)|^)--?(?P<key>[A-Za-z][\w.\-]*)[ \t]+(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'\-][^\s\"']*)"
_BLOCK = r"[|>][-+0-9]*[ \t]*(?:#.*)?"
_ELEMENT = r"<(?P<key>[A-Za-z_][\w.\-]*)>(?P<value>[^<>]+)</"
_COMMENT = ("#", "//", ";")
# What programs take without a telling name: (text before, pattern); the group is the secret.
_PROGRAMS = (
    ("mysql", r"(?<![\w\-])mysql(?!d\b|d_)\w*(?![^\s\"'])[^|;&\n]{0,400}?\s-p(?!ort\b|rotocol\b)([^\s|;&]+)"),
    ("mariadb", r"(?<![\w\-])mariadb[\w\-]*(?![^\s\"'])[^|;&\n]{0,400}?\s-p([^\s|;&]+)"),
    ("redis-cli", r"(?<![\w\-])redis-cli(?![^\s\"'])[^|;&\n]{0,400}?\s-a\s+([^\s|;&]+)"),
    ("sshpass", r"(?<![\w\-])sshpass\s+-p\s*([^\s|;&]+)"),
    ("ldap", r"(?<![\w\-])ldap\w+(?![^\s\"'])[^|;&\n]{0,400}?\s-w\s+([^\s|;&]+)"),
    ("curl", r"(?<![\w\-])curl(?![^\s\"'])[^|;&\n]{0,400}?\s(?:-u|--user)[\s=]*+[^\s:|;&]++:([^\s|;&]+)"),
    ("wget", r"(?<![\w\-])wget(?![^\s\"'])[^|;&\n]{0,400}?\s--(?:http-|ftp-)?password[\s=]+([^\s|;&]+)"),
    ("mongo", r"(?<![\w\-])mongo(?:sh|dump|restore|export|import|stat|top|files)?(?![^\s\"'])[^|;&\n]{0,400}?"
     r"\s-p(?!ort\b)\s*+([^\s|;&\-][^\s|;&]*+)"),
    ("login", r"(?<![\w\-])(?:docker|podman|buildah|crane|oras|helm|az|oc)\s[^|;&\n]{0,40}?login(?=\s)"
     r"[^|;&\n]{0,200}?\s-p(?!assword\b)\s*+([^\s|;&\-][^\s|;&]*+)"),
    ("login", r"(?<![\w\-])(?:echo|printf)\s+(?:-n\s+|'?%s'?\s+)?([^\s|;&]+)\s*\|"
     r"\s*(?:docker|podman|buildah|crane|oras|helm)\s[^|;&\n]{0,40}?login(?=\s)[^|;&\n]{0,200}?\s--password-stdin"),
    ("htpasswd", r"(?<![\w\-])htpasswd(?=[^|;&\n]{0,200}?\s-\w{0,8}b)(?:[ \t]++[^\s|;&>]++){2,10}?[ \t]++"
     r"[\"']?+([^\s|;&>]{1,200}?)[)`\"']{0,3}+[ \t]*+(?=$|[|;&\n>])"),
    ("login ", r"(?<![\w\-])login[ \t]++\S++\s++password[ \t]++([^\s|;&]+)"),
    ("-P ", r"(?<![\w\-])(?:sqlcmd|bcp|zip|unzip)(?![^\s\"'])[^|;&\n]{0,400}?\s-P\s+([^\s|;&]+)"),
    ("7z", r"(?<![\w\-])7z[ar]?(?![^\s\"'])[^|;&\n]{0,400}?\s-p([^\s|;&]+)"),
    ("configure set", r"(?<![\w\-])configure\s+set\s+\S*?(?:secret|token|password)\S*\s+([^\s|;&]+)"),
    ("requirepass", r"(?<![\w\-])requirepass[ \t]+([^\s|;&]+)"),
    ("masterauth", r"(?<![\w\-])masterauth[ \t]+([^\s|;&]+)"),
    ("smbclient", r"(?<![\w\-])smbclient(?![^\s\"'])[^|;&\n]{0,400}?\s-U\s*[^\s%|;&]+%([^\s|;&]+)"),
    ("-pass", r"(?<!\S)-pass(?:in|out)?\s+pass:([^\s|;&]+)"),
    ("rabbitmqctl", r"(?<![\w\-])rabbitmqctl\s[^|;&\n]{0,100}?(?:add_user|change_password)\s+\S+\s+([^\s|;&]+)"),
    ("mc ", r"(?<![\w\-])mc\s+(?:alias\s+set|config\s+host\s+add)\s+\S+\s+\S+\s+\S+\s+([^\s|;&]+)"),
)  # fmt: skip
# Base64 of text, between signs that are no part of it.
_ENCODED = r"(?<![\w+/\-])[A-Za-z0-9+/]{20,}+={0,2}+(?![\w+/=\-])"
_RANDOM_KEY = r"(?<![\w+/\-.])(?<!sha256=)(?<!h1:)[A-Za-z0-9+/_\-]{43}=(?![\w=+/\-])"
_KEY_LENGTH = 44  # characters of a key of 32 bytes in base64, as Fernet, WireGuard and many others have them
_WHOLE = r"[A-Za-z0-9+/]{20,}={0,2}"
# What an unquoted value begins with that is none: a mapping, a list; and in a program a call, a variable, a comparison.
_OPENING = r"[\[{(]|\$\("
_CODE = r"\{|[\w.]*[(\[]|[=<>!~`*&%@+|,)\]}]|\$[({]?\w*$|\$\(|(?:self|this|os|process|config|args|req|request|env)\."


class Pair(NamedTuple):
    """A key and a value found in text, and whether the value stood in quotes."""

    key: str
    value: str
    quoted: bool


Judge = Callable[[str, str], bool]


def has_hint(text: str) -> bool:
    """True when a word in ``text`` could name a secret; a cheap first look."""
    if text.isascii():  # where lower case is all that (?i) means; many times as fast
        lowered = text.lower()
        for hint in _HINTS:  # the first one tells, and any() over a generator takes longer
            if hint in lowered:
                return True
        return False
    return compiled(_HINT).search(text) is not None


def may_hold_secret(text: str) -> bool:
    """False only where neither a word in ``text`` names a secret nor a program in it takes one without a name, no word
    of it is base64 of a text, and all stands as it is meant: an escape may hide where a token begins."""
    if "\\" in text or has_hint(text) or names_program(text):
        return True
    return has_encoded(text) or next(random_keys(text), None) is not None


def names_program(text: str) -> bool:
    """Whether ``text`` may hold a command or a setting that takes a secret without a telling name."""
    return any([program in text for program, _ in _PROGRAMS])


def has_encoded(text: str) -> bool:
    """Whether a word of ``text`` is base64 of a text; most long words are names, paths and digests."""
    return any(len(word) > 19 and next(encoded(word), None) is not None for word in text.split())


def is_encoded(value: str) -> bool:
    """Whether the whole of ``value`` may be base64."""
    return len(value) > 19 and compiled(_WHOLE).fullmatch(value) is not None


def encoded(text: str) -> Iterator[tuple[str, str]]:
    """Each base64 run in ``text`` as it stands, and the text that it holds. What holds none is left out."""
    if len(text) < 20:
        return
    for match in compiled(_ENCODED).finditer(text):
        run = match[0]
        try:
            if not binascii.a2b_base64(run[:20]).isascii():  # most words and keys end here
                continue
            inner = binascii.a2b_base64(run + "=" * (-len(run) % 4)).decode()
        except ValueError:
            continue
        if inner[:60].replace("\n", "").replace("\t", "").replace("\r", "").isprintable():
            yield run, inner


def random_keys(text: str) -> Iterator[str]:
    """Each key of 32 bytes in base64 in ``text``, which a digest behind its name is not."""
    sign = text.find("=", _KEY_LENGTH - 1)
    while sign >= 0:  # few words end in one
        match = compiled(_RANDOM_KEY).match(text, sign + 1 - _KEY_LENGTH)
        if match and is_random(match[0]) and not _is_text(match[0]):
            yield match[0]
        sign = text.find("=", sign + 1)


def is_random_key(value: str) -> bool:
    """Whether the whole of ``value`` is such a key."""
    return len(value) == _KEY_LENGTH and value[-1] == "=" and next(random_keys(value), None) is not None


def _is_text(run: str) -> bool:
    """Whether ``run``, base64 in either alphabet, holds text."""
    try:
        return binascii.a2b_base64(run.replace("-", "+").replace("_", "/")).decode().isprintable()
    except ValueError:
        return False


def secret_pairs(text: str, judge: Judge, *, comments: bool = False) -> Iterator[Pair]:
    """The pairs in ``text`` whose key names a secret and whose value ``judge(key, value)`` takes for one.

    Read are ``key: value``, ``key = value``, ``--key=value``, JSON, ``<key>value</key>``, a ``value`` beside a
    ``name``, and values that go over several lines. Comments are read on demand.
    """
    if not has_hint(text):
        return
    lines = text.splitlines()
    code = _OPENING if comments else _CODE
    name = previous = ""
    for number, line in enumerate(lines):
        content = line.lstrip()
        if not comments and content.startswith(_COMMENT):
            continue
        for pair in _line_pairs(line):
            if pair.key in ("name", "key"):
                name = pair.value
                # `value:` may stand before its `name:`, in the same list item.
                before = Pair(name, previous, pair.quoted)
                if previous and not content.startswith("- ") and _takes(judge, before, code):
                    yield before
            else:
                named = pair if pair.key != "value" or not name else Pair(name, pair.value, pair.quoted)
                yield from _secret_pair(named, lines, number, judge, code)
            previous = pair.value if pair.key == "value" else ""


def _secret_pair(pair: Pair, lines: list[str], number: int, judge: Judge, code: str) -> Iterator[Pair]:
    """The pair of line ``number`` where it is a secret, or its key with what follows on the lines below where that is
    one."""
    key = pair.key
    if key_strength(key) < 1 or key in ("name", "key"):
        return
    if _takes(judge, pair, code):
        yield pair
    elif key_strength(key) > 1 and _continues(lines[number], pair.value):
        following = _following(lines, number, pair.value)
        if following and judge(key, following.split("\n", 1)[0]):
            yield Pair(key, following, True)


def all_pairs(line: str) -> list[Pair]:
    """Every pair of a line, whatever its key is called."""
    return list(_line_pairs(line))


def command_secrets(text: str, judge: Judge) -> Iterator[str]:
    """The secrets on a command line: ``--token x``, ``mysql -px``, ``curl -u user:x`` and their like."""
    for match in compiled(_FLAG).finditer(text) if " -" in text or text.startswith("-") else ():
        if key_strength(match["key"]) > 1 and judge(match["key"], unquoted(match["value"])):
            yield unquoted(match["value"])
    for mark, pattern in _PROGRAMS:
        if mark in text:
            for match in compiled(pattern).finditer(text):
                value = unquoted(match[1])
                if not is_placeholder(value) and not value.startswith("$"):
                    yield value


def tokens(text: str) -> Iterator[str]:
    """The tokens in ``text`` that their own form betrays."""
    return (text[start:end] for _, start, end in structured(text))


def unquoted(value: str) -> str:
    """``value`` without the quotes around it, escaped ones included."""
    value = value.strip()
    match = compiled(r"(?s)(\\*[\"'])(.*)\1").fullmatch(value)
    return match[2] if match else value


def spellings(value: str) -> Iterator[str]:
    """A value as it stands in a quoted string and, where it is escaped there, as it is meant."""
    yield value
    if "\\" in value:
        try:
            yield str(json.loads(f'"{value}"', strict=False))
        except ValueError:
            yield compiled(r"\\(.)").sub(r"\1", value)
    if "''" in value:
        yield value.replace("''", "'")


def _takes(judge: Judge, pair: Pair, code: str) -> bool:
    if len(pair.value) < 3 or (not pair.quoted and compiled(code).match(pair.value)):
        return False
    return judge(pair.key, pair.value)


def _line_pairs(line: str) -> Iterator[Pair]:
    """The pairs of a line. An unquoted value of the first one is read twice: as a word, and to the end of the line."""
    first = True
    for match in compiled(_PAIR).finditer(line):
        if (
            match.start()
            and line[match.start() - 1] == ":"
            and _in_arn(line[max(0, match.start() - 200) : match.start()])
        ):
            continue
        raw = match["value"] or ""
        if len(raw) > 1 and raw[0] in ("'", '"', "\\") and raw[-1] == raw[0].replace("\\", '"'):
            yield Pair(match["key"], unquoted(raw), True)
        elif first:
            yield from _first_pair(match["key"], match["sign"], raw, line[match.end() :].strip())
        else:
            yield Pair(match["key"], _first_word(raw.lstrip("\"'")), False)
        first = False
    for match in compiled(_ELEMENT).finditer(line) if "</" in line else ():
        yield Pair(match["key"], match["value"].strip(), True)


def _first_pair(key: str, sign: str, raw: str, rest: str) -> Iterator[Pair]:
    """The readings of an unquoted value, ``raw`` or what is the ``rest`` of the line."""
    if " " in rest:
        yield Pair(key, re.split(r"\s#", rest, maxsplit=1)[0].strip().strip("\"'"), False)
    word = (rest.split(maxsplit=1)[0] if rest else raw).lstrip("\"'")
    if sign != ":" or " " not in rest or not word:
        short = _first_word(word)
        yield Pair(key, short, False)
        if short != word:
            yield Pair(key, word, False)


def _first_word(text: str) -> str:
    """``text`` up to where a shell ends a command, without closing brackets."""
    return re.split(r"[;&|]", text, maxsplit=1)[0].rstrip(",;)}]")


def _in_arn(before: str) -> bool:
    """Whether the word that ``before`` ends in is an ARN: its parts are names, also behind ``secret:``."""
    return before.rpartition(" ")[2].lstrip("\"'").startswith("arn:")


def _continues(line: str, value: str) -> bool:
    """True when the value of the pair that ends ``line`` stands on the lines below."""
    tail = line.rstrip()
    return not value or compiled(_BLOCK).fullmatch(value) is not None or (tail.count('"') % 2 == 1 and "\\" not in tail)


def _following(lines: list[str], number: int, value: str) -> str:
    """The lines below line ``number`` that are indented deeper, as text; empty when they are keys or items."""
    indent = len(lines[number]) - len(lines[number].lstrip(" -"))
    taken: list[str] = []
    for line in lines[number + 1 : number + 400]:
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        taken.append(line.strip())
    text = "\n".join(taken).strip()
    if not value and (compiled(r"-\s|[\w.\-]+:(?:\s|$)|[\[{]").match(text)):
        return ""
    return (f"{value.strip(chr(34))}\n{text}" if value and not compiled(_BLOCK).fullmatch(value) else text).strip("\"'")
