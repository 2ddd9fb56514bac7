"""Which values of a manifest are secrets, and where a document holds them.

The classifier decides for one key and value; the walk finds the places: environment, ConfigMaps, Secrets, arguments,
kustomize literals, annotations, and any other entry whose key names a secret.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from hardener.kubernetes.secrets.secret_formats import LONG, is_marked, structured
from hardener.kubernetes.secrets.secret_text import (
    command_secrets,
    encoded,
    has_hint,
    is_encoded,
    is_random_key,
    may_hold_secret,
    names_program,
    random_keys,
    secret_pairs,
    spellings,
    tokens,
)
from hardener.kubernetes.secrets.secret_words import (
    compiled,
    is_path,
    is_placeholder,
    is_random,
    is_url,
    is_weak,
    key_strength,
    key_words,
)
from hardener.support.data_path import Path

__all__ = [
    "Found",
    "SecretClass",
    "classify",
    "comment_secrets",
    "comments",
    "decoded",
    "encoded_secrets",
    "found_secrets",
    "key_strength",
    "prose_secrets",
    "says_secret",
    "secret_spans",
    "text_secrets",
]

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LOOKED_INTO = frozenset(("value", _LAST_APPLIED))  # keys whose values are looked at whatever they are
_PROSE = frozenset(("description", "message", "summary", "title", "pattern", "jsonPath", "expression", "query", "expr"))
_NUMERIC_PASSWORD = frozenset(("password", "passwd", "passphrase", "passcode", "pwd", "pass"))
_HOLDERS = frozenset(("secret", "secrets", "credential", "credentials", "creds"))
_SHORT = 200  # characters of a text that is remembered by what it is
_LEAST = 5  # characters of a text with a token or a pair in it, such as ``key=x``
_FEW_WORDS, _OF_FILES = 6, frozenset("=:{}<>")  # lines under the name of a secret that are no file of settings
_READ_TOGETHER = frozenset(("args", "command", "literals", "enum", "required"))  # lists whose items are no values of it
_DATA_FIELDS = {"Secret": ("data", "stringData"), "ConfigMap": ("data", "binaryData")}  # values by keys of somebody
_KINDS_OF_ITEMS = {"SecretList": "Secret", "Secret": "Secret", "ConfigMapList": "ConfigMap"}
"""What the items of a list are that say no kind: `items` is walked under the kind of its list."""
_SCHEME = r"(?i)\A(?:basic|bearer|token|apikey|digest|negotiate)\s+"
_A_NAME = r"(?:v?\d{1,4}|(?:[A-Z]?[a-z]++|[A-Z]{2,12}){1,3}\d{,3})"
_JOINED_NAMES = rf"{_A_NAME}(?:[.\-_/ ,]{_A_NAME})*+"
_LOGIN_HEADERS = frozenset(("authorization", "auth", "token", "cookie", "session", "signature", "apikey"))
_HOST_AND_PORT = r"[a-z0-9][a-z0-9.\-]*:\d{2,5}"
_DNS_NAME = r"[a-z0-9][a-z0-9.\-/]*"


class SecretClass(StrEnum):
    """What a value is: a secret, a guessable one, perhaps one, a stand-in for one, or none."""

    SECRET = "secret"
    WEAK = "weak-secret"
    SUSPECT = "suspect"
    PLACEHOLDER = "placeholder"
    NO = "no"


_HIDDEN = frozenset((SecretClass.SECRET, SecretClass.WEAK, SecretClass.SUSPECT))
_SURE = frozenset((SecretClass.SECRET, SecretClass.WEAK))
Verdict = tuple[SecretClass, str]
_NO: Verdict = (SecretClass.NO, "")


class Found(NamedTuple):
    """A value that must not be shown: where it is, its text, and the parts of the text that are the secret itself.

    ``by_place``: those of the parts of which nothing says so but that they stand in a Secret, which also holds names of
    databases, users and hosts.
    """

    path: Path
    value: str
    parts: tuple[str, ...]
    by_place: tuple[str, ...] = ()


def classify(key: str, value: object) -> Verdict:
    """What the value of ``key`` is, and why: the name of the rule that decided. Mappings and lists are no secrets."""
    text = _plain(value)
    if text is None:
        return _NO
    return _known(key, text) if len(text) < _SHORT else _classify(key, text)


def _classify(key: str, text: str) -> Verdict:
    verdict = _classify_whole(key, text)
    if verdict[0] is SecretClass.NO and verdict[1] in ("", "file") and _may_embed(text):
        for pair in secret_pairs(text, _judge):
            return SecretClass.SUSPECT, f"embedded:{pair.key}"
    if verdict[1] == "file" and key_strength(key) > 1 and len(text.split()) <= _FEW_WORDS and not set(text) & _OF_FILES:
        return SecretClass.SUSPECT, "lines"
    return verdict if verdict[1] != "file" else _NO


_known = lru_cache(maxsize=256)(_classify)  # containers share most of their variables, and several transforms ask


def says_secret(key: str, value: str) -> bool:
    """Whether ``value`` is a secret by its key or its form, wherever it stands."""
    return classify(key, value)[0] in _HIDDEN


def text_secrets(text: str, *, comments: bool = False) -> Iterator[str]:
    """The secrets inside a text that holds more than them: tokens, values of pairs, what a command line shows, and the
    base64 of any of these with what it holds."""
    yield from _plain_secrets(text, comments=comments)
    yield from encoded_secrets(text)


def encoded_secrets(text: str) -> list[str]:
    """Every base64 text in ``text`` that holds a secret, which may be base64 once more, each before what it holds."""
    found = []
    for run, inner in encoded(text):
        known = list(_plain_secrets(inner))
        for deeper, innermost in encoded(inner):
            if below := list(_plain_secrets(innermost)):
                known += [deeper, *below]
        if known:
            found += [run, *known]
    return found


def comments(text: str) -> Iterator[str]:
    """What the comments of ``text``, which is YAML, say, each by itself."""
    sign = text.find("#")
    while sign >= 0:  # few lines have one
        end = text.find("\n", sign)
        end = end if end >= 0 else len(text)
        found = compiled(r"(?:^|\s)#+(.*)").search(text[text.rfind("\n", 0, sign) + 1 : end])
        if found and found[1]:
            yield found[1]
        sign = text.find("#", end)


def comment_secrets(text: str) -> Iterator[str]:
    """The secrets in the comments of ``text``, which is YAML."""
    for comment in comments(text):
        yield from prose_secrets(comment)


def prose_secrets(comment: str) -> Iterator[str]:
    """The secrets in what one comment says. Prose speaks about secrets: a word of it is none."""
    if may_hold_secret(comment):
        for secret in text_secrets(comment, comments=True):
            if not compiled(r"(?:[A-Za-z]++[.,;:!?)]*+\s*+)++").fullmatch(secret):
                yield secret


def _plain_secrets(text: str, *, comments: bool = False) -> Iterator[str]:
    for token in tokens(text):
        yield token
        if known := _user_and_password(token):
            yield known
    yield from random_keys(text)
    for pair in secret_pairs(text, _judge_loosely if comments else _judge, comments=comments):
        yield from spellings(pair.value)
    yield from command_secrets(text, _judge)


def _user_and_password(token: str) -> str:
    """The password in base64 of ``user:password``, as docker and HTTP write it; empty where it is none."""
    inner = decoded(token) if len(token) % 4 == 0 and ":" not in token else None
    user, sign, password = (inner or "").partition(":")
    return password if sign and user.isprintable() and password.isprintable() and len(password) > 2 else ""


def secret_spans(data: object) -> Iterator[tuple[Path, str]]:
    """(path, value as text) of every value in a document, of any shape, that must never be shown."""
    return ((found.path, found.value) for found in found_secrets(data))


def found_secrets(data: object) -> Iterator[Found]:
    """The same, each with the parts that a redactor should know. A node that several places share is walked once."""
    seen: set[tuple[int, str]] = set()
    stack: list[tuple[Path, Any, str]] = [((), data, "")]
    while stack:
        path, node, key = stack.pop()
        met = len(seen)
        seen.add((id(node), key))
        if len(seen) == met:
            continue
        below: list[tuple[Path, Any, str]] = []
        if isinstance(node, dict):
            if secrets := _in_mapping(path, node, key, below):
                yield from secrets
        elif isinstance(node, (list, tuple)):
            yield from _in_list(path, node, key, below)
        else:
            yield from _scalar(path, key, node, _SURE)
        if below:
            below.reverse()
            stack += below


def decoded(text: str) -> str | None:
    """The text behind base64, as in ``data`` of a Secret; None when it is not base64 or not UTF-8."""
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True).decode()
    except ValueError:
        return None


def _plain(value: object) -> str | None:
    """A scalar as the text a container would see; None for mappings and lists."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    return None if isinstance(value, (dict, list, tuple, set, frozenset)) else str(value)


def _classify_whole(key: str, text: str) -> Verdict:
    """The class of a value taken as a whole. ("no", "file") asks for a look inside."""
    value, strength = text.strip(), key_strength(key)
    if fallback := compiled(r"\$\{\w+:?-([^{}]+)\}").fullmatch(value):
        value = fallback[1].strip()
    if strength == 0 and value.isalnum() and len(value) < LONG and not is_marked(value):
        return _NO  # a lone word or number tells nothing by itself
    if is_placeholder(value) or _repeats(key, value):
        return _classify_placeholder(key, value) if strength > 1 else _NO
    by_form = _classify_form(value)
    if by_form is not None:
        return by_form
    if "://" in value and is_url(value):
        return _classify_url(key, value)
    if strength > 1:
        return _classify_strong(key, value)
    return _classify_hinted(key, value) if strength == 1 else _NO


def _classify_placeholder(key: str, value: str) -> Verdict:
    """The class of what looks like a stand-in, under a key that names a secret."""
    is_number = value.isdigit() and len(value) > 3 and key_words(key)[-1] in _NUMERIC_PASSWORD
    return (SecretClass.WEAK, "digits") if is_number else (SecretClass.PLACEHOLDER, "placeholder")


def _classify_form(value: str) -> Verdict | None:
    """The class that the form of a value tells, whatever its key is; None where it tells none."""
    for name, start, end in structured(value):
        is_example = name == "aws-akid" and "EXAMPLE" in value[start:end]
        return (SecretClass.SUSPECT, "aws-example") if is_example else (SecretClass.SECRET, name)
    if "service_account" in value and compiled(r'"type"\s*:\s*"service_account"').search(value):
        return SecretClass.SECRET, "gcp-sa"
    if "\n" in value:
        return SecretClass.NO, "file"
    if ";" in value and _connection_password(value):
        return SecretClass.SECRET, "conn-pw"
    return None


def _classify_hinted(key: str, value: str) -> Verdict:
    """The class of a value whose key may name a secret."""
    if key_words(key)[-1] == "auth" and _user_and_password(value):
        return SecretClass.SECRET, "basic-auth"
    is_token = len(value) >= 16 and " " not in value and not is_path(value) and _entropy(value) >= 3.5
    if is_token and any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
        return SecretClass.SUSPECT, "key1+entropy"
    return _NO


def _classify_strong(key: str, value: str) -> Verdict:
    """The class of a value, neither placeholder nor URL, whose key names a secret."""
    if _names_a_way(key, value) or _names_a_server(key, value):
        return _NO
    if is_path(value):
        return SecretClass.NO, "path"
    if compiled(r"\$[A-Za-z_][\w:.\-]*").fullmatch(value):
        return SecretClass.SUSPECT, "dollar-ref"
    if is_weak(value):
        return SecretClass.WEAK, "weak"
    return (SecretClass.NO, "short") if len(value) < 3 else (SecretClass.SECRET, "key")


def _names_a_way(key: str, value: str) -> bool:
    """Whether ``value`` says in which way somebody is authorized, or who knows it, and is no header of HTTP."""
    if key_words(key)[-1] != "authorization":
        return False
    given = compiled(_SCHEME).sub("", value)
    return is_placeholder(given) or given.startswith("$") or compiled(_JOINED_NAMES).fullmatch(given) is not None


def _names_a_server(key: str, value: str) -> bool:
    """Whether a connection string is no more than a host and a port."""
    return key_words(key)[-2:] == ("connection", "string") and compiled(_HOST_AND_PORT).fullmatch(value) is not None


def _classify_url(key: str, value: str) -> Verdict:
    """A URL without user is none, unless a query parameter or the path of a webhook is the secret."""
    for name, argument in compiled(r"[?&;]([\w.\-]+)=([^&;\s\"'#]+)").findall(value):
        if (key_strength(name) > 1 or name.lower() in ("sig", "signature")) and not is_placeholder(argument):
            return SecretClass.SECRET, "url-query"
    if "webhook" in key_words(key) and any(map(is_random, re.split(r"[/?]", value))):
        return SecretClass.SECRET, "webhook"
    return SecretClass.NO, "url"


def _connection_password(value: str) -> str:
    """The password of a connection string such as ``Server=db;Password=x;``; empty when there is none."""
    for match in compiled(r"(?i)(?<!\w)(?:password|pwd)\s*=\s*([^;\s\"']{3,})").finditer(value):
        if not is_placeholder(match[1]) and not match[1].startswith("$"):
            return match[1]
    return ""


def _repeats(key: str, value: str) -> bool:
    """True when a value only repeats its key, as GOOGLE_API_KEY_VAL does: a stand-in."""
    name = compiled(r"[^a-z0-9]+").sub("", key.lower())
    if len(name) < 6 or len(value) > len(key) + 40:
        return False
    said = compiled(r"[^a-z0-9]+").sub("", value.lower())
    return said.startswith(name) and said[len(name) :] in ("", "val", "value", "here", "placeholder", "goeshere")


def _entropy(text: str) -> float:
    """Shannon entropy in bits for each character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _may_embed(text: str) -> bool:
    """True for text that can hold pairs beside other things."""
    return "\n" in text.strip() or (("=" in text or ":" in text or "</" in text) and has_hint(text))


def _judge(key: str, value: str) -> bool:
    """Whether a pair inside a longer text is a secret; short values are more often part of the syntax around."""
    return len(value) > 3 and key_strength(key) > 1 and _classify_whole(key, value)[0] in _SURE


def _judge_loosely(key: str, value: str) -> bool:
    return _classify_whole(key, value)[0] in _HIDDEN


def _parts(text: str) -> tuple[str, ...]:
    """What of a secret value is secret: the embedded parts of a file, else the whole and the parts it has."""
    inside = tuple(dict.fromkeys(text_secrets(text)))
    if not inside and (password := _user_and_password(text)):
        inside = (password,)
    return inside if inside and "\n" in text.strip() else (text, *inside)


def _scalar(path: Path, key: str, value: object, classes: frozenset[SecretClass]) -> Iterator[Found]:
    text = _plain(value)
    if text and classify(key, text)[0] in classes:
        yield Found(path, text, _parts(text))
    elif text and (inside := [*command_secrets(text, _judge), *encoded_secrets(text), *random_keys(text)]):
        yield Found(path, text, tuple(dict.fromkeys(inside)))


def _in_mapping(path: Path, node: dict[Any, Any], parent: str, below: list[tuple[Path, Any, str]]) -> list[Found]:
    """The secrets among the entries of a mapping; what has to be walked further is added to ``below``."""
    kind = _kind_of(node, parent)
    data_fields = _DATA_FIELDS.get(kind, ())
    secrets: list[Found] = []
    for raw, value in node.items():
        if type(value) is str and type(raw) is str and raw not in _LOOKED_INTO and len(value) < LONG:
            if _is_short_dull(raw, value, parent):  # as nearly all are
                continue
        key = raw if isinstance(raw, str) else str(raw)
        if isinstance(value, (dict, list, tuple)):
            if key in data_fields and isinstance(value, dict):
                secrets += _data_entries(kind, (*path, key), value, below)
            elif key != "encryptedData":  # of a SealedSecret: encrypted, made to be public
                below.append(((*path, _part(raw)), value, _key_below(kind, key)))
        elif key in _LOOKED_INTO or _may_be_secret(key, value, parent):
            secrets += _telling_entry((*path, _part(raw)), key, value, node, parent)
    return secrets


def _kind_of(node: dict[Any, Any], parent: str) -> str:
    kind = node.get("kind")
    return kind if kind and isinstance(kind, str) else _KINDS_OF_ITEMS.get(parent, "")


def _key_below(kind: str, key: str) -> str:
    return kind if key == "items" and kind in _KINDS_OF_ITEMS else key


def _may_be_secret(key: str, value: object, parent: str) -> bool:
    return isinstance(value, (str, int, float)) and not _is_dull(key, value, parent)


def _telling_entry(path: Path, key: str, value: object, node: dict[Any, Any], parent: str) -> Iterable[Found]:
    """The secrets in an entry of ``node`` that has to be looked at; ``parent`` is the key of the mapping itself."""
    if key == "value":
        name = node.get("name")
        if isinstance(name, str):
            return _header(path, name, value) if parent == "httpHeaders" else _scalar(path, name, value, _HIDDEN)
        if key_strength(parent) > 1:
            return _scalar(path, parent, value, _SURE)
    if key == _LAST_APPLIED and isinstance(value, str):
        return _last_applied(path, value)
    return _entry(path, key, value, node) if _may_be_secret(key, value, parent) else ()


def _header(path: Path, name: str, value: object) -> Iterator[Found]:
    """A header that a probe or a hook sends: a secret where it says who asks, whatever its form."""
    text = _plain(value) or ""
    given = compiled(_SCHEME).sub("", text).strip()
    if (key_strength(name) or not _LOGIN_HEADERS.isdisjoint(key_words(name))) and not is_placeholder(given):
        yield Found(path, text, tuple(dict.fromkeys((text, given, *text_secrets(text)))))
    else:
        yield from _scalar(path, name, value, _HIDDEN)


def _data_entries(
    kind: object, path: Path, node: dict[Any, Any], below: list[tuple[Path, Any, str]]
) -> Iterator[Found]:
    if kind == "Secret":
        return _secret_entries(path, node, below)
    return _config_entries(path, node)


def _config_entries(path: Path, node: dict[Any, Any]) -> Iterator[Found]:
    """The secrets of ``data`` or ``binaryData`` of a ConfigMap."""
    for entry, text in node.items():
        known = decoded(text) if path[-1] == "binaryData" and isinstance(text, str) else None
        if known is None:
            yield from _scalar((*path, _part(entry)), str(entry), text, _HIDDEN)
        else:
            found = _scalar((*path, _part(entry)), str(entry), known, _HIDDEN)
            yield from (Found(one.path, text, (*one.parts, text)) for one in found)


def _is_dull(key: str, value: str | float, parent: str) -> bool:
    """Whether ``_entry`` need not look; most short entries stand in a tree many times."""
    if isinstance(value, bool):
        return True
    if isinstance(value, str) and len(value) >= LONG:
        return key in _PROSE
    return _is_short_dull(key, value, parent)


@lru_cache(maxsize=8192)
def _is_short_dull(key: str, value: str | float, parent: str) -> bool:
    return key in _PROSE or not _may_tell(key, value, parent)


def _may_tell(key: str, value: object, parent: str) -> bool:
    """Whether ``_entry`` has to look: hardly any entry of a manifest is a secret by its key or its form."""
    if isinstance(value, str) and len(value) > _LEAST:
        if len(value) >= LONG or "\n" in value or is_marked(value) or is_encoded(value) or is_random_key(value):
            return True
        if ("=" in value or parent == "annotations") and _holds_pairs(parent, value):
            return True
    return key_strength(key) > 1 or key.endswith("auth")


def _holds_pairs(parent: str, value: str) -> bool:
    """Whether ``value``, an entry below ``parent``, may hold a pair such as ``password=x``. Colons and commands are
    read in annotations only: elsewhere they stand in images, ports and prose."""
    if parent == "annotations" and (" -" in value or "</" in value or names_program(value)):
        return True
    if parent == "annotations" and next(random_keys(value), None) is not None:
        return True
    return ("=" in value or (parent == "annotations" and ":" in value)) and has_hint(value)


def _entry(path: Path, key: str, value: object, siblings: dict[Any, Any]) -> Iterator[Found]:
    """An entry of a mapping that is no place we know: a secret when its key or its form is very clear."""
    text = _plain(value) or ""
    holds = "\n" in text.strip() or _holds_pairs(str(path[-2]) if len(path) > 1 else "", text)
    if "\n" not in text.strip() and key_strength(key) > 1 and _is_reference(key, text, siblings):
        key = ""
    told = holds or key_strength(key) > 1 or key.endswith("auth")
    if told or is_encoded(text) or is_random_key(text) or next(structured(text), None):
        yield from _scalar(path, key, text, _HIDDEN if holds else _SURE)


def _is_reference(key: str, value: str, siblings: dict[Any, Any]) -> bool:
    """True when an entry says which secret or which of its keys is meant, and does not hold it."""
    words = key_words(key)
    if "existing" in words:
        return True
    if words[-1] in ("key", "keys"):
        named = {"remoteRef", "sourceRef", "secretName", "name", "secretRef"}.intersection(siblings)
        return bool(named) or words[-2:-1] not in (("api",), ("secret",), ("access",), ("private",), ("signing",))
    if words[-1] not in _HOLDERS or words[-2:-1] in (("client",), ("shared",), ("app",)):
        return False
    if not compiled(_DNS_NAME).fullmatch(value):
        return False
    telling = any(word in value for word in ("secret", "cred", "cert", "tls", "auth", "key", "token", "pull"))
    return telling or compiled(r"[a-z]{2,}(?:[-./][a-z]+)+(?:-\d{1,2})?").fullmatch(value) is not None


def _secret_entries(path: Path, node: dict[Any, Any], below: list[tuple[Path, Any, str]]) -> Iterator[Found]:
    """Every value of ``data`` or ``stringData`` of a Secret. Of ``data`` the decoded text is a part as well."""
    for raw, value in node.items():
        here = (*path, _part(raw))
        text = _plain(value)
        if text is None:
            below.append((here, value, str(raw)))
        elif text:
            known = decoded(text) if path[-1] == "data" else None
            inner = text if known is None else known
            inside = list(text_secrets(inner))
            parts = tuple(dict.fromkeys((inner, *inside, text)))
            by_place = () if says_secret(str(raw), inner) else tuple({inner, text}.difference(inside))
            yield Found(here, text, parts, by_place)


def _last_applied(path: Path, text: str) -> Iterator[Found]:
    """The annotation in which kubectl keeps a whole object, as JSON."""
    try:
        parts = [part for found in found_secrets(json.loads(text)) for part in found.parts]
    except (ValueError, RecursionError):
        parts = list(text_secrets(text))
    if parts:
        yield Found(path, text, tuple(dict.fromkeys(parts)))


def _in_list(path: Path, node: Any, key: str, below: list[tuple[Path, Any, str]]) -> Iterator[Found]:
    """The secrets among the items of a list: arguments, literals of a generator, values of a telling key."""
    if all([isinstance(item, (dict, list, tuple)) for item in node]):
        below += [((*path, index), item, key) for index, item in enumerate(node)]
        return
    plain = tuple([None if isinstance(item, (dict, list, tuple)) else _plain(item) for item in node])
    found = _in_items(path, key, plain)
    for index, token in enumerate(plain):
        if token is None:
            below.append(((*path, index), node[index], key))
        elif index in found:
            parts, by_place = found[index]
            yield Found((*path, index), token, tuple(dict.fromkeys(parts)), by_place)
        elif key not in _READ_TOGETHER:
            yield from _item((*path, index), key, token)


_Parts = tuple[list[str], tuple[str, ...]]  # of a Found: its parts, and those by place


def _in_items(path: Path, key: str, items: tuple[str | None, ...]) -> Mapping[int, _Parts]:
    """What of a list is secret where its items are read together, by their index."""
    if key in ("args", "command"):
        return {index: (parts, ()) for index, parts in _in_arguments(items).items()}
    return _in_literals(items, of_secret="secretGenerator" in path) if key == "literals" else {}


def _in_literals(items: tuple[str | None, ...], *, of_secret: bool) -> dict[int, _Parts]:
    """The secrets among `name=value`, as kustomize generates ConfigMaps and Secrets from them."""
    found: dict[int, _Parts] = {}
    for index, text in enumerate(items):
        name, _, value = (text or "").partition("=")
        is_said = bool(value) and says_secret(name, value)
        if is_said or (of_secret and value):
            whole = value.strip("\"'")
            by_place = () if is_said else tuple({whole, value}.difference(text_secrets(whole)))
            found[index] = [whole, *_parts(value), *_parts(whole)], by_place
        elif inside := [part for one in _scalar((), name, value, _HIDDEN) for part in one.parts]:
            found[index] = inside, ()
    return found


def _item(path: Path, key: str, token: str) -> Iterator[Found]:
    """The secrets in an item of a list of values of ``key``."""
    names_secret = key_strength(key) > 1 and key_words(key)[-1] not in _HOLDERS
    told = names_secret or "\n" in token or is_encoded(token) or is_random_key(token)
    if token and (told or next(structured(token), None)):
        yield from _scalar(path, key if names_secret else "", token, _SURE)


@lru_cache(maxsize=1024)  # a command stands in a tree many times, and each time is looked at more than once
def _in_arguments(words: tuple[str | None, ...]) -> Mapping[int, list[str]]:
    """The secrets of a command line by the index of the word that shows them."""
    found: dict[int, list[str]] = {}
    previous = ""
    for index, word in enumerate(words):
        if word and (shown := _in_argument(previous, word)):
            found[index] = shown
        previous = word or ""
    line = " ".join(word if word and "\n" not in word else "" for word in words)
    for secret in command_secrets(line, lambda key, value: False):
        for index, word in enumerate(words):
            if word and index and secret in word:
                found.setdefault(index, []).append(secret)
    return found


def _in_argument(previous: str, word: str) -> list[str]:
    """What of a word of a command is secret, as the ``previous`` one or itself tells."""
    flag = compiled(r"--?([A-Za-z][\w.\-]*)").fullmatch(previous)
    if flag and not word.startswith("-") and key_strength(flag[1]) > 1 and says_secret(flag[1], word):
        return [word]
    assigned = compiled(r"(?s)(?:--?)?([A-Za-z_][\w.\-]*)=(.+)").fullmatch(word)
    if assigned and says_secret(*assigned.groups()):
        return list(_parts(assigned[2]))
    return list(text_secrets(word))


def _part(key: object) -> str | int:
    return key if isinstance(key, (str, int)) else str(key)
