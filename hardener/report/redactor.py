"""Keeps secrets out of everything that is printed: diffs, reports, messages of errors.

Two ways. The place of a secret in a document is masked as a whole, whatever stands there. And
a secret that is long and uncommon enough is looked for in every text, in each form in which programs write it.

A name of an object or a file is no secret because it stands in a Secret, too: as the name of a database, of a user, of
a host. It is masked there and nowhere else. So is the value of a label and a part of an image, unless a key or its form
says that it is a secret. A word that is a secret is looked for as a word, not inside of names.

What a report says of itself is no quotation: the names of files and objects, ids, the words of a rule. A secret that is
a part of one of them is not masked there.
"""

from __future__ import annotations

import binascii
import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hardener.kubernetes.secrets import secret_values
from hardener.kubernetes.secrets.secret_formats import structured
from hardener.kubernetes.secrets.secret_text import Pair, all_pairs, spellings
from hardener.kubernetes.secrets.secret_words import (
    compiled,
    is_path,
    is_placeholder,
    is_random,
    is_url,
    is_weak,
    key_strength,
    key_words,
    speaks_about,
)

# Shorter forms would hit ordinary words; also the length of the key of the index.
_SHORTEST = 6
_OWN_WORDS = Path(__file__).parent / "own-words.txt"
_FEW = 32  # keys of the index
# The fields of a record that quote data of the tree, those that are sentences, and the addresses of files. What stands
# in any other is the frame of the report: names of objects, places in them, ids.
_DATA = frozenset(("before", "after", "value", "currentValue", "proposedValue"))
_SENTENCES = frozenset("message advice reason text missing beforeYouApply afterYouApply templatePatch".split())
_ADDRESSES = frozenset(("file", "places"))
# Words of manifests and reports. One that serves as a password is masked where it stands and nowhere else.
_COMMON = frozenset(
    "access account active administrator admins allowed always amazon annotations apache apiversion application"
    " argocd artifactory authentication authorization backend backup bearer binding bitnami breaking busybox"
    " cassandra certificate client cluster clusterip clusterrole cockroachdb config configmap confluent connection"
    " consul container containers controller couchbase couchdb credential credentials critical cronjob daemonset"
    " database debian delete deploy deployer deployment develop developer development disabled docker"
    " elasticsearch enabled encryption endpoint enforce example extensions external factory filebeat finding"
    " findings fluentd frontend gateway github gitlab google grafana haproxy harbor harden hardener header health"
    " hostname ifnotpresent ignore image images influxdb information ingress internal issuer jaeger jenkins kafka"
    " keycloak kibana kubectl kubelet kubernetes kustomization latest letsencrypt limits loadbalancer localhost"
    " logstash manager manifest mariadb master matomo medium memcached message metadata metrics microservice"
    " mongodb monitoring namespace network networkpolicy nextcloud nginx nodeport object openshift operator oracle"
    " password passwords persistent placeholder policy postgres postgresql primary privileged production profile"
    " prometheus protocol provider public rabbitmq readonly redacted registry release replica repository request"
    " requests resource resources restricted review runasuser scheduler secret secrets security selector server"
    " service serviceaccount session severity sonarqube staging standard statefulset status storage storageclass"
    " strategy string system template tomcat traefik transform ubuntu unknown update usermanager username values"
    " version volume volumes warning webhook wordpress worker workload zookeeper".split()
)
_BLOCK_HEADER = r"(?:[!&]\S*[ \t]+)*[|>][-+0-9]*[ \t]*(?:#[^\n]*)?"
_IS_SECRET = r"(?mi)(?:^|[{,])[ \t\-]*+[\"']?kind[\"']?\s*:\s*[\"']?Secret\b"
_NAME_LINE = r"(?m)^[ \t\-]*[\"']?(?:name|namespace|image|app)[\"']?[ \t]*:[ \t]*(.*)$"
_AFTER_DATA = frozenset(("apiVersion", "kind", "metadata", "type", "immutable"))
_TEMPLATE_LITERAL = r"default\s+[\"'`]([^\"'`]+)[\"'`]|[\"'`]([^\"'`]+)[\"'`]\s*\|\s*(?:b64enc|quote)"
# Words as a person chooses them, joined like a name: where they are part of a longer name, that is what they are.
_WORDS = r"[^\w\s]{,2}(?:[a-z]{2,20}(?:[-._][a-z]{1,20}){,5}-?\d{,2}|[A-Za-z]{2,40})[^\w\s]{,2}"
_NAMED = r"[a-z][a-z0-9_]{,29}(?:[-._/:@][a-z0-9_]+)*"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


class _Span(NamedTuple):
    """Characters to mask, the number in the mark, and whether a caller asked for it or the text was searched."""

    start: int
    end: int
    ordinal: int
    given: bool = False


class Redactor:
    """Knows the secrets of a run and masks them by a mark with a number, which is the same for the same value."""

    def __init__(self) -> None:
        self._ordinals: dict[str, int] = {}  # every value and form, however short
        self._learned: set[tuple[str, bool, bool]] = set()  # a value, and the `word` and `by_place` of `learn`
        self._names: set[str] = set()  # of objects and files
        self._labels: set[str] = set()  # what else is called so
        self._words: set[str] = set()  # forms that are looked for as words only
        self._looked: dict[int, tuple[object, bool]] = {}  # documents by their identity, and whether they hold any
        self._commented: dict[str, bool] = {}  # comments that are known, and whether they hold any
        self._last = 0
        self._own: set[str] = set()  # what reports say in words of their own
        self._readable: dict[str, _Forms] | None = None  # names and own words, by their first characters
        self._index: dict[str, _Forms] = {}  # by the first characters of what is looked for

    def keep(self, names: Iterable[str], labels: Iterable[str] = ()) -> None:
        """Leave ``names`` of objects and files readable, and what their parts are called, where a Secret holds one; and
        ``labels``, which are any other names, where nothing but a Secret says that they are secrets."""
        self._readable = None
        for known, given in ((self._names, names), (self._labels, labels)):
            for name in given:
                known.add(name)
                if "/" in name or "." in name:
                    known.update(name.split("/"))
                    known.add(name.rpartition("/")[2].partition(".")[0])

    def keep_own(self, words: Iterable[str]) -> None:
        """Leave ``words`` readable, which are those of a rule and not of the tree: a secret that is a part of them is
        not masked there."""
        self._readable = None
        self._own.update(words)

    def learn(self, value: str, *, word: bool = False, by_place: bool = False) -> None:
        """Take ``value`` for a secret from now on, in all its forms, line by line when it has several lines. A ``word``
        is looked for where no letter, digit or name goes on beside it. A line that is a name is none; where only the
        place of the value (``by_place``) makes it a secret, a line that is a label is none either."""
        if not value.strip() or (value, word, by_place) in self._learned:
            return
        self._learned.add((value, word, by_place))
        ordinal = self._ordinal(value)
        for form in _forms(value):
            self._add(form, ordinal, word=word and form == value)
        if "\n" in value.strip():
            for line in _telling_lines(value):
                if self._is_name(line, by_place=by_place):
                    continue
                is_word = compiled(_WORDS).fullmatch(line) is not None
                for form in _forms(line):
                    self._add(form, ordinal, word=is_word and form == line)

    def learn_document(self, data: object) -> bool:
        """Learn every secret of a parsed document, and tell whether it holds any. Names, paths, stand-ins and words of
        the document stay readable."""
        names: str | None = None
        held = False
        for found in secret_values.found_secrets(data):
            held = True
            for part in found.parts:
                if names is None and _is_word(part):
                    names = "\n".join(_names(data))
                key = str(found.path[-1]) if found.path else ""
                self._learn_part(key, part, names or "", by_place=part in found.by_place)
        self._looked[id(data)] = data, held
        return held

    def holds_secret(self, data: object) -> bool:
        """Tell whether a parsed document holds a secret; one that was learned is not walked again."""
        known = self._looked.get(id(data))
        return known[1] if known is not None else any(True for _ in secret_values.found_secrets(data))

    def learn_text(self, text: str) -> None:
        """Learn from text that is no YAML, a template or a broken document. Rather too much than too little."""
        names = "\n".join(compiled(_NAME_LINE).findall(text))
        for secret in secret_values.text_secrets(text, comments=True):
            self._learn_part("", secret, names, by_place=False)
        if "{{" in text:
            for line in text.splitlines():
                for secret in _template_literals(line):
                    self.learn(secret)
        for document in compiled(r"(?m)^---").split(text):
            if compiled(_IS_SECRET).search(document):
                for key, value in _secret_data(document):
                    for part in (secret_values.decoded(value) or "", *spellings(value)):
                        self._learn_part(key, part, names, by_place=not secret_values.says_secret(key, part))

    def _learn_part(self, key: str, part: str, names: str, *, by_place: bool) -> None:
        """Learn a secret, unless it is readable elsewhere: as the name of an object, because of what it is, or, where
        only its place (``by_place``) makes it one, as another name."""
        if self._is_name(part, by_place=by_place) or (by_place and _is_word(part) and part in names):
            return
        if by_place and is_own(part):  # masked where it stands: elsewhere it is what anybody says
            return
        if _is_worth_learning(key, part):
            self.learn(part, word=compiled(_WORDS).fullmatch(part) is not None, by_place=by_place)

    def _is_name(self, text: str, *, by_place: bool) -> bool:
        plain = text.strip()
        return text in self._names or plain in self._names or (by_place and plain in self._labels)

    def learn_entry(self, key: str, value: str) -> None:
        """Learn the ``value`` of an entry of a Secret, unless the key says that it is the name of something."""
        self._learn_part(key, value, "", by_place=not secret_values.says_secret(key, value))

    def learn_comments(self, text: str) -> bool:
        """Learn the secrets in the comments of ``text``, YAML that was read, and tell whether there are any."""
        found = False
        for comment in secret_values.comments(text):
            if comment not in self._commented:
                self._commented[comment] = False
                for secret in secret_values.prose_secrets(comment):
                    self._commented[comment] = True
                    self._learn_part("", secret, "", by_place=False)
            found = found or self._commented[comment]
        return found

    def learn_prose(self, text: str) -> None:
        """Learn the secrets in a sentence that a person wrote, such as the reason of a waiver."""
        for secret in secret_values.comment_secrets(f"# {text}"):
            self._learn_part("", secret, "", by_place=False)

    def text(self, text: str) -> str:
        """Return ``text`` with every known secret, and every token that its own form betrays, replaced by its mark."""
        spans = self._spans(text)
        return _masked(text, spans) if spans else text

    def masks(self, text: str) -> bool:
        """Return True when ``text(text)`` would change something."""
        return bool(self._spans(text))

    def finds(self, text: str) -> bool:
        """Tell the same as masks(), and no mark gets a number by it."""
        if next(structured(text), None) is not None:
            return True
        return bool(self._index) and next(self._known_in(text), None) is not None

    def value(self, value: object) -> object:
        """Return JSON-like data of the tree with every string masked, the keys of mappings, too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, (list, tuple)) else value

    def record(self, record: object, field: str = "") -> Any:
        """Return a record of a report, which stands at ``field`` of another, with what it quotes masked. The keys of
        the format and the addresses of files stay as they are; of names and ids the tokens are masked that their own
        form betrays."""
        if field in _DATA:
            return self.value(record)
        if field in _ADDRESSES:
            return record
        if isinstance(record, dict):
            return {key: self.record(item, key) for key, item in record.items()}
        if isinstance(record, (list, tuple)):
            return [self.record(item, field) for item in record]
        if not isinstance(record, str):
            return record
        return self.text(record) if field in _SENTENCES else self.name(record)

    def name(self, text: str) -> str:
        """Return ``text``, the name of an object or of a field in it, with the tokens masked that their own form
        betrays."""
        spans = list(self._tokens_in(text))
        return _masked(text, spans) if spans else text

    def mask_spans(self, text: str, spans: Iterable[tuple[int, int]], *, known: bool = False) -> str:
        """Return ``text`` with the characters [start, end) of each span masked, whatever they are, and the rest as
        text().

        Lines stay lines, with their indentation, and the header of a block scalar stays. The values are learned, unless
        they are ``known`` from the document.
        """
        given: list[_Span] = []
        for start, end in sorted(spans):
            start, end = max(start, given[-1].end if given else 0), min(end, len(text))
            if start < end and text[start:end].strip():
                held = text[start:end]
                ordinal = self._ordinal(_scalar(held)) if known else self._learn_place(held)
                given.append(_Span(start, end, ordinal, given=True))
        return _masked(text, [*given, *self._spans(text)])

    def _learn_place(self, source: str) -> int:
        """Learn what a scalar, as it stands in YAML, holds; its ordinal."""
        value = _scalar(source)
        if "\n" in value:
            inside = list(secret_values.text_secrets(value))
            for part in inside:
                self.learn(part)
            if not inside:
                self.learn(value)
        elif _is_worth_learning("", value):
            for part in spellings(value) if source.strip().endswith('"') else (value,):
                self.learn(part)
        return self._ordinal(value)

    def _ordinal(self, value: str) -> int:
        known = self._ordinals.get(value) or self._ordinals.get(value.strip())
        if known is None:
            self._last += 1
            known = self._last
        self._ordinals.setdefault(value, known)
        self._ordinals.setdefault(value.strip(), known)
        return known

    def _add(self, form: str, ordinal: int, *, word: bool) -> None:
        """Look for ``form`` from now on, unless it is too short or too common; as a ``word`` only until it is added
        without that."""
        self._ordinals.setdefault(form, ordinal)
        if len(form) < _SHORTEST or is_common(form):
            return
        forms = self._index.get(form[:_SHORTEST])
        if forms is None:
            forms = self._index[form[:_SHORTEST]] = _Forms()
        if forms.add(form, ordinal):
            if word:
                self._words.add(form)
        elif not word:
            self._words.discard(form)

    def _spans(self, text: str) -> list[_Span]:
        """What to mask in ``text``. One pass over its characters, however many secrets are known."""
        found = list(self._tokens_in(text))
        return [*found, *self._known_in(text)] if self._index else found

    def _tokens_in(self, text: str) -> Iterator[_Span]:
        return (_Span(start, end, self._ordinal(text[start:end])) for _, start, end in structured(text))

    def _known_in(self, text: str) -> Iterator[_Span]:
        index = self._index
        readable: list[tuple[int, int]] | None = None
        for start in _starts(text, index):
            for form, ordinal in index[text[start : start + _SHORTEST]].at(text, start):
                if form not in self._words or _stands_alone(text, start, form):
                    if readable is None:
                        readable = self._readable_in(text)
                    if not _is_within(start, start + len(form), readable):
                        yield _Span(start, start + len(form), ordinal)
                    break

    def _readable_in(self, text: str) -> list[tuple[int, int]]:
        """Where names of objects and files, and words of rules, stand in ``text`` by themselves. In one pass, and only
        over a text in which a secret was found."""
        if self._readable is None:
            self._readable = {}
            for name in {*self._names, *self._own}:
                if len(name) > _SHORTEST:  # longer than what it could hold
                    self._readable.setdefault(name[:_SHORTEST], _Forms()).add(name, 0)
        found: list[tuple[int, int]] = []
        index = self._readable
        for start in _starts(text, index):
            for name, _ in index[text[start : start + _SHORTEST]].at(text, start):
                if _stands_alone(text, start, name):
                    if not found or start + len(name) > found[-1][1]:
                        found.append((start, start + len(name)))
                    break
        return found


class _Forms:
    """Texts to look for that begin alike: thousands may, so each length is looked up once and not each text."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[str, int]] = {}  # the longest first

    def add(self, form: str, ordinal: int) -> bool:
        """Look for ``form``, too; False where it is looked for already."""
        known = self._by_length.get(len(form))
        if known is None:
            known = self._by_length[len(form)] = {}
            self._by_length = dict(sorted(self._by_length.items(), reverse=True))
        if form in known:
            return False
        known[form] = ordinal
        return True

    def at(self, text: str, start: int) -> Iterator[tuple[str, int]]:
        """Those that stand at ``start`` of ``text``, the longest first, with their ordinals."""
        for length, known in self._by_length.items():
            ordinal = known.get(form := text[start : start + length])
            if ordinal is not None:
                yield form, ordinal


def _is_within(start: int, end: int, ranges: list[tuple[int, int]]) -> bool:
    """Whether one of ``ranges``, which begin and end one after the other, holds all from ``start`` to ``end``, and
    more: what is a name by itself may be a secret."""
    at = bisect_right(ranges, (start, sys.maxsize)) - 1
    return at >= 0 and end <= ranges[at][1] and ranges[at] != (start, end)


def _starts(text: str, index: Mapping[str, object]) -> list[int]:
    """Where a key of ``index`` stands in ``text``: a few keys are looked for one by one, which no loop of ours can
    match; many by each place."""
    n = _SHORTEST
    if len(index) > _FEW:
        return [i for i in range(len(text) - n + 1) if text[i : i + n] in index]
    found: list[int] = []
    for key in index:
        place = text.find(key)
        while place >= 0:
            found.append(place)
            place = text.find(key, place + 1)
    return sorted(found)


def is_common(value: str) -> bool:
    """Return True for what must not be masked wherever it occurs: default passwords, words of manifests, plain
    numbers."""
    if compiled(r"[\d\s.,:/+\-]*").fullmatch(value) or len(set(value)) < 3:
        return True
    word = compiled(r"\d{1,2}$").sub("", value.lower())
    if word[-1:].isdigit():
        return False
    return is_weak(word) or word in _COMMON or value.lower().strip(".,:;!?/-") in own_words()


def is_own(value: str) -> bool:
    """Whether some words, or a name of them, are such as reports use."""
    words = [word for word in compiled(r"(?:[\s./_\-]|[,:;!?](?=\s|$))+").split(value.lower()) if word]
    return bool(words) and own_words().issuperset(words)


@cache
def own_words() -> frozenset[str]:
    """The words that reports use; ``tests.own_words`` writes the table."""
    return frozenset(_OWN_WORDS.read_text(encoding="ascii").split())


def _is_worth_learning(key: str, value: str) -> bool:
    """False for values that are hidden where they stand, and are no secret elsewhere: stand-ins, paths, URLs, names."""
    text = value.strip()
    if is_placeholder(text) or is_path(text):
        return False
    if is_url(text) and not next(structured(text), None) and "?" not in text and "webhook" not in text:
        return False
    if not speaks_about(key) or next(structured(text), None):
        return True
    # Names, addresses, paths of what the key speaks about; a long mixture of letters and digits is rather a token.
    return compiled(f"(?i){_NAMED}").fullmatch(text) is None or any(map(is_random, compiled(r"[-._/:@]").split(text)))


def _stands_alone(text: str, start: int, form: str) -> bool:
    """Whether ``form`` at ``start`` of ``text`` is a word by itself, and no part of a longer one or of a name."""
    end = start + len(form)
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before and (before[-1].isalnum() or (before[-1] in "-._" and before[:-1].isalnum())):
        return False
    return not (after and (after[0].isalnum() or (after[0] in "-._" and after[1:].isalnum())))


def _is_word(value: str) -> bool:
    return compiled(r"[a-z]{3,20}").fullmatch(value) is not None


def _names(data: object) -> Iterator[str]:
    """Texts of a document in which a word may stand that is a password elsewhere: names, labels, images."""
    stack: list[tuple[str, object]] = [("", data)]
    seen: set[int] = set()
    while stack:
        key, node = stack.pop()
        if isinstance(node, (dict, list)):
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, dict):
                stack.extend((str(k), v) for k, v in node.items())
            else:
                stack.extend((key, item) for item in node)
        elif isinstance(node, str) and key in ("name", "namespace", "image", "app", "app.kubernetes.io/name"):
            yield node


def _forms(value: str) -> Iterator[str]:
    """The forms in which programs write a value: raw, base64, URL-encoded, escaped."""
    for text in dict.fromkeys((value, value.strip())):
        yield from _escaped(text)
        raw = text.encode("utf-8", "surrogatepass")
        encoded = binascii.b2a_base64(raw, newline=False).decode()
        for form in dict.fromkeys((encoded, encoded.replace("+", "-").replace("/", "_"))):
            yield from (form, form.rstrip("="))
        if not _UNRESERVED.issuperset(text):
            for safe in ("", "/", "!$&'()*+,;=:@/", "!'()*"):
                quoted = "".join(chr(b) if chr(b) in _UNRESERVED or chr(b) in safe else f"%{b:02X}" for b in raw)
                for form in (quoted, quoted.replace("%20", "+")):
                    yield form
                    yield compiled(r"%[0-9A-F]{2}").sub(lambda match: match[0].lower(), form)


def _escaped(text: str) -> Iterator[str]:
    """Raw, and as a string of JSON, YAML, Python, HTML; JSON once more inside one of those."""
    yield text
    if text.isascii() and text.isalnum():
        return

    inside = [json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
    yield from inside
    yield from (json.dumps(inside[0])[1:-1], inside[0].replace("'", "''"), inside[1].replace("'", "''"))
    yield "".join(map(_yaml_escape, text))
    yield text.replace("'", "''")
    yield repr(text)[1:-1]
    html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield html
    yield html.replace('"', "&quot;").replace("'", "&#x27;")
    yield html.replace('"', "&#34;").replace("'", "&#39;")
    yield html.replace('"', "&quot;").replace("'", "&apos;")


def _yaml_escape(char: str) -> str:
    """A character inside double quotes of YAML, in the way of PyYAML and ruamel.yaml with ASCII output."""
    short = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e", "\xa0": "\\_"}
    code = ord(char)
    if char in short or 32 <= code < 127:
        return short.get(char, char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _telling_lines(text: str) -> Iterator[str]:
    """The lines of a secret that are secrets themselves; not the headings, comments and settings among them."""
    for line in text.splitlines():
        line = line.strip().lstrip("- ").rstrip(",").strip("\"'")
        if len(line) < _SHORTEST or line.startswith(("#", "//")) or is_common(line):
            continue
        setting = compiled(r"[\"']?+([\w.\-/ ]++)[\"']?+\s*+[:=]\s*+(.*)").fullmatch(line)
        if setting is None:
            if not compiled(r"\[[^\]]*\]|[\W_]+|[A-Za-z]{1,12}[:;{(]*").fullmatch(line):
                yield line
        elif not setting[2].strip("="):
            # The padding of base64 is no sign of a setting.
            if "=" in line and ":" not in line:
                yield line
        elif _is_telling(setting[1], value := setting[2].strip("\"' ,")):
            yield value


def _is_telling(key: str, value: str) -> bool:
    """Whether the ``value`` of a setting in a secret is one itself; a few words are only behind a strong ``key``."""
    if len(value) < _SHORTEST or is_common(value) or not _is_worth_learning(key, value):
        return False
    return key_strength(key) > 1 or not compiled(r"(?=.{,24}$)[A-Za-z]+(?:[ ._\-][A-Za-z]+)*").fullmatch(value)


def _template_literals(line: str) -> Iterator[str]:
    """The literal text in a template that stands for a secret, such as a default."""
    for pair in all_pairs(line)[:1]:
        if key_strength(pair.key) > 1 and key_words(pair.key)[-1] not in ("secret", "secrets", "credentials"):
            for groups in compiled(_TEMPLATE_LITERAL).findall(line):
                yield from (value for value in groups if value and _is_worth_learning("", value))


def _secret_data(document: str) -> Iterator[tuple[str, str]]:
    """(key, value) of what stands below ``data`` and ``stringData`` in the text of a Secret, however it is indented."""
    inside, depth = False, -1
    for line in document.splitlines():
        content = line.strip()
        indent = len(line) - len(line.lstrip())
        pairs = all_pairs(line)
        if inside and content and (not pairs or indent > depth >= 0):
            # Lines of a value, or of a file that is a value.
            yield from (("", telling) for telling in _telling_lines(content) if not telling.startswith("{{"))
            continue
        for pair in pairs:
            if pair.key in ("data", "stringData") and pair.value[:1] in ("", "{", "["):
                inside, depth = True, -1
            elif inside and pair.key in _AFTER_DATA:
                inside = False
            elif inside:
                depth = indent
                yield from _given(pair)


def _given(pair: Pair) -> Iterator[tuple[str, str]]:
    """The key and the value of ``pair``, unless that follows, or a template gives it."""
    if pair.quoted:
        yield pair.key, pair.value
    elif not compiled(_BLOCK_HEADER).fullmatch(pair.value) and not pair.value.startswith("{{"):
        yield pair.key, pair.value.rstrip(",}").strip("\"'")


def _scalar(source: str) -> str:
    """The value of a YAML scalar as it stands in its file, near enough to recognise it: without quotes and indents."""
    header = compiled(rf"{_BLOCK_HEADER}\r?\n").match(source)
    if header:
        lines = source[header.end() :].splitlines()
        indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        return "\n".join(line[indent:] for line in lines).strip()
    text = (
        compiled(r"\A(?:[!&]\S*+\s++)++").sub("", source.strip(), count=1)
        if source.lstrip()[:1] in "!&"
        else source.strip()
    )
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else text


def _masked(text: str, spans: list[_Span]) -> str:
    """``text`` with ``spans`` replaced; those that overlap become one, with the number of the first or given one."""
    merged: list[_Span] = []
    for span in sorted(spans, key=lambda span: (span.start, not span.given, -span.end)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            merged.append(span)
        else:
            ordinal = span.ordinal if span.given and not last.given else last.ordinal
            merged[-1] = _Span(last.start, max(last.end, span.end), ordinal, last.given or span.given)
    pieces: list[str] = []
    position = 0
    for span in merged:
        pieces.append(text[position : span.start])
        pieces.append(_mask(text[span.start : span.end], span))
        position = span.end
    return "".join(pieces) + text[position:]


def _mask(piece: str, span: _Span) -> str:
    """The mark for ``piece``; on every line that is not blank when it has several, behind the indentation."""
    mark = f"\u2039redacted#{span.ordinal}\u203a"
    if "\n" not in piece:
        return mark
    lines: list[str] = []
    for number, line in enumerate(piece.split("\n")):
        content = line.rstrip("\r")
        if number == 0 and span.given and compiled(_BLOCK_HEADER).fullmatch(content):
            lines.append(line)
            continue
        # Text that was searched may be a diff: its + and - stay.
        prefix = compiled(r"[ \t]*" if span.given else r"(?:[+ ]|-(?!-))?[ \t]*").match(content)
        kept = prefix[0] if prefix and number else ""
        lines.append((kept + mark if content[len(kept) :].strip() else kept) + line[len(content) :])
    return "\n".join(lines)
