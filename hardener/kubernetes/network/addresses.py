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
_COMMAND_SIGNS = (";", "|", "&", "(", "`")  # a command begins behind them
_BEFORE_PROGRAM = frozenset("until while if ! then do exec sudo".split())
# What stands around a name that is meant as a host; "" is the start or the end of the text.
_BETWEEN_ADDRESSES = ("", ",", ";")
_BEFORE_NAME = (*_BETWEEN_ADDRESSES, " ", '"', "'", "[")
_BEFORE_STRANGER = (*_BETWEEN_ADDRESSES, " ", "=", '"', "'")
_BEFORE_WORD = ("", " ", "\t", '"', "'")
_BEHIND_WORD = ("", " ", "\t", "\n", '"', "'", ";", "/", ")", "|")
_LEAST_PORT = 20  # a smaller number is more often something else


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
    if form is Form.VALUE and ("\n" in text or len(text) > _SINGLE):
        form = Form.TEXT
    text = _filled(text)
    reader = _Reader(text, key, form)
    strangers = strangers and key_strength(key) < 2
    # A lone word that is no Service is looked at in a URL, and before what may be a port.
    behind = ":" if strangers and form is not Form.TEXT else ""
    for match in _RUN.finditer(text):
        start, end = match.span()
        if match[0] in services:
            yield from _service(reader, match)
        elif "." in match[0] or text[start - 1 : start] == "/" or text[end : end + 1] == behind:
            yield from _other(reader, match, services, namespaces, strangers)


def _filled(text: str) -> str:
    """``text`` with the defaults of its expressions, or a sign in place of them, and with the line ends that are
    written as in a string of a string."""
    if "\\n" in text:
        text = text.replace("\\n", "\n")
    if "$" in text or "{{" in text:
        text = _EXPRESSION.sub(lambda match: match[1] or BLANK, text)
    return text


def _service(reader: _Reader, match: re.Match[str]) -> Iterator[Address]:
    """An address whose host is the name of a Service and no more."""
    found = reader.name(match.start(), match.end())
    if found is not None and not reader.in_comment(match.start()):
        yield Address(match[0], found[0], found[1], True)


def _other(
    reader: _Reader, match: re.Match[str], services: Collection[str], namespaces: Collection[str], strangers: bool
) -> Iterator[Address]:
    """An address whose host is more than the name of a Service, or no Service at all."""
    run = match[0].lstrip(".-")
    start, end = match.end() - len(run), match.end()
    if not run or run[-1] == "-":
        return
    run = run.rstrip(".")
    if len(run) > _LONGEST or "_" in run:
        return
    host = run.lower()
    known = any(name.service in services for name in meanings(host))
    if (not known and not strangers) or reader.in_comment(start):
        return
    labels = host.split(".")
    if known:
        found = _known(reader, start, end, labels, services, namespaces)
        if found is not None:
            yield Address(host, found[0], found[1], True)
    elif BLANK not in host:
        port = reader.stranger(start, end, labels)
        if port is not None:
            yield Address(host, port or None, True, False)


def _known(
    reader: _Reader, start: int, end: int, labels: list[str], services: Collection[str], namespaces: Collection[str]
) -> tuple[int | None, bool] | None:
    """Port and firmness of a host that can be a Service of the tree; None where it is not meant as a host."""
    if len(labels) == 1:  # a name in capitals: only where nothing else can stand
        return reader.name(start, end) if reader.in_url(start) else None
    if is_in_cluster(labels, services, namespaces):
        return reader.port(end) or (None, True)
    found = reader.name(start, end)
    return found if found is not None and found[1] else None  # redis.conf is a file


def _may_be_host(labels: list[str]) -> bool:
    """Whether ``labels`` are an address of IPv4, or a name that a machine elsewhere may have."""
    host = ".".join(labels)
    if _NO_HOST.fullmatch(host):
        return False
    is_name = any(letter.isalpha() for letter in labels[-1]) and all(map(_LABEL.fullmatch, labels))
    return is_name or _IPV4.fullmatch(host) is not None


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
        if self._is_user(end) or self._is_key(end):
            return None
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        port = self.port(end)
        number = port[0] if port else None
        if before == "@" or self.in_url(start):
            return number, True
        if after == ":" and port is None:
            return None  # a scheme, a tag, a key
        if before == "/":
            return (number, True) if port and self.text.startswith("//", start - 2) else None
        if self._continues_address(before, start):
            return number, True
        inner = self._inner_key(start)
        if port:
            return None if _last_word(inner or self.key) in _IMAGE_WORDS else (number, True)
        return self._name_without_port(start, end, inner)

    def _is_key(self, end: int) -> bool:
        """Whether a value of its own follows: ``Redis(host="redis", db=0)`` names no host db."""
        behind = self.text[end : end + 3].lstrip(" ")
        return behind.startswith("=") and behind[1:2] not in ("=", ">")

    def _is_user(self, end: int) -> bool:
        """Whether the user of a URL ends here: ``user@``, ``user:password@``."""
        after = self.text[end : end + 1]
        return after == "@" or (after == ":" and _PASSWORD.match(self.text, end) is not None)

    def _continues_address(self, before: str, start: int) -> bool:
        """Whether a scheme stands before the place (``tcp:redis``), or an address and a comma."""
        if before == ":":
            return self._prefix(start - 1) in _SCHEMES
        return before == "," and "://" in self._word(start)

    def _name_without_port(self, start: int, end: int, inner: str | None) -> tuple[int | None, bool] | None:
        """The same, for a name without a port and outside of any URL; ``inner`` is the key before it."""
        if inner is not None:
            if is_address_key(inner):
                return None, True
            if is_service_key(inner):
                return None, False
            if self.form is not Form.WORD:
                return None
        if self._directive(start):
            return self._number_behind(end), True
        if self.form is Form.TEXT:
            return (None, True) if self._listed(start) else None
        if self.form is Form.WORD:
            return self._in_command(start, end, inner)
        return self._in_value(start, end)

    def _in_value(self, start: int, end: int) -> tuple[int | None, bool] | None:
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        if self.says_address and before in _BEFORE_NAME and after not in ("=", "."):
            return None, True
        is_whole = self.bare == self.text[start:end]
        return (None, False) if is_whole and not self.says_other else None

    def _in_command(self, start: int, end: int, inner: str | None) -> tuple[int | None, bool] | None:
        name = self.text[start:end]
        if self.bare == name:
            return None, self.says_address
        if inner is not None:  # --cache=redis
            is_value = self.one_word and self.bare.endswith(name) and _last_word(inner) not in _OTHER_WORDS
            return (None, False) if is_value else None
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        if before not in _BEFORE_WORD or after not in _BEHIND_WORD:
            return None
        program = self._program(start)
        if program is None or program in _NOT_CLIENTS:
            return None
        number = self._number_behind(end)
        return number, number is not None or program.rpartition("/")[2] in _CLIENTS

    def _program(self, start: int) -> str | None:
        """The program of the command that the place is a word of."""
        head = self._head(start)
        cut = max(head.rfind(sign) for sign in _COMMAND_SIGNS)
        words = (word for word in head[cut + 1 :].split() if word not in _BEFORE_PROGRAM and "=" not in word)
        return next(words, None)

    def stranger(self, start: int, end: int, labels: list[str]) -> int | None:
        """The port, 0 where none is written, of a host that is no Service of the tree; None where it is no host."""
        if self._is_user(end) or not _may_be_host(labels):
            return None
        port = self.port(end)
        if port is None and self.text[end : end + 1] == ":":
            return None
        behind = self.text[end : end + _AROUND].split(None, 1)
        if behind and "@" in behind[0]:
            return None  # perhaps a part of a password
        number = (port[0] or 0) if port else 0
        if self.form is Form.TEXT:
            is_meant = self._is_stranger_of_text(start, labels, has_port=port is not None)
        else:
            is_meant = self._is_stranger_of_value(start, end, labels, number)
        return number if is_meant else None

    def _is_stranger_of_text(self, start: int, labels: list[str], *, has_port: bool) -> bool:
        """Whether a host in a text of many settings stands where an address stands."""
        if "svc" in labels[2:]:
            return True  # whatever stands around it, it is the name of a Service
        inner = self._inner_key(start)
        if inner is None or not is_address_key(inner):
            return False
        if self._in_url_with_user(start):
            return True
        return len(labels) > 1 and (has_port or _IPV4.fullmatch(".".join(labels)) is not None)

    def _is_stranger_of_value(self, start: int, end: int, labels: list[str], port: int) -> bool:
        """Whether a host in one value or word stands where an address stands; ``port`` is 0 where none is written."""
        if self._in_url_with_user(start):
            return True
        before, inner = self.text[start - 1 : start], self._inner_key(start)
        if before not in _BEFORE_STRANGER or _last_word(inner or self.key) in _IMAGE_WORDS:
            return False
        says = is_address_key(inner) if inner is not None else self.says_address
        if says and len(labels) > 1 and (self.form is not Form.WORD or self.one_word):
            return True
        is_pair = port >= _LEAST_PORT and self._is_pair(start, end) and len(".".join(labels)) > 1
        return is_pair and (says or inner is None)

    def _is_pair(self, start: int, end: int) -> bool:
        """Whether a host and its port stand by themselves: ``a:1,b:2``, ``key=a:1``."""
        before = self.text[start - 1 : start]
        behind = self.text[end + 1 : end + 7].lstrip("0123456789")[:1]
        return (before in _BETWEEN_ADDRESSES or before == "=") and behind in _BETWEEN_ADDRESSES

    def _in_url_with_user(self, start: int) -> bool:
        """Whether the host of a URL begins here, behind its user where it has one."""
        return self.in_url(start) or (self.text[start - 1 : start] == "@" and "://" in self._word(start))

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
