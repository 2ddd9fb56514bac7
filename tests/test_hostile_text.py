"""No text makes a pattern search for ever: each is read to its end, where a slip would take hours."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECONDS = 120  # for all; some seconds, where the time grows as the text does
LONG = 400_000  # its square takes minutes

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
    "folders before no key": "secret_text.all_pairs('a/' * LONG)",
    "blanks behind a private key": (
        "list(secret_formats.structured('-----BEGIN PRIVATE KEY-----' + ' ' * LONG + '!'))"
    ),
    "blanks before a certificate key": (
        "list(secret_formats.structured('--certificate-key' + ' ' * LONG))"
    ),
    "blanks before a sign": "list(redactor._telling_lines('a' + ' ' * LONG + 'b'))",
    "empty lines": "redactor.Redactor().learn_text('\\n' * LONG)",
    "properties of a node": "redactor._scalar('!' * LONG)",
    "blanks in rows of tokens": "static_tokens.file_rows(('aaaaaa,' + ' ' * 4000 + '\\n') * 200)",
    "blanks in a selector": "kustomize_target._REQUIREMENT.match('a==' + ' ' * LONG + '!')",
    "openings of expressions": "view.literal('${' * LONG)",
    "braces": "view.literal('{{' * LONG)",
    "parentheses": "view.literal('$(' * LONG)",
    "who may write": "run_commands._WORLD.fullmatch('o' * LONG)",
    "a variable of a port": "command_evidence._PORT_ENV.fullmatch('LISTEN_' * LONG + '!')",
    "a label like a version": "passing_labels._VALUE.fullmatch('1.2' * LONG + '!')",
    "hosts of a route": "ingress._HOST.findall('Host(' * LONG)",
    "a duration": "component_values.seconds('1' * LONG + 'x')",
    "a name of capitals": "dialects.of_openapi('A' * LONG)",
    "a number of a format": "masks._PERCENT.sub('', '%' + '0' * LONG + 'z')",
    "names of a format": "masks._PERCENT.sub('', '%(' * LONG)",
    "the time of a token": "bootstrap_token_ttl._SCRIPT_ENDLESS.search('kubeadm init ' * (LONG // 13))",
    "empty lines of a map of roles": "__import__('re').split(aws_auth_masters._ENTRY, 'x' + '\\n' * LONG)",
    "a folder of a cache": "_host_path._CACHE.fullmatch('/cache' * LONG + '\\n')",
    "empty lines of a Dockerfile": "sources._FETCH.search('\\n' * LONG)",
    "blanks before an instruction": "sources._FETCH.search(' ' * LONG)",
    "flags of ADD": "sources._FETCH.search('ADD ' + '--a ' * (LONG // 4))",
    "blanks at the end of a line": "wrapping.wrapped('a' + ' ' * LONG, 80)",
}  # fmt: skip

_BEFORE = f"""
from hardener.kubernetes.pods import command_evidence
from hardener.kubernetes.components import flag_values as component_values
from hardener.kubernetes.network import ingress
from hardener.kubernetes.kustomize import target as kustomize_target
from hardener.kubernetes.network import passing_labels
from hardener.kubernetes.secrets import secret_formats
from hardener.kubernetes.secrets import secret_text
from hardener.kubernetes.secrets import secret_values
from hardener.kubernetes.components import static_tokens
from hardener.facts.images.dockerfiles import run_commands
from hardener.facts.network.connections import sources
from hardener.sources.python.libraries import dialects
from hardener.sources.python.texts import masks
from hardener.report import redactor
from hardener.report.terminal import wrapping
from hardener.tree import view
from transforms.authentication import bootstrap_token_ttl
from transforms.cloud import aws_auth_masters
from transforms.workload import _host_path
LONG = {LONG}
yes = lambda key, value: True
"""


@pytest.mark.slow
def test_a_long_text_is_read_to_its_end() -> None:
    steps = "".join(f"print({name!r}, flush=True)\n{read}\n" for name, read in TEXTS.items())
    try:
        subprocess.run([sys.executable, "-c", _BEFORE + steps], check=True, timeout=SECONDS, capture_output=True)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"has no end: {(error.stdout or b'').decode().splitlines()[-1]}")
