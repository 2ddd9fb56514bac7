"""``harden golden``: what a user sees of cases that hold, and of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.errors import HardenError
from hardener.testing.golden import run_all
from tests.conftest import DEPLOYMENT


def told(folder: Path, *, accept: bool = False) -> tuple[int, str]:
    lines: list[str] = []
    failed = run_all(str(folder), lambda line: lines.append(str(line)), accept=accept)
    return failed, "\n".join(lines)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    (tmp_path / "shop" / "web" / "before").mkdir(parents=True)
    (tmp_path / "shop" / "web" / "before" / "web.yaml").write_text(DEPLOYMENT)
    assert told(tmp_path, accept=True)[0] == 0
    return tmp_path / "shop" / "web"


def test_an_accepted_case_holds(case: Path) -> None:
    failed, text = told(case.parent)
    assert failed == 0
    assert text.endswith("1 passed, 0 failed")
    assert "runAsNonRoot: true" in (case / "after" / "web.yaml").read_text()
    assert "applied run-as-non-root" in (case / "findings.txt").read_text()


def test_a_case_that_does_not_hold_says_what_differs_in_text_and_in_data(case: Path) -> None:
    after = case / "after" / "web.yaml"
    after.write_text(after.read_text().replace("runAsNonRoot: true", "runAsNonRoot: false"))
    failed, text = told(case.parent)
    assert failed == 1
    removed, added = (line for line in text.splitlines() if line[:1] in "+-" and "runAsNonRoot" in line)
    assert (removed.split(), added.split()) == (["-", "runAsNonRoot:", "false"], ["+", "runAsNonRoot:", "true"])
    assert "runAsNonRoot'] changed from False to True" in text


def test_an_edit_of_the_layout_alone_is_told_as_such(case: Path) -> None:
    after = case / "after" / "web.yaml"
    after.write_text(after.read_text() + "# a comment\n")
    assert "the data is the same" in told(case.parent)[1]


def test_findings_are_compared_too(case: Path) -> None:
    (case / "findings.txt").write_text("")
    failed, text = told(case.parent)
    assert failed == 1 and "findings.txt differs" in text


def test_a_misspelt_setting_is_named(case: Path) -> None:
    (case / "case.yaml").write_text("max_risk: safe\n")
    failed, text = told(case.parent)
    assert failed == 1 and "unknown keys max_risk" in text


def test_a_folder_without_a_case_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(HardenError, match="no golden case"):
        told(tmp_path)


@pytest.mark.parametrize(
    "text", ["- a", "max-risk: none", "only: no-privileged", "kubernetes-version: 1.30", "profile: 5"]
)
def test_a_setting_of_a_wrong_kind_is_named(case: Path, text: str) -> None:
    (case / "case.yaml").write_text(text + "\n")
    failed, said = told(case.parent)
    assert failed == 1 and "case.yaml: " in said


def test_an_empty_file_of_settings_says_nothing(case: Path) -> None:
    (case / "case.yaml").write_text("# nothing yet\n")
    assert told(case.parent)[0] == 0


def test_what_differs_is_told_without_secrets(case: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: Xk29fkPPqz77\n"
    (case / "before" / "secret.yaml").write_text(secret)
    assert told(case.parent, accept=True)[0] == 0
    (case / "after" / "secret.yaml").write_text(secret.replace("Xk29fkPPqz77", "Qm41hhTTvv88"))
    (failed, text) = told(case.parent)
    assert failed == 1
    assert "secret.yaml" in text and "redacted#" in text
    assert "Xk29fkPPqz77" not in text and "Qm41hhTTvv88" not in text
