"""Text that acts on nothing where it is printed: no terminal, no log of a pipeline, no direction of reading.

A name may be anybody's. What moves a cursor, turns the direction of a text or takes no room is shown as an escape, and
what a runner of jobs reads as a command to it no longer is one: GitHub Actions takes a line that begins with ``::`` or
holds ``##[``, Azure Pipelines ``##vso[``, TeamCity ``##teamcity[``.
"""

from __future__ import annotations

import re

from hardener.support.late_pattern import late_pattern

# C0, C1; soft hyphen, fillers, marks of direction, what joins or separates without width, ends of lines, tags.
_UNSEEN = (
    "\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_COMMAND = r"##(?=\[|vso\[|teamcity\[)"
# What is not shown as it is: in a name, in a line, in lines, in lines that stay, in the strings of a JSON text.
_IN_NAME = late_pattern(f"[\x00-\x1f{_UNSEEN}\ud800-\udfff]|{_COMMAND}")
_IN_LINE = late_pattern(f"[\x00-\x08\x0a-\x1f{_UNSEEN}]|{_COMMAND}|^\\s*:(?=:)")
_IN_LINES = late_pattern(f"(?m)(?!\r$)[\x00-\x08\x0b-\x1f{_UNSEEN}]|{_COMMAND}|^[^\\S\n]*:(?=:)")
_IN_TEXT = late_pattern(f"(?m){_COMMAND}|^[^\\S\n]*:(?=:)")
_IN_JSON = late_pattern(f"[{_UNSEEN}]|{_COMMAND}")


def plain(name: str) -> str:
    """``name`` on one line of its own, with everything in it seen."""
    return _calm(_IN_NAME, name)


def plain_line(line: str) -> str:
    """A whole line of output: as plain(), tabs stay, and it begins no command."""
    if line.isascii() and line.isprintable() and "##" not in line and "::" not in line:
        return line  # nearly always
    return _calm(_IN_LINE, line)


def plain_lines(text: str) -> str:
    """Lines of output, each as plain_line(); a carriage return before the end of a line stays."""
    return _calm(_IN_LINES, text)


def without_commands(text: str) -> str:
    """Lines of output that are to stay as they are, but for those that a runner of jobs would take for a command."""
    if "##" not in text and "::" not in text:
        return text
    return _calm(_IN_TEXT, text)


def seen_in_json(text: str) -> str:
    """A JSON text that means the same, with what would not be seen in its strings written as escapes."""
    if text.isascii() and "##" not in text and "\x7f" not in text:
        return text
    return _IN_JSON.sub(lambda found: "".join(map(_json_escape, found[0])), text)


def _calm(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(_escaped, text) if pattern.search(text) else text


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    if text[-1:] in ("#", ":"):  # a command: its last sign as an escape, so that it is none
        return f"{text[:-1]}\\x{ord(text[-1]):02x}"
    code = ord(text)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
