"""What of a program is a secret in reports: texts and comments, and no word of its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.kubernetes.secrets.secret_text import may_hold_secret
from hardener.report.redactor import Redactor
from hardener.sources.python.texts.texts_and_keys import texts_and_keys

from ..conftest import ROOT, Harden, commit, git, write

POD = """\
from kubernetes import client

POD = client.V1PodSpec(
    automount_service_account_token=False,
    containers=[client.V1Container(name="main", image="example.com/main:1")],
)
"""


@pytest.mark.parametrize(
    "line",
    [
        "f(automount_service_account_token=False, more=1)", '{"automountServiceAccountToken": False, "a": False}',
        "f(password=settings.DB_PASSWORD, user=1)", "f(token=get_token(), a=1)",
        "def f(token: str | None = None, a=1):", "password: Optional[str] = None", "f(token=token)",
        'os.environ["API_TOKEN"] = api_token',
    ],
)  # fmt: skip
def test_code_is_no_secret(line: str) -> None:
    redactor = Redactor()
    redactor.learn_text(texts_and_keys(line + "\n"))
    assert redactor.text(line) == line


@pytest.mark.parametrize(
    "program",
    [
        'f(password="tiger-9x", a=1)', '{"token": "tiger-9x"}', 'os.environ["DB_PASSWORD"] = "tiger-9x"',
        "x = 1  # password: tiger-9x", 'password = (\n    "tiger-9x"\n)', 'password = """\n  tiger-9x\n"""',
        'Y = f"""\nkind: Secret\nstringData:\n  user: {user}\n  password: tiger-9x\n"""', "print 'password=tiger-9x'",
    ],
)  # fmt: skip
def test_texts_and_comments_are(program: str) -> None:
    redactor = Redactor()
    redactor.learn_text(texts_and_keys(program + "\n"))
    assert "tiger" not in redactor.text(program)


def test_git_takes_the_patch_of_a_program_without_a_token(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"pod.py": POD})
    commit(tmp_path)
    done = harden("diff", ".")
    assert "redacted" not in done.all and "masked" not in done.all
    (tmp_path / "it.patch").write_text(harden("diff", ".", "--format", "patch").out)
    git(tmp_path, "apply", "--check", "it.patch")


def test_where_no_word_can_name_a_secret_there_is_none() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tests/**/*.py"))]
    plain = [text for text in texts if not may_hold_secret(text)]
    assert len(plain) > 20
    for text in plain:
        redactor = Redactor()
        redactor.learn_text(texts_and_keys(text))
        assert redactor.text(text) == text
