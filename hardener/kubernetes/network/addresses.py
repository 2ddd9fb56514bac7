"""Addresses of Services in any text: values of variables, words of commands, configuration files of any format.

A text is cut once into runs of the letters that host names are made of. A run counts where it is the name of a Service
and stands where an address stands (behind ``://`` or ``@``, before ``:6379``, as the value of a key such as ``host``),
or where it can be nothing else (``redis.shop.svc``). Time is linear in the text: each run costs one look into the set
of names, and what is read around it is bounded.

Sources: how drivers write addresses (JDBC, libpq, MongoDB, Redis, AMQP, ADO.NET), nginx, HAProxy, Envoy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from hardener.kubernetes.network.service_names import BLANK, is_in_cluster, meanings
from hardener.kubernetes.secrets.secret_words import key_strength, key_words
from hardener.support.late_pattern import late_pattern


class Form(Enum):
    """What a text is: the whole value of a setting, a word of a command, a text of many settings."""

    VALUE = "value"
    WORD = "word"
    TEXT = "text"


class Address(NamedTuple):
    """A host as written, in lower case, and its port where one is written.

    ``firm``: it stands where an address stands, it is not only the same word. ``known``: the host can be a Service of
    the tree; others are told apart by ``is_outside``.
    """

    host: str
    port: int | None
    firm: bool
    known: bool


# Of ${NAME:-redis} (shells, Compose) and ${NAME:redis} (Spring) the default counts; $(curl ...) is a part of a script.
_EXPRESSION = late_pattern(
    r"\$\([A-Za-z_][\w.-]{0,200}\)|\$\{[\w.-]{1,100}:[-=]?([^{}\n?+=-][^{}\n]{0,200})\}|\$\{[^{}\n]{0,200}\}"
    r"|\{\{[^{}\n]{0,200}\}\}|\$[A-Za-z_]\w{0,100}",
    re.A,
)
_RUN = re.compile(r"[A-Za-z0-9_.\0-]+")
_PORT = re.compile(r":(\d{1,5}|\0)(?![\w-]|[.:]\w)", re.A)
_PASSWORD = re.compile(r":[^\s@/\"',;]{0,128}@")
_BEHIND_NAME = late_pattern(r"[ \t]+(\d{2,5})(?![\w.:-])", re.A)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NO_HOST = re.compile(r"cluster\.local|localhost|.*\.localhost|0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.255\.255\.\d+")
_KEY_BACKWARDS = re.compile(r"[\w.-]{1,120}", re.A)
_AROUND = 256  # how far around a run the text is looked at
_LIST = 2000  # how far above a list the key is looked for
_LONGEST = 253  # of a host name
_SINGLE = 4096  # a value that is longer is a text

# The last word of a key whose value is an address.
_ADDRESS_WORDS = frozenset(
    "host hosts hostname hostnames addr addrs address addresses url urls uri uris endpoint endpoints server servers"
    " broker brokers upstream upstreams backend backends node nodes seed seeds target targets peer peers proxy proxies"
    " dsn svc master primary replica replicas slave sentinel sentinels remote origin origins gateway connect connection"
    " string conn contactpoints points join destination destinations collector listener listeners dns fqdn"
    " authority members discovery quorum resolver resolvers forward datasource link sink hub api registry callback"
    " webhook ensemble zookeeper bootstrap".split()
)
_GLUED = late_pattern(r"(?:hosts?|hostname|addr|address|urls?|uri|endpoints?|servers?|brokers?|upstream)$")
_DNS_WORDS = frozenset("query queries name names record records".split())
_TELEMETRY = frozenset("otel dd datadog apm tracing trace jaeger zipkin telemetry newrelic".split())
_CLUSTERING = frozenset("kubernetes k8s cluster clustering discovery headless peer peers dns gossip jgroups".split())
# Where only a blank stands between a key and its value, the key is one of these.
_DIRECTIVE = late_pattern(
    r"(?i)-h|-H|-u|--?[\w-]*(?:host|addr|address|url|uri|endpoint|server|servers|broker|brokers|peer|target|upstream)"
    r"|host|hosts|hostname|address|addr|url|uri|server|endpoint|upstream|remote|target|broker|brokers|forward|proxy_pass"
    r"|connect|bootstrap|replicaof|slaveof|backend"
)
# The last word of a key whose value is the name of something else.
_OTHER_WORDS = frozenset(
    "name names user users username login password passwd pass pwd secret token database db dbname schema catalog"
    " keyspace type kind mode profile profiles active engine driver dialect level namespace namespaces ns app"
    " application component role env environment id label labels index topic topics queue queues exchange vhost bucket"
    " prefix suffix group groups org organization realm project image images repository tag version path dir directory"
    " folder file title job jobs class command cmd storage provider method strategy format language scope tenant zone"
    " region description comment attributes module modules plugin plugins feature features".split()
)
_IMAGE_WORDS = frozenset("image images tag repository user owner chown".split())
_SCHEMES = frozenset("tcp udp tls ssl dns http https np lpc redis amqp mongodb kafka server host addr".split())
# Programs whose words are about the names of things, not about hosts.
_NOT_CLIENTS = frozenset(
    "kubectl helm echo printf apt-get apt apk yum dnf pip npm cd mkdir cp mv rm ls chown chmod touch ln useradd adduser"
    " export set source exec cat grep sed awk find tar git docker su sudo test [ systemctl service".split()
)
# Programs whose words are hosts.
_CLIENTS = frozenset(
    "nc ncat netcat telnet nslookup dig host getent ping curl wget psql pg_isready mysql mysqladmin mariadb redis-cli"
    " mongo mongosh cqlsh kcat kafkacat amqp-publish wait-for wait-for-it wait-for-it.sh wait4x dockerize socat grpcurl"
    " ab wrk hey k6 etcdctl memcstat rabbitmqadmin nats".split()
)
_BLANKS = " \t\"'`\\"


def find(
    text: str,
    services: Collection[str],
    namespaces: Collection[str] = (),
    *,
    key: str = "",
    form: Form = Form.VALUE,
    strangers: bool = False,
) -> Iterator[Address]:
    """The addresses in ``text``, in order, one of them perhaps more than once.

    ``services`` are the names of the Services that there are, ``namespaces`` those of namespaces; ``key`` is the key of
    a value, or the word before a word. ``strangers``: hosts that are no such Service are wanted as well.
    """
    if form is not Form.TEXT and ("\n" in text or len(text) > _SINGLE):
        form = Form.TEXT if form is Form.VALUE else form
    if "\\n" in text:  # in a string of a string
        text = text.replace("\\n", "\n")
    if "$" in text or "{{" in text:
        text = _EXPRESSION.sub(lambda match: match[1] or BLANK, text)
    reader = _Reader(text, key, form)
    strangers = strangers and key_strength(key) < 2
    # A lone word that is no Service is looked at in a URL, and before what may be a port.
    behind = ":" if strangers and form is not Form.TEXT else ""
    for match in _RUN.finditer(text):
        run = match[0]
        if run in services:
            found = reader.name(match.start(), match.end())
            if found is not None and not reader.in_comment(match.start()):
                yield Address(run, found[0], found[1], True)
        elif (
            "." in run
            or text[match.start() - 1 : match.start()] == "/"
            or text[match.end() : match.end() + 1] == behind
        ):
            yield from _other(reader, match, services, namespaces, strangers)


def _other(
    reader: _Reader, match: re.Match[str], services: Collection[str], namespaces: Collection[str], strangers: bool
) -> Iterator[Address]:
    """An address whose host is more than the name of a Service, or no Service at all."""
    start, end = match.span()
    run = match[0]
    if run[-1] in ".-" or run[0] in ".-":
        if run[-1] == "-" or run.strip(".-") == "":
            return
        start += len(run) - len(run.lstrip(".-"))
        run = reader.text[start:end].rstrip(".")
    if len(run) > _LONGEST or "_" in run:
        return
    host = run.lower()
    labels = host.split(".")
    known = any(name.service in services for name in meanings(host))
    if (not known and not strangers) or reader.in_comment(start):
        return
    if known:
        if len(labels) == 1:  # a name in capitals: only where nothing else can stand
            found = reader.name(start, end) if reader.in_url(start) else None
        elif is_in_cluster(labels, services, namespaces):
            found = reader.port(end) or (None, True)
        else:
            found = reader.name(start, end)
            found = found if found is not None and found[1] else None  # redis.conf is a file
        if found is not None:
            yield Address(host, found[0], found[1], True)
    elif BLANK not in host:
        port = reader.stranger(start, end, labels)
        if port is not None:
            yield Address(host, port or None, True, False)


def is_address_key(key: str) -> bool:
    """Whether the value of ``key`` is an address, as far as its last word tells: REDIS_ADDR, bootstrap.servers."""
    last = _last_word(key)
    if last in _ADDRESS_WORDS or _GLUED.search(last) is not None:
        return True
    return last in _DNS_WORDS and "dns" in key_words(key[-_AROUND:])  # jgroups.dns.query


def is_service_key(key: str) -> bool:
    """Whether the value of ``key`` is the name of a Service: KAFKA_SERVICE_NAME. Telemetry calls the own name so."""
    words = key_words(key[-_AROUND:])
    named = words[-2:] == ("service", "name") and not key.endswith("service.name")  # an attribute of OpenTelemetry
    return named and _TELEMETRY.isdisjoint(words)


def finds_peers(key: str) -> bool:
    """Whether ``key`` says that members of one application find each other by its value."""
    return not _CLUSTERING.isdisjoint(key_words(key[-_AROUND:]))


def _last_word(key: str) -> str:
    words = key_words(key[-_AROUND:])
    return words[-1] if words else ""


class _Reader:
    """Tells where in a text something stands."""

    def __init__(self, text: str, key: str, form: Form) -> None:
        self.text = text
        self.form = form
        self.key = key

    # Most texts name nothing that these would have to be known for.

    @cached_property
    def says_address(self) -> bool:
        return is_address_key(self.key) or _DIRECTIVE.fullmatch(self.key) is not None

    @cached_property
    def says_other(self) -> bool:
        is_named = _last_word(self.key) in _OTHER_WORDS and not is_service_key(self.key)
        return is_named or key_strength(self.key) > 0

    @cached_property
    def bare(self) -> str:
        return self.text.strip(" \t\r\n\"'")

    @cached_property
    def one_word(self) -> bool:
        return " " not in self.bare

    def in_url(self, start: int) -> bool:
        return start >= 3 and self.text.startswith("://", start - 3)

    def port(self, end: int) -> tuple[int | None, bool] | None:
        """The port behind a host, None inside where it is filled in later; None where there is no legal one."""
        if self.text[end : end + 1] != ":":
            return None
        match = _PORT.match(self.text, end)
        if match is None:
            return None
        if match[1] == BLANK:
            return None, True
        port = int(match[1])
        return (port, True) if 0 < port < 65536 else None

    def name(self, start: int, end: int) -> tuple[int | None, bool] | None:
        """Port and firmness of the name of a Service at this place; None where it is not meant as a host."""
        text = self.text
        before, after = text[start - 1 : start], text[end : end + 1]
        if after == "@" or (after == ":" and _PASSWORD.match(text, end)):
            return None  # a user
        port = self.port(end)
        number = port[0] if port else None
        if before == "@" or self.in_url(start):
            return number, True
        if after == ":" and port is None:
            return None  # a scheme, a tag, a key
        if before == "/":
            return (number, True) if port and start >= 2 and text.startswith("//", start - 2) else None
        if before == ":" and self._prefix(start - 1) in _SCHEMES:
            return number, True
        if before == "," and "://" in self._word(start):
            return number, True
        inner = self._inner_key(start)
        if port:
            return None if _last_word(inner or self.key) in _IMAGE_WORDS else (number, True)
        if inner is not None:
            if is_address_key(inner):
                return number, True
            if is_service_key(inner):
                return number, False
            if self.form is not Form.WORD:
                return None
        if self._directive(start):
            return self._number_behind(end), True
        if self.form is Form.TEXT:
            return (None, True) if self._listed(start) else None
        if self.form is Form.VALUE:
            if self.says_address and before in ("", ",", ";", " ", '"', "'", "[") and after not in ("=", "."):
                return number, True
            return (number, False) if self.bare == text[start:end] and not self.says_other else None
        return self._in_command(start, end, inner)

    def _in_command(self, start: int, end: int, inner: str | None) -> tuple[int | None, bool] | None:
        text = self.text
        if self.bare == text[start:end]:
            return None, self.says_address
        if inner is not None and self.one_word and self.bare.endswith(text[start:end]):
            return None if _last_word(inner) in _OTHER_WORDS else (None, False)  # --cache=redis
        if inner is not None or text[start - 1 : start] not in ("", " ", "\t", '"', "'"):
            return None
        if text[end : end + 1] not in ("", " ", "\t", "\n", '"', "'", ";", "/", ")", "|"):
            return None
        line = text.rfind("\n", max(0, start - _AROUND), start) + 1
        head = text[max(line, start - _AROUND) : start]
        cut = max(head.rfind(sign) for sign in (";", "|", "&", "(", "`"))
        words = head[cut + 1 :].split()
        while words and (words[0] in ("until", "while", "if", "!", "then", "do", "exec", "sudo") or "=" in words[0]):
            del words[0]
        if not words or words[0] in _NOT_CLIENTS:
            return None
        number = self._number_behind(end)
        return number, number is not None or words[0].rpartition("/")[2] in _CLIENTS

    def stranger(self, start: int, end: int, labels: list[str]) -> int | None:
        """The port, 0 where none is written, of a host that is no Service of the tree; None where it is no host."""
        text, host = self.text, ".".join(labels)
        after = text[end : end + 1]
        if after == "@" or (after == ":" and _PASSWORD.match(text, end)) or _NO_HOST.fullmatch(host):
            return None
        number = _IPV4.fullmatch(host) is not None
        if not number and (labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels))):
            return None
        if not number and not any(letter.isalpha() for letter in labels[-1]):
            return None
        port = self.port(end)
        if after == ":" and port is None:
            return None
        behind = text[end : end + _AROUND].split(None, 1)
        if behind and "@" in behind[0]:
            return None  # perhaps a part of a password
        plain = port[0] or 0 if port else 0
        before = text[start - 1 : start]
        in_url = self.in_url(start) or (before == "@" and "://" in self._word(start))
        inner = self._inner_key(start)
        says = is_address_key(inner) if inner is not None else self.says_address
        if self.form is Form.TEXT:
            if "svc" in labels[2:]:
                return plain  # whatever stands around it, it is the name of a Service
            sure = says and inner is not None and (len(labels) > 1 or in_url)
            return plain if sure and (in_url or port or number) else None
        if in_url:
            return plain
        if before not in ("", ",", ";", " ", "=", '"', "'") or _last_word(inner or self.key) in _IMAGE_WORDS:
            return None
        if len(labels) > 1 and says and not (self.form is Form.WORD and not self.one_word):
            return plain
        whole = before in ("", ",", ";", "=") and text[end + 1 : end + 7].lstrip("0123456789")[:1] in ("", ",", ";")
        return plain if port and plain >= 20 and whole and (says or not inner) and len(host) > 1 else None

    def in_comment(self, start: int) -> bool:
        return self.form is not Form.VALUE and self._head(start).lstrip().startswith("#")

    def _prefix(self, end: int) -> str:
        match = _KEY_BACKWARDS.match(self.text[max(0, end - 12) : end][::-1])
        return match[0][::-1].lower() if match else ""

    def _word(self, start: int) -> str:
        """What stands before a place without a blank or quote between."""
        head = self.text[max(0, start - _AROUND) : start]
        return re.split(r"[\s\"'<>]", head)[-1]

    def _head(self, start: int) -> str:
        first = max(0, start - _AROUND)
        return self.text[max(first, self.text.rfind("\n", first, start) + 1) : start]

    def _inner_key(self, start: int) -> str | None:
        """The key inside the text whose value stands at ``start``: ``host=``, ``"host": "``, ``hosts: [a, ``."""
        head = self._head(start).rstrip(_BLANKS + "[({")
        if head.endswith(","):
            cut = max(head.rfind("["), head.rfind("="), head.rfind(": "))
            if cut < 0:
                return None
            head = head[: cut + 1].rstrip(_BLANKS + "[")
        if not head or head[-1] not in ":=>":
            return None
        head = head.rstrip(":=>" + _BLANKS)
        match = _KEY_BACKWARDS.match(head[::-1])
        return match[0][::-1] if match else None

    def _directive(self, start: int) -> bool:
        """Whether a word before a blank says that an address follows: ``server redis;``, ``-h redis``."""
        head = self._head(start)
        stripped = head.rstrip(" \t\"'")
        if stripped == head.rstrip("\"'"):
            return False
        match = _KEY_BACKWARDS.match(stripped[::-1])
        return match is not None and _DIRECTIVE.fullmatch(match[0][::-1]) is not None

    def _listed(self, start: int) -> bool:
        """Whether the place is an item of a YAML list under a key of addresses."""
        if self._head(start).strip(" \t\"'") != "-":
            return False
        above = self.text[max(0, start - _LIST) : start].split("\n")[:-1]
        for line in reversed(above):
            plain = line.strip()
            if not plain.startswith("-"):
                return plain.endswith(":") and is_address_key(plain[:-1].strip("\"' "))
        return False

    def _number_behind(self, end: int) -> int | None:
        """The port that follows a host as a word of its own: ``nc -z redis 6379``."""
        match = _BEHIND_NAME.match(self.text, end)
        return int(match[1]) if match and 0 < int(match[1]) < 65536 else None
