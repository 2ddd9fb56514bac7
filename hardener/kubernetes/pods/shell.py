"""Words of a container's command read as shell: simple commands, their programs, and where their output goes.

Read as far as a reader would: redirections, `cd`, wrappers such as `exec` or `timeout`, scripts in scripts; text in
quotes, comments and here-documents is not a command. Nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct, field

from hardener.support.late_pattern import late_pattern


class Command(Struct):
    """One simple command: its words without redirections, and the files it redirects output to."""

    words: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)


_LEXEME = late_pattern(
    r"(?P<joined>\\\n)"
    r"|(?P<newline>\n)"
    r"|(?P<blank>[ \t\r\f\v]+)"
    r"|(?P<heredoc><<-?(?!<)[ \t]*(?:'[^'\n]*'|\"[^\"\n]*\"|\\?[A-Za-z0-9_]+))"
    r"|(?P<input>[0-9]*<(?:<<|&|>)?)"
    r"|(?P<output>[0-9]*>>?[|&]?|&>>?)"
    r"|(?P<separator>;;&?|&&|\|\||\|&|[;&|()])"
    r"|(?P<substitution>\$\(|`)"
    r"|(?P<parameter>\$\{[^{}\n]*\})"
    r"|(?P<single>'[^']*')"
    r'|(?P<double>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<escaped>\\.)"
    r"|(?P<text>[^\s\\'\"`$<>;&|()0-9]+|[0-9]+|.)",
    re.DOTALL,
)
_SCRIPT_SIGN = late_pattern(r"[\s;&|<>`]|\$\(")
_ASSIGNMENT = late_pattern(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_RESERVED = frozenset({"then", "do", "else", "elif", "if", "while", "until", "!", "time", "{", "}", "fi", "done"})
# A string behind these is text or another language, not shell.
_NOT_SHELL = frozenset(
    {"awk", "echo", "jq", "mongo", "mongosh", "mysql", "node", "perl", "php", "printf", "psql", "python", "python2"}
    | {"python3", "ruby", "sed", "grep", "egrep", "lua", "Rscript", "clickhouse-client", "cqlsh", "sqlite3"}
)
SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "su", "eval"})
# Programs that run another one; the number is how many operands stand before it.
_WRAPPERS = {
    **dict.fromkeys(("exec", "nohup", "env", "command", "builtin", "nice", "ionice", "setsid", "stdbuf", "xargs"), 0),
    **dict.fromkeys(("sudo", "tini", "dumb-init", "catatonit", "busybox", "time", "unshare", "nsenter", "setpriv"), 0),
    **dict.fromkeys(("go-runner", "kube-log-runner"), 0),  # in the images of Kubernetes, by its two names
    **dict.fromkeys(("timeout", "gosu", "su-exec", "chroot", "flock", "runuser", "setarch"), 1),
}
_FLAGS_WITH_VALUE = {
    "sudo": frozenset({"-u", "-g", "--user", "--group"}),
    "nice": frozenset({"-n"}),
    "env": frozenset({"-u", "-C"}),
    "xargs": frozenset({"-I", "-n", "-P", "-L", "-d", "-a"}),
    "timeout": frozenset({"-s", "-k"}),
    "nsenter": frozenset({"-t", "--target", "-S", "-G"}),
    "ionice": frozenset({"-c", "-n"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    **dict.fromkeys(("go-runner", "kube-log-runner"), frozenset({"-log-file", "--log-file"})),
}
_ENDS_OF_COMMANDS = frozenset({"newline", "separator", "substitution"})  # lexemes
_DEEPEST = 4  # scripts within scripts
MOST_WRAPPERS = 10  # in one command; what stands behind them is not read

# In a list of plain words, such a word begins a command of its own: an exec hook stands behind command and args.
_STARTERS = frozenset(
    {"adduser", "apk", "apt-get", "arping", "chmod", "chown", "chrome", "chromium", "cp", "crond", "dnf", "gosu"}
    | {"iptables", "kubectl", "microdnf", "mkdir", "modprobe", "mount", "mv", "nmap", "nsenter", "postfix", "setcap"}
    | {"strace", "su", "su-exec", "sudo", "sysctl", "tcpdump", "tee", "touch", "traceroute", "unshare", "useradd"}
    | {"yum"}
)


def _name(word: str) -> str:
    """The program a command word means: its base name, for a bare name or a path into a bin directory."""
    if "/" not in word:
        return word
    directory, _, base = word.rpartition("/")
    return base if directory.endswith("bin") else word


def commands(words: Iterable[object]) -> tuple[Command, ...]:
    return _read(tuple([word for word in words if isinstance(word, str)]))


def script_commands(text: str) -> tuple[Command, ...]:
    """The simple commands of ``text``, a whole shell script, in order."""
    return tuple(_script(text, 0))


def started(words: Iterable[object]) -> tuple[str, ...]:
    """Every program that ``words`` start, each once, in the order in which they are started first."""
    return _started(tuple([word for word in words if isinstance(word, str)]))


@lru_cache(maxsize=1024)  # as the commands: they are asked about one kind of programs after the other
def _started(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(program for program, _ in runs(_read(words))))


@lru_cache(maxsize=1024)  # each transform asks for the commands of all containers in turn
def _read(words: tuple[str, ...]) -> tuple[Command, ...]:
    found: list[Command] = []
    current = Command()
    for word in words:
        if _SCRIPT_SIGN.search(word):
            if not _is_text(current.words):
                found.extend(_script(word, 0))
            current.words.append(word)
        elif current.words and _name(word) in _STARTERS:
            found.append(current)
            current = Command([word])
        else:
            current.words.append(word)
    found.append(current)
    return tuple(command for command in found if command.words or command.targets)


def _is_text(before: Sequence[str]) -> bool:
    """Whether what follows these words is text or another language: `echo`, `python -c`, the value of a long flag."""
    if before and before[-1].startswith("--") and before[-1] != "--" and not any(_name(w) in SHELLS for w in before):
        return True
    for word in reversed(before):
        if not word.startswith("-"):
            return _name(word).rstrip("0123456789.") in _NOT_SHELL or _name(word) in _NOT_SHELL
    return False


def _script(text: str, depth: int) -> Iterator[Command]:
    """The simple commands of a shell script, in order."""
    return _ScriptReader(text, depth).commands()


class _ScriptReader:
    """Reads a shell script, ``depth`` scripts deep in others, lexeme by lexeme."""

    def __init__(self, text: str, depth: int) -> None:
        self._text, self._depth = text, depth
        self._position = 0
        self._command = Command()
        self._word: list[str] | None = None  # parts of the word being read
        self._role: Literal["word", "target", "input"] = "word"  # of that word
        self._heredocs: list[tuple[str, bool]] = []  # delimiters, and whether tabs before them count
        self._nested: list[Command] = []  # of scripts in the words of the command

    def commands(self) -> Iterator[Command]:
        while self._position < len(self._text):
            match = _LEXEME.match(self._text, self._position)
            if match is None:  # cannot happen: the last alternative takes any character
                break
            self._position, kind, lexeme = match.end(), match.lastgroup, match[0]
            if kind in _ENDS_OF_COMMANDS:
                yield from self._end_command()
                if kind == "newline":
                    self._skip_heredocs()
            elif kind == "text" and self._word is None and lexeme.startswith("#"):
                self._skip_comment(match.start())
            else:
                self._take(kind, lexeme)
        yield from self._end_command()

    def _take(self, kind: str | None, lexeme: str) -> None:
        """Take in a lexeme inside of a command."""
        if kind == "blank":
            self._end_word()
        elif kind == "heredoc":
            self._end_word()
            delimiter = lexeme.lstrip("<-").strip(" \t").strip("'\"\\")
            self._heredocs.append((delimiter, lexeme.startswith("<<-")))
        elif kind == "input":
            self._end_word()
            self._role = "input"
        elif kind == "output":
            self._take_output(lexeme)
        elif kind in ("single", "double"):
            self._take_quoted(kind, lexeme)
        elif kind != "joined":
            self._add(lexeme[1:] if kind == "escaped" else lexeme)

    def _take_output(self, sign: str) -> None:
        if self._word is not None and sign[0].isdigit():  # `file2>x` is the word file2
            self._word.append(sign[: len(sign) - len(sign.lstrip("0123456789"))])
        self._end_word()
        self._role = "input" if sign.endswith("&") else "target"

    def _take_quoted(self, kind: str, lexeme: str) -> None:
        substitutions = [at for at in (lexeme.find("$("), lexeme.find("`")) if at >= 0] if kind == "double" else []
        if substitutions:
            self._read_script(lexeme[min(substitutions) : -1])
        inner = lexeme[1:-1]
        if self._command.words and _runs_script(self._command.words):
            self._read_script(inner)
        self._add(inner)

    def _read_script(self, text: str) -> None:
        if self._depth < _DEEPEST:
            self._nested.extend(_script(text, self._depth + 1))

    def _add(self, part: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(part)

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, role = "".join(self._word), self._role
        self._word, self._role = None, "word"
        if role == "target":
            self._command.targets.append(word)
        elif role == "word" and (self._command.words or not _is_before_program(word)):
            self._command.words.append(word)

    def _end_command(self) -> Iterator[Command]:
        self._end_word()
        self._role = "word"
        if self._command.words or self._command.targets:
            yield self._command
        yield from self._nested
        self._command, self._nested = Command(), []

    def _skip_comment(self, start: int) -> None:
        end = self._text.find("\n", start)
        self._position = len(self._text) if end < 0 else end

    def _skip_heredocs(self) -> None:
        for delimiter, indented in self._heredocs:
            self._position = _behind_heredoc(self._text, self._position, delimiter, indented)
        self._heredocs = []


def _is_before_program(word: str) -> bool:
    """Whether ``word`` stands before the program of a command and is no part of it: `then`, `NAME=value`."""
    return word in _RESERVED or _ASSIGNMENT.match(word) is not None


def _runs_script(words: Sequence[str]) -> bool:
    return words[-1].startswith("-") and words[-1].endswith("c") and any(_name(word) in SHELLS for word in words)


def _behind_heredoc(text: str, position: int, delimiter: str, indented: bool) -> int:
    start = position
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if (line.lstrip("\t") if indented else line).rstrip() == delimiter:
            return end
        start = end + 1
    return len(text)


def runs(commands: Iterable[Command]) -> Iterator[tuple[str, list[str]]]:
    """(program, its arguments) for every program that is started, those behind wrappers included."""
    for command in commands:
        words = command.words
        start = 0
        for _ in range(MOST_WRAPPERS):
            if start >= len(words):
                break
            program = _name(words[start])
            arguments = words[start + 1 :]
            yield program, arguments
            if "-exec" in arguments and program == "find":
                start += 2 + arguments.index("-exec")
                continue
            if program not in _WRAPPERS:
                break
            start = _behind_wrapper(program, words, start + 1)


def _behind_wrapper(program: str, words: Sequence[str], start: int) -> int:
    operands = _WRAPPERS[program]
    while start < len(words):
        word = words[start]
        if word.startswith("-"):
            start += 2 if word in _FLAGS_WITH_VALUE.get(program, ()) else 1
        elif _ASSIGNMENT.match(word):
            start += 1
        elif operands:
            operands -= 1
            start += 1
        else:
            break
    return start


def unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))
