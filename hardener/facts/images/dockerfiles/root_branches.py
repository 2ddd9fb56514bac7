"""What a script does whoever runs it: without the branches that it takes for root alone.

`if [ "$(id -u)" = 0 ]; then chown ...; exec gosu app "$0"; fi` is how images start as root, and work as another user.
`if [ "$(id -u)" != 0 ]; then exit 1; fi` is how they do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

_WHO = (
    r"(?:\$\(\s*id\s+-[a-z]{0,4}u[a-z]{0,4}\s*\)|`id\s+-[a-z]{0,4}u[a-z]{0,4}`|\$\(\s*whoami\s*\)|`whoami`"
    r"|\$?\{?\bE?UID\b(?::-[^}]*)?\}?)"
)
_ASKS = re.compile(r"\bid\s+-[a-z]{0,4}u[a-z]{0,4}\b|\$\{?E?UID\b|\(\(\s*E?UID\b|\bwhoami\b")
_KEPT = re.compile(r"(?:^|[\s;])(\w+)=[\"']?(?:\$\(|`)\s*(?:id\s+-[a-z]{0,4}u|whoami)")
_IF = re.compile(r"(?:^|[;&|]|\bthen|\belse|\bdo)\s*if\b")
_FI = re.compile(r"(?:^|[;}])\s*fi\b")
_ELSE = re.compile(r"\s*else\b")
_LEAVES = re.compile(r"(?:^|[;&|{]|\bthen)\s*(?:exec\b|exit\s+0\b)")
_RETURNS = re.compile(r"(?:^|[;&|{]|\bthen)\s*return\b")  # from a function, of which the end is not looked for
_ENDS = re.compile(r"(?:^|[;&|{]|\bthen)\s*(?:exit\b(?!\s+0\b)|die\b|fatal\b)")
_COPES = re.compile(r"\|\|\s*(?:true\b|:(?:\s|;|\Z))")
_MOST_LINES = 5000
_LONGEST_LINE = 2000


class AnyUser(Struct):
    """The lines that run as any user, others blank, and the number of the line that ends the script for any but root;
    0 without one."""

    text: str
    ends: int = 0


class _Branch(Struct):
    """The lines of an `if`: its body, what stands behind `else`, and the line of its end."""

    body: range
    other: range
    end: int


def as_any_user(script: str) -> AnyUser | None:
    """What ``script`` does as any user; None where it looks at its user in a way that is not understood."""
    lines = [_plain(line) for line in script.split("\n")]
    if len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines):
        return None
    names = {match[1] for line in lines for match in _KEPT.finditer(line)}
    asks = _ASKS if not names else re.compile(rf"{_ASKS.pattern}|\$\{{?(?:{'|'.join(sorted(names))})\b")
    tests = _tests(names)
    found = AnyUser("")
    at = 0
    while at < len(lines):
        line = lines[at]
        if not asks.search(line):
            lines[at] = ";".join("" if _COPES.search(part) else part for part in line.split(";"))
            at += 1
        elif _KEPT.search(line) and not _IF.search(line):
            at += 1
        else:
            next_one = _branch(lines, at, tests, found)
            if next_one is None:
                return None
            at = next_one
    found.text = "\n".join(lines)
    return found


def _plain(line: str) -> str:
    return "" if line.lstrip().startswith("#") else line


def _tests(names: set[str]) -> re.Pattern[str]:
    """A test whether the user is root: its sign, in a bracket that `!` may stand before."""
    who = rf"(?:{_WHO}|\$\{{?(?:{'|'.join(sorted(names))})\b\}}?)" if names else _WHO
    return re.compile(
        rf"(?P<not>!\s*(?:\[{{1,2}}\s*)?|\[\s+!\s+)?[\"']?{who}[\"']?\s*(?P<sign>==?|-eq|!=|-ne|-gt)\s*[\"']?(?:0|root)\b"
    )


def _branch(lines: list[str], at: int, tests: re.Pattern[str], found: AnyUser) -> int | None:
    """Blank what the line ``at`` and those that belong to it do for root alone, and return the line behind; None where
    that is not understood."""
    line = lines[at]
    test = tests.search(line)
    if test is None:
        return None
    is_of_root = (test["sign"] in ("=", "==", "-eq")) != bool(test["not"])
    if not _IF.search(line):
        return _one_line(lines, at, line[test.end() :], is_of_root, found)
    branch = _of_if(lines, at)
    if branch is None or (branch.end == at and _goes_on(line.rpartition("fi")[2])):
        return None
    of_root, of_others = (branch.body, branch.other) if is_of_root else (branch.other, branch.body)
    others = [line[test.end() :]] if branch.end == at and not is_of_root else [lines[number] for number in of_others]
    if branch.end == at:
        lines[at] = ""
    for number in of_root:
        lines[number] = ""
    return _behind(lines, branch.end + 1, others, at, found)


def _one_line(lines: list[str], at: int, rest: str, is_of_root: bool, found: AnyUser) -> int | None:
    """The same of `[ "$(id -u)" = 0 ] && ...`, of which ``rest`` stands behind the test."""
    sign = re.search(r"&&|\|\|", rest)
    if sign is None:
        return None
    runs_as_root = is_of_root == (sign[0] == "&&")
    end = at
    while lines[end].rstrip().endswith("\\") and end + 1 < len(lines):
        end += 1
    text = [rest, *lines[at + 1 : end + 1]]
    if runs_as_root and any(map(_goes_on, text)):
        return None
    if runs_as_root:
        lines[at : end + 1] = [""] * (end + 1 - at)
        return end + 1
    return _behind(lines, end + 1, text, at, found)


def _goes_on(rest: str) -> bool:
    """Whether another command stands in ``rest`` that does not belong to the test: braces are taken for its own."""
    return ";" in rest and "{" not in rest


def _behind(lines: list[str], behind: int, others: Sequence[str], at: int, found: AnyUser) -> int | None:
    """The line where what runs as any user goes on, where ``others`` is what any but root does before; None where that
    is not understood."""
    if any(map(_RETURNS.search, others)):
        return None
    if any(map(_LEAVES.search, others)):
        lines[behind:] = [""] * (len(lines) - behind)
        return len(lines)
    if any(map(_ENDS.search, others)):
        found.ends = found.ends or at + 1
    return behind


def _of_if(lines: list[str], at: int) -> _Branch | None:
    """The parts of the `if` in the line ``at``; None where its end is not found."""
    depth, other = 0, 0
    for number in range(at, len(lines)):
        line = lines[number]
        if depth == 1 and _ELSE.match(line):
            other = number
        depth += len(_IF.findall(line)) - len(_FI.findall(line))
        if depth <= 0:
            if number == at:
                return _Branch(range(0), range(0), at)
            body_end = other or number
            return _Branch(range(at + 1, body_end), range(other + 1, number) if other else range(0), number)
        if depth == 1 and number > at and re.match(r"\s*elif\b", line):
            return None
    return None
