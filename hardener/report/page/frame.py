"""What is around every page: its head with the content security policy, its script, its end."""

from __future__ import annotations

import base64
import hashlib
import os

from hardener import __version__


def opened(title: str, style: str, script: str) -> str:
    """Return a page up to the begin of its body. ``title`` is HTML; nothing but ``style`` and ``script`` has effect."""
    policy = f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
"""


def closed(script: str, data: str = "") -> str:
    """Return the end of a page. ``data`` are elements that ``script`` reads."""
    made = f"Made by harden {__version__}. This page loads nothing and sends nothing."
    return f"<footer><p>{made}</p></footer>\n{data}<script>{script}</script>\n</body>\n</html>\n"


def select(name: str, label: str, options: list[tuple[str, str]]) -> str:
    """Return a field of a filter: values and texts of ``options`` are HTML."""
    rest = "".join(f'<option value="{value}">{text}</option>' for value, text in options)
    return (
        f'<div><label for="{name}">{label}</label><select id="{name}" name="{name}">'
        f'<option value="">all</option>{rest}</select></div>'
    )


def bar(value: int, level: str) -> str:
    """Return a bar for the eye: ``value`` of 100, in the colour of ``level`` (good, middling, bad)."""
    return (
        f'<svg class="bar {level}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="track" width="100" height="8"/><rect class="fill" width="{value}" height="8"/></svg>'
    )


def asset(name: str) -> str:
    """Return the text of the file ``name`` beside this module."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def digest(text: str) -> str:
    """What a content security policy calls an element that holds ``text``."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
