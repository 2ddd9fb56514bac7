"""What a port is asked in the first words of its protocol, what it answers, and whether two answers are the same.

A protocol is known by what it says first, by the name and number of a port, else by trying. An answer shows that a
workload does its work where the protocol has no login before it.
Sources: RFC 9110 (HTTP), 5321 (SMTP), 9051 (IMAP), 1939 (POP3), 959 (FTP), 4253 (SSH), 1035 (DNS), 1350 (TFTP), 4511
(LDAP); MQTT 3.1.1; AMQP 0-9-1, 2.2.4; redis.io/docs/reference/protocol-spec;
postgresql.org/docs/current/protocol-message-formats; dev.mysql.com, "Protocol::HandshakeV10"; docs.nats.io/reference;
memcached doc/protocol.txt; rsync csprotocol.txt and clientserver.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

Asks = Callable[[int, str, bool, list[str], bool], "Heard"]
"""Asks a port: its number, "tcp" or "udp", whether with TLS, the words, and whether it may speak first."""
_FAST, _SLOW = 1.0, 5.0  # seconds
_SHOWN = 60  # characters of an answer
_COMPARED = 24  # characters of a page
_MOST_PORTS, _MOST_PATHS = 16, 8


class Heard(Struct, frozen=True):
    """What came of a question: whether the port took it, the first bytes as a text, and after how many seconds."""

    taken: bool
    said: str = ""
    seconds: float = 0.0


class Protocol(Struct, frozen=True):
    """``words`` are said one after the other; with ``greets`` the port speaks first. ``reply`` finds in an answer what
    is compared (its groups), and ``works`` in that what shows work. ``login``: work begins behind one. ``names`` and
    ``ports`` are those of ports that speak it, ``greeting`` how it begins to speak, ``transports`` over what.
    ``word_for``: the word that asks for one of the things that an answer to ``words`` lists; ``listed`` finds these.
    """

    name: str
    words: tuple[str, ...]
    reply: re.Pattern[str]
    works: re.Pattern[str]
    greeting: re.Pattern[str] | None = None
    names: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()
    login: bool = False
    transports: tuple[str, ...] = ("tcp",)
    word_for: str = ""
    listed: re.Pattern[str] = re.compile("(?!)")

    @property
    def greets(self) -> bool:
        return self.greeting is not None


def _protocol(
    name: str, words: Iterable[str], reply: str, works: str, greeting: str | None = None, names: str = "",
    ports: Iterable[int] = (), *, login: bool = False, transports: tuple[str, ...] = ("tcp",),
) -> Protocol:  # fmt: skip
    compiled = re.compile(greeting, re.S) if greeting is not None else None
    return Protocol(
        name, tuple(words), re.compile(reply, re.S), re.compile(works, re.S), compiled,
        frozenset(names.split()), frozenset(ports), login, transports,
    )  # fmt: skip


_ANY = ".+"
_CODES = r"(?m)^(\d{3})[ -]"
HTTP = _protocol(
    "HTTP", (), r"HTTP/\d(?:\.\d)? (\d{3})", r"[23]\d\d", names="http http2 web ws h2c kubernetes.io/ws",
)  # fmt: skip
_NOTHING = _protocol("TCP", (), "(?!)", "(?!)")
_CONNECT_OF_MQTT = "\x10\x12\0\4MQTT\4\2\0\x3c\0\6harden"
_PUBLISH_OF_MQTT = "\x33\x15\0\x0eharden/observe\0\1\x20ok"  # kept by the broker, and acknowledged
_STARTUP_OF_POSTGRESQL = "\0\0\0\x29\0\3\0\0user\0postgres\0database\0postgres\0\0"
_QUERY_OF_DNS = "\x4f\x42\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"  # the servers of the root
_READ_OF_TFTP = "\0\1harden-observe\0octet\0"  # a file that is not there: who looks for it answers with error 1
_BIND_OF_LDAP = "\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"
PROTOCOLS = (
    _protocol(
        "SSH",
        ("SSH-2.0-harden\r\n",),
        r"(SSH-[\d.]+)-[^\n]*\n(?:....)?.?(\x14)?",
        "(?!)",
        "SSH-",
        "ssh sftp",
        (22, 2222),
        login=True,
    ),
    _protocol("FTP", ("SYST\r\n", "QUIT\r\n"), _CODES, "(?!)", r"220[ -][^\n]*(?i:ftp)", "ftp", (21, 2121), login=True),
    _protocol(
        "SMTP",
        ("EHLO observe.invalid\r\n", "NOOP\r\n", "QUIT\r\n"),
        _CODES,
        "(?!)",
        r"220[ -]",
        "smtp submission",
        (25, 587, 2525),
        login=True,
    ),
    _protocol(
        "IMAP",
        ("a CAPABILITY\r\n", "b LOGOUT\r\n"),
        r"(?m)^(?:a|b|\*) (OK|NO|BAD|BYE)",
        "(?!)",
        r"\* (?:OK|PREAUTH)",
        "imap imaps",
        (143,),
        login=True,
    ),
    _protocol(
        "POP3", ("CAPA\r\n", "QUIT\r\n"), r"(?m)^([+-](?:OK|ERR))", "(?!)", r"\+OK", "pop3 pop3s", (110,), login=True
    ),
    _protocol("MySQL", (), r"^...\0(\x0a|\xff)", r"\x0a", r"...\0(?:\x0a|\xff)", "mysql mariadb", (3306,)),
    _protocol("NATS", ("CONNECT {}\r\nPING\r\n",), r"(INFO |\+OK|PONG|-ERR)", "PONG", "INFO ", "nats", (4222,)),
    _protocol("Redis", ("PING\r\n",), r"^([+-][A-Z]+)", r"\+PONG", names="redis valkey", ports=(6379, 26379)),
    _protocol(
        "PostgreSQL",
        (_STARTUP_OF_POSTGRESQL,),
        r"^(?:(R)|E.*?\0C(\w{5}))",
        "R",
        names="postgres postgresql",
        ports=(5432, 6432),
    ),
    _protocol("AMQP", ("AMQP\0\0\x09\1",), "^(\1\0\0|AMQP)", "\1", names="amqp amqps", ports=(5672,)),
    _protocol(
        "MQTT",
        (_CONNECT_OF_MQTT, _PUBLISH_OF_MQTT),
        "^(\x20\2.[\0-\5])(\x40\2)?",
        "\0[^@]*\x40",
        names="mqtt mqtts",
        ports=(1883,),
    ),
    _protocol(
        "memcached", ("version\r\n",), r"^(VERSION|ERROR)", "VERSION", names="memcache memcached", ports=(11211,)
    ),
    _protocol(
        "LDAP", (_BIND_OF_LDAP,), "^\x30.{1,5}?\2\1\1(\x61)", "(?!)", names="ldap", ports=(389, 1389), login=True
    ),
    _protocol(
        "DNS",
        (_QUERY_OF_DNS,),
        r"^(?:..)?OB[\x80-\xff](.)",
        r"[\x00-\xff]",
        names="dns dns-tcp domain",
        ports=(53, 5353),
        transports=("tcp", "udp"),
    ),
    Protocol(
        "rsync",
        ("@RSYNCD: 31.0\n#list\n",),
        # Modules, or what comes of asking for one.
        re.compile(r"(?m)^([^@\s]\S*)[ ]*\t|^@(ERROR: [^\n]*|RSYNCD: (?:OK|AUTHREQD))"),
        re.compile("RSYNCD: OK"),
        re.compile("@RSYNCD: "),
        frozenset(("rsync", "rsyncd")),
        frozenset((873,)),
        word_for="@RSYNCD: 31.0\n{}\n",
        listed=re.compile(r"[^\s@]+"),
    ),
    _protocol("TFTP", (_READ_OF_TFTP,), "^\0([\3\5]\0.)", "\3|\0\1", names="tftp", ports=(69,), transports=("udp",)),
)
_BY_NAME = {protocol.name: protocol for protocol in (*PROTOCOLS, HTTP, _NOTHING)}
_PORTS_OF_UDP = frozenset(port for each in PROTOCOLS if "udp" in each.transports for port in each.ports)
_TLS_NAMES = frozenset(
    ("https", "tls", "ssl", "imaps", "pop3s", "smtps", "amqps", "mqtts", "ldaps", "kubernetes.io/wss")
)
_TLS_PORTS = frozenset((443, 465, 636, 993, 995, 5671, 6443, 8443, 8883, 9443))


class Path(Struct, frozen=True):
    """What HTTP is asked for, and under the name of which host ("": its address)."""

    path: str = "/"
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Hint(Struct, eq=False):
    """What a tree says of a port: ``names`` of its protocol, and ``paths`` of HTTP."""

    names: set[str] = field(default_factory=set)
    paths: list[Path] = field(default_factory=list)


class Question(Struct, frozen=True):
    """A question at a ``port`` ("8080/tcp") in a protocol by its name."""

    port: str
    protocol: str
    secure: bool = False
    path: Path = Path()

    def __str__(self) -> str:
        of_a_list = "" if self.path == Path() else " module"  # its name is what the other side printed
        how = f"GET {self.path.path}" if self.protocol == HTTP.name else f"{self.protocol}{of_a_list}"
        return f"{self.port} {'TLS ' if self.secure else ''}{how}"


class Answer(Struct, frozen=True):
    """What came of a ``question``: ``said`` in the words that are compared, ``works`` whether that shows work, ``pace``
    0 for at once, 1 for soon, 2 for late; ``first`` is how a page begins."""

    question: Question
    said: str
    works: bool = False
    pace: int = 0
    first: str = ""

    def __str__(self) -> str:
        return f"{self.question} {'something' if self.is_output else self.said}"

    @property
    def is_output(self) -> bool:
        """Whether ``said`` is a text of the other side."""
        return self.is_unexplained or (self.is_spoken and bool(_BY_NAME[self.question.protocol].word_for))

    @property
    def is_unexplained(self) -> bool:
        """Whether it is none that the protocol has."""
        return self.said.startswith("?")

    @property
    def is_behind_login(self) -> bool:
        """Whether it spoke, and its work begins behind a login."""
        return _BY_NAME[self.question.protocol].login and self.is_spoken

    @property
    def is_spoken(self) -> bool:
        """Whether anything was said at all."""
        return self.said not in _SILENT


_REFUSED, _SAID_NOTHING = "refused", "no answer"
_SILENT = (_REFUSED, _SAID_NOTHING)


def asked(asks: Asks, question: Question) -> Answer:
    """Ask ``question``."""
    number, _, transport = question.port.partition("/")
    protocol = _BY_NAME[question.protocol]
    words = _words(protocol, question.path)
    if protocol.name == "DNS" and transport == "tcp":
        words = [f"\0{chr(len(words[0]))}{words[0]}"]
    heard = asks(int(number), transport, question.secure, words, protocol.greets or protocol is _NOTHING)
    return _answer(question, protocol, heard)


def discovered(asks: Asks, port: str, hint: Hint) -> Iterator[Answer]:
    """What ``port`` answers, in the protocol that it turns out to speak."""
    first = next(iter(_tries(asks, port, hint)), None)
    if first is None:
        yield asked(asks, Question(port, _NOTHING.name))
        return
    yield first
    paths = hint.paths if first.question.protocol == HTTP.name else _listed(first)
    for path in paths[:_MOST_PATHS]:
        if path != first.question.path:
            yield asked(asks, replace(first.question, path=path))


def _listed(answer: Answer) -> list[Path]:
    """What ``answer`` lists that can be asked for, too."""
    return [Path(name) for name in _BY_NAME[answer.question.protocol].listed.findall(answer.said)]


def _words(protocol: Protocol, path: Path) -> list[str]:
    """What is said to ask for ``path``."""
    if protocol is HTTP:
        return [_get(path)]
    return list(protocol.words) if path == Path() else [protocol.word_for.format(path.path)]


def is_asked(port: str) -> bool:
    """Whether anybody asks at ``port``: at those of TCP, and of UDP at those of a protocol that is asked there."""
    number, _, transport = port.partition("/")
    return transport == "tcp" or int(number) in _PORTS_OF_UDP


def most(ports: Collection[str]) -> list[str]:
    """The ports that are asked of ``ports``."""
    return sorted(filter(is_asked, ports), key=lambda port: int(port.partition("/")[0]))[:_MOST_PORTS]


def _tries(asks: Asks, port: str, hint: Hint) -> Iterator[Answer]:
    """The answers of ``port`` in protocols that it speaks, the likeliest first."""
    number, _, transport = port.partition("/")
    names = {name.lower() for name in hint.names}
    spoken = [each for each in PROTOCOLS if transport in each.transports]
    known = [each for each in spoken if names & each.names or int(number) in each.ports]
    if transport == "udp":
        yield from _spoken(asks, [Question(port, each.name) for each in known])
    elif greeting := asks(int(number), transport, False, [], True).said:  # who speaks first is asked nothing else
        greeted = (each for each in PROTOCOLS if each.greeting is not None and each.greeting.match(greeting))
        yield from _spoken(asks, [Question(port, each.name) for each in islice(greeted, 1)])
    else:
        secure = bool(names & _TLS_NAMES) or int(number) in _TLS_PORTS
        yield from _silent_tries(asks, port, [each.name for each in (*known, HTTP) if not each.greets], secure)


def _silent_tries(asks: Asks, port: str, protocols: Sequence[str], secure: bool) -> Iterator[Answer]:
    """The answers of ``port``, which waits to be spoken to, in each of ``protocols``: first as ``secure`` says."""
    refused: list[Answer] = []
    for safe in (secure, not secure):
        yield from _spoken(asks, [Question(port, name, safe) for name in protocols], refused)
    yield from refused


def _spoken(asks: Asks, questions: Iterable[Question], refused: list[Answer] | None = None) -> Iterator[Answer]:
    """The answers in which a protocol is known. One of HTTP that may be refused for want of TLS goes to ``refused``."""
    for question in questions:
        answer = asked(asks, question)
        if not answer.is_spoken or answer.is_unexplained:
            continue
        if refused is not None and question.protocol == HTTP.name and answer.said == "400" and not question.secure:
            refused.append(answer)
        else:
            yield answer


def _get(path: Path) -> str:
    given = {name.lower() for name, _ in path.headers}
    default = {"Host": path.host or "observe.invalid", "User-Agent": "harden-observe", "Accept": "*/*"}
    lines = [f"{name}: {value}" for name, value in default.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in path.headers]
    clean = [re.sub(r"[^\x20-\x7e]", "", line) for line in (f"GET {path.path or '/'} HTTP/1.1", *lines)]
    return "\r\n".join([*clean, "Connection: close", "", ""])


def _answer(question: Question, protocol: Protocol, heard: Heard) -> Answer:
    if not heard.taken:
        return Answer(question, _REFUSED)
    if not heard.said:
        return Answer(question, _SAID_NOTHING)
    found = [group for match in protocol.reply.finditer(heard.said) for group in match.groups() if group]
    pace = 0 if heard.seconds < _FAST else 1 if heard.seconds < _SLOW else 2
    if not found:
        return Answer(question, f"? {_plain(heard.said)}", pace=pace)
    text = " ".join(found[:1] if protocol is HTTP else found)
    body = heard.said.partition("\r\n\r\n")[2] if protocol is HTTP else ""
    return Answer(question, _shown(text), protocol.works.search(text) is not None, pace, _plain(body)[:_COMPARED])


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)[:_SHOWN]


def _plain(text: str) -> str:
    """The begin of an answer that no protocol explains, without what is another one each time."""
    line = re.sub(r"[0-9a-fA-F]{6,}|\d+", "#", text.splitlines()[0] if text.splitlines() else "")
    return _shown(line)


def difference(before: Answer, after: Answer) -> str | None:
    """What is another answer now, in one line; None where they are the same."""
    if after.said != before.said:
        return f"{before.question} was answered with {before.said}, and now: {after.said}"
    if before.first and after.first != before.first:
        return f"{before.question} is another page than before"
    if after.pace >= before.pace + 2:
        return f"{before.question} was answered at once, and now late"
    return None


def steady(first: Iterable[Answer], second: Iterable[Answer]) -> list[Answer]:
    """The answers that are the same when they are asked for twice, and of their pages what is; the others say nothing
    of a change."""
    again = {answer.question: answer for answer in second}
    found = []
    for answer in first:
        other = again.get(answer.question)
        if other is not None and other.said == answer.said:
            found.append(answer if other.first == answer.first else replace(answer, first=""))
    return found
