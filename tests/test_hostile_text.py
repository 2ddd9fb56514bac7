"""No text makes a pattern search for ever: each is read to its end, where a slip would take hours."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECONDS = 60  # what each has; milliseconds, where the time grows as the text does
LONG = 1_000_000

# (what reads it, the text)
TEXTS = {
    "a word with a sign in a comment": (
        "list(secret_values.comment_secrets('# password: ' + 'abcd' * 20 + '0'))"
    ),
    "a sentence with a sign in a comment": (
        "list(secret_values.comment_secrets('# token: \"' + 'the word, ' * 20_000 + '0\"'))"
    ),
    "options of htpasswd": "list(secret_text.command_secrets('htpasswd -' + 'b' * LONG, yes))",
    "words of htpasswd": "list(secret_text.command_secrets('htpasswd -b ' + 'a b ' * (LONG // 4) + '&&', yes))",
    "a long word of htpasswd": "list(secret_text.command_secrets('htpasswd -b ' + 'a' * LONG + ' \\x01 ;', yes))",
    "htpasswd again and again": "list(secret_text.command_secrets('htpasswd -b a ' * (LONG // 14), yes))",
    "signs of curl": "list(secret_text.command_secrets('curl -u ' + '=' * LONG, yes))",
    "backslashes behind a key": "secret_text.all_pairs('password: \\\\\"' + '\\\\' * LONG)",
}  # fmt: skip

_BEFORE = f"""
from hardener.kubernetes import secret_text, secret_values
LONG = {LONG}
yes = lambda key, value: True
"""


@pytest.mark.parametrize("read", TEXTS.values(), ids=TEXTS)
def test_a_long_text_is_read_to_its_end(read: str) -> None:
    subprocess.run([sys.executable, "-c", _BEFORE + read], check=True, timeout=SECONDS)
