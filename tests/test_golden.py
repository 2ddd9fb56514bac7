"""``harden golden``: what a user sees of cases that hold, and of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.errors import InputError
from hardener.sources import files
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
    assert "allowPrivilegeEscalation: false" in (case / "after" / "web.yaml").read_text()
    assert "applied no-privilege-escalation" in (case / "findings.txt").read_text()


def test_a_case_that_does_not_hold_says_what_differs_in_text_and_in_data(case: Path) -> None:
    after = case / "after" / "web.yaml"
    after.write_text(after.read_text().replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))
    failed, text = told(case.parent)
    assert failed == 1
    removed, added = (line for line in text.splitlines() if line[:1] in "+-" and "allowPrivilegeEscalation" in line)
    assert (removed.split(), added.split()) == (
        ["-", "allowPrivilegeEscalation:", "true"],
        ["+", "allowPrivilegeEscalation:", "false"],
    )
    assert "allowPrivilegeEscalation'] changed from True to False" in text


def test_an_edit_of_the_layout_alone_is_told_as_such(case: Path) -> None:
    after = case / "after" / "web.yaml"
    after.write_text(after.read_text() + "# a comment\n")
    assert "the data is the same" in told(case.parent)[1]


def test_findings_are_compared_too(case: Path) -> None:
    (case / "findings.txt").write_text("")
    failed, text = told(case.parent)
    assert failed == 1 and "findings.txt differs" in text


def test_a_misspelt_setting_is_named(case: Path) -> None:
    (case / "case.yaml").write_text("max_grade: safe\n")
    failed, text = told(case.parent)
    assert failed == 1 and "unknown keys max_grade" in text


def test_a_gate_has_an_earlier_name(case: Path) -> None:
    made = {}
    for key in ("max-grade", "max-risk"):
        (case / "case.yaml").write_text(f"{key}: safe\n")
        made[key] = records(case, TWO_COMMENTS)
    assert made["max-risk"] == made["max-grade"] and any(line.startswith("held ") for line in made["max-risk"])


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("name", ["before/web.yaml", "after/web.yaml", "findings.txt"])
def test_a_file_that_is_too_large_is_one_line(
    name: str, accept: bool, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 4096)
    (case / name).write_text("#" * 5000)
    failed, text = told(case.parent, accept=accept)
    if accept and name == "findings.txt":
        assert failed == 0  # it is written anew, and nobody reads it
    else:
        assert failed == 1
        assert f"FAIL {case / name}: the file has 0 MiB, more than 0 MiB" in text


def test_findings_that_are_no_text_are_one_line(case: Path) -> None:
    (case / "findings.txt").write_bytes(b"\xff")
    failed, text = told(case.parent)
    assert failed == 1 and f"FAIL {case}/findings.txt: line 1 is not UTF-8" in text


def test_a_folder_without_a_case_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no golden case"):
        told(tmp_path)


@pytest.mark.parametrize(
    "text", ["- a", "max-grade: none", "only: no-privileged", "kubernetes-version: 1.30", "profile: 5"]
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


TWO_COMMENTS = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: registry.example.com/web:1.4
    securityContext:
      readOnlyRootFilesystem: false  # for now
  - name: log
    image: registry.example.com/log:1.4
    securityContext:
      readOnlyRootFilesystem: false  # for now
"""


def records(folder: Path, text: str) -> list[str]:
    """``findings.txt`` of the case in ``folder``, in which ``web.yaml`` has this text."""
    (folder / "before" / "web.yaml").write_text(text)
    assert told(folder.parent, accept=True)[0] == 0
    return (folder / "findings.txt").read_text().splitlines()


def test_a_record_stays_the_same_when_a_line_comes_in_above_it(case: Path) -> None:
    before = records(case, TWO_COMMENTS)
    assert {line.split()[0] for line in before} == {"applied", "held", "finding"}
    assert records(case, "# ours\n" + TWO_COMMENTS.replace("  name: web\n", "  name: web\n  namespace:\n", 1)) == before
    (case / "case.yaml").write_text("max-grade: safe\n")
    held = [line for line in records(case, TWO_COMMENTS) if line.startswith("held ")]
    assert held and held == [line for line in records(case, "# ours\n" + TWO_COMMENTS) if line.startswith("held ")]


def test_what_another_transform_writes_above_does_not_move_a_record(case: Path) -> None:
    (case / "case.yaml").write_text("only: [read-only-root-filesystem]\n")
    alone = records(case, TWO_COMMENTS)
    (case / "case.yaml").write_text("only: [read-only-root-filesystem, automount-token, resource-requests]\n")
    both = records(case, TWO_COMMENTS)
    assert alone and set(alone) < set(both)


def test_findings_at_two_places_of_an_object_are_two_records(case: Path) -> None:
    (case / "case.yaml").write_text("only: [read-only-root-filesystem]\nmax-grade: breaking\n")
    found = [line for line in records(case, TWO_COMMENTS) if line.startswith("finding stale-comment ")]
    place = "web.yaml Pod/web spec.containers[{}].securityContext.readOnlyRootFilesystem"
    assert found == [
        f"finding stale-comment low {place.format(number)}: "
        "the comment '# for now' may no longer be true: read it and correct it"
        for number in (0, 1)
    ]


def test_objects_that_are_called_the_same_are_told_apart(case: Path) -> None:
    (case / "case.yaml").write_text("only: [automount-token]\n")
    elsewhere = TWO_COMMENTS.replace("  name: web\n", "  name: web\n  namespace: b\n", 1)
    one, other = records(case, f"{TWO_COMMENTS}---\n{elsewhere}")
    assert other.replace("Pod/web#2", "Pod/web") == one != other


def test_where_there_is_no_object_a_record_names_the_line(case: Path) -> None:
    (refused,) = (
        line for line in records(case, TWO_COMMENTS + "---\nkind: Pod\nkind: Pod\n") if line.startswith("refused ")
    )
    assert refused == "refused web.yaml:17 0 edits: duplicate key 'kind'"


@pytest.mark.parametrize("accept", [False, True], ids=["verify", "accept"])
@pytest.mark.parametrize(
    ("name", "holds"),
    [("none", False), ("already-so", True), ("already-so-in-json", True), ("nothing-to-do-old", True)],
)
def test_a_case_in_which_nothing_happens_says_so_in_its_name(
    tmp_path: Path, name: str, holds: bool, accept: bool
) -> None:
    case = tmp_path / "no-host-ipc" / name
    for folder in ("before", "after"):
        (case / folder).mkdir(parents=True)
        (case / folder / "web.yaml").write_text(DEPLOYMENT)
    failed, text = told(tmp_path, accept=accept)
    assert failed == (not holds), text
    assert (case / "findings.txt").exists() == (holds and accept)
    if not holds:
        assert "findings.txt is empty" in text and "already-so" in text and "nothing-to-do-WHY" in text


def test_a_case_of_a_transform_that_its_profile_does_not_contain_names_one_that_does(tmp_path: Path) -> None:
    case = tmp_path / "ephemeral-limit" / "already-so"
    (case / "before").mkdir(parents=True)
    (case / "before" / "web.yaml").write_text(TWO_COMMENTS)
    failed, text = told(tmp_path, accept=True)
    assert failed == 1 and not (case / "findings.txt").exists()
    assert "profile restricted does not contain ephemeral-limit" in text and "profile: strict" in text
    (case / "case.yaml").write_text("profile: strict\n")
    assert told(tmp_path, accept=True)[0] == 0
    assert "applied ephemeral-limit" in (case / "findings.txt").read_text()
