"""--since: what a change touches is reported, what decides is the whole repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, write

OTHER = DEPLOYMENT.replace("web", "api")
BOTH = DEPLOYMENT + "---\n" + OTHER


def touched(harden: Harden, *arguments: str) -> set[str]:
    """The objects that records of `diff --since` are about."""
    report = json.loads(harden("diff", "--format", "json", "--since", *arguments).out)
    records = [*report["changes"], *report["findings"], *report["held"]]
    return {record["object"]["name"] for record in records if record["object"]} - {"kustomization"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, set()),
        ({"a.yaml": BOTH.replace("name: api", "name: api2", 1)}, {"api2"}),  # one document of two
        ({"a.yaml": BOTH.replace("  # the only one", "")}, {"web", "api"}),
        ({"a.yaml": DEPLOYMENT}, {"web"}),  # what went stood next to it
        ({"new.yaml": DEPLOYMENT.replace("web", "new")}, {"new"}),  # not known to Git yet
        ({'a b/\u00fc "x".yaml': DEPLOYMENT.replace("web", "odd")}, {"odd"}),
    ],
)
def test_only_touched_documents_are_reported(
    files: dict[str, str], expected: set[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"a.yaml": BOTH, 'a b/\u00fc "x".yaml': DEPLOYMENT.replace("web", "old")})
    commit(tmp_path)
    write(tmp_path, files)
    found = {name.removeprefix("harden-") for name in touched(harden, "HEAD", "--whole")}
    assert found == expected
    for command in ("diff", "check"):
        assert harden(command, "--since", "HEAD", "--whole").status == (1 if expected else 0)


def test_committed_changes_count_from_where_the_branch_left(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": DEPLOYMENT})
    commit(tmp_path)
    git(tmp_path, "branch", "-m", "main")
    git(tmp_path, "checkout", "-qb", "feature")
    write(tmp_path, {"b.yaml": OTHER})
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "b")
    git(tmp_path, "checkout", "-q", "main")
    write(tmp_path, {"a.yaml": DEPLOYMENT.replace("1.2.3", "1.2.4")})
    git(tmp_path, "commit", "-qam", "main goes on")
    git(tmp_path, "checkout", "-q", "feature")
    assert {name.removeprefix("harden-") for name in touched(harden, "main")} == {"api"}


def test_evidence_is_the_whole_repository(harden: Harden, tmp_path: Path) -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{port: 80}]\n"
    )
    write(tmp_path, {"service.yaml": service})
    commit(tmp_path)
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    report = json.loads(harden("diff", "--format", "json", "--since", "HEAD").out)
    policy = next(change for change in report["changes"] if change["id"] == "netpol-workload")
    assert "service.yaml" in {fact.get("file") for fact in policy["evidence"]}


def test_the_patch_makes_the_reported_changes_and_no_others(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": BOTH})
    commit(tmp_path)
    write(tmp_path, {"a.yaml": BOTH.replace("name: api\nspec", "name: api2\nspec")})
    patch = harden("diff", "--since", "HEAD").all
    assert git(tmp_path, "apply", "-", stdin=patch.encode()).returncode == 0
    assert (tmp_path / "a.yaml").read_text().startswith(DEPLOYMENT)


@pytest.mark.parametrize("revision", ["gone", "--output=x", ""])
def test_a_revision_that_is_not_there(revision: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": BOTH})
    commit(tmp_path)
    done = harden("diff", f"--since={revision}")
    assert revision == "" or (done.status, done.err.count("\n")) == (2, 1)
    assert not (tmp_path / "x").exists()


def test_outside_git(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": BOTH})
    done = harden("check", "--since", "HEAD")
    assert (done.status, "in no Git repository" in done.err) == (2, True)


def test_a_patch_is_weighed_though_its_base_is_not_touched(harden: Harden, tmp_path: Path) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n"
    write(tmp_path, {
        "base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": DEPLOYMENT,
        "dev/kustomization.yaml": "resources: [../base]\npatches:\n- path: p.yaml\n",
        "dev/p.yaml": patch + "      hostNetwork: false\n",
    })  # fmt: skip
    commit(tmp_path)
    write(tmp_path, {"dev/p.yaml": patch + "      hostNetwork: true\n"})
    report = json.loads(harden("check", "--since", "HEAD", "--format", "json").out)
    assert [(found["id"], found["file"]) for found in report["findings"]] == [("weakened-by-overlay", "dev/p.yaml")]


@pytest.mark.parametrize("options", [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--single-branch",)])
def test_a_clone_that_lacks_history_is_told_the_command_that_brings_it(
    options: tuple[str, ...], harden: Harden, tmp_path: Path
) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    write(origin, {"a.yaml": DEPLOYMENT})
    commit(origin)
    git(origin, "branch", "-M", "main")
    git(origin, "checkout", "-qb", "feature")
    write(origin, {"b.yaml": OTHER})
    commit(origin)
    git(origin, "checkout", "-q", "main")
    write(origin, {"c.yaml": OTHER})
    commit(origin)
    assert git(tmp_path, "clone", "-q", "-b", "feature", *options, origin.as_uri(), "clone").returncode == 0
    done = harden("check", "--since", "origin/main", cwd=clone)
    assert done.status == 2 and len(done.err.splitlines()) == 1
    command = done.err.strip().partition(": git ")[2].split()
    assert command[0] == "fetch" and git(clone, *command).returncode == 0, done.err
    assert harden("check", "--since", "origin/main", cwd=clone).status == 1


def test_a_revision_that_is_nowhere_is_told_in_one_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": DEPLOYMENT})
    commit(tmp_path)
    for revision in ("gone", "origin/$(id)"):
        done = harden("check", "--since", revision)
        assert done.status == 2 and done.err == f"harden: --since {revision}: no such revision\n"


def test_a_check_says_how_many_documents_it_judged(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": BOTH, "b.yaml": DEPLOYMENT.replace("web", "more")})
    commit(tmp_path)
    done = harden("check", "--since", "HEAD")
    assert (done.status, done.out.splitlines()[0]) == (0, "check passed for 0 documents")
    assert "\n  --since HEAD: 0 of 3 documents differ; nothing was judged\n" in done.out
    write(tmp_path, {"a.yaml": BOTH.replace("name: api", "name: api2", 1)})
    done = harden("check", "--since", "HEAD", "--format", "json")
    assert (done.status, done.err) == (1, "--since HEAD: 1 of 3 documents differs\n")


@pytest.mark.parametrize("name", ["attic/bad.yaml", "k8s/bad.yaml.off", "k8s/testdata/bad.yaml", "k8s/old.yaml"])
def test_what_comes_from_another_place_is_new(name: str, harden: Harden, tmp_path: Path) -> None:
    """Where a file stands decides whether it was judged before."""
    write(tmp_path, {name: OTHER, "k8s/web.yaml": DEPLOYMENT})
    commit(tmp_path)
    git(tmp_path, "mv", name, "k8s/bad.yaml")
    assert "api" in touched(harden, "HEAD", "k8s")


@pytest.mark.parametrize(
    ("kustomization", "expected"),
    [
        ("resources: [web.yaml, ../attic/bad.yaml]\n", {"api"}),
        ("resources: [web.yaml, ../attic]\n", {"api"}),
        ("resources: [web.yaml]\ncomponents: [../attic/part]\n", {"api"}),
        ("resources: [web.yaml]\n# nothing else\n", set()),
    ],
)
def test_what_a_kustomization_takes_in_anew_was_not_judged_before(
    kustomization: str, expected: set[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {
        "attic/bad.yaml": OTHER, "attic/kustomization.yaml": "resources: [bad.yaml]\n",
        "attic/part/kustomization.yaml": "kind: Component\nresources: [../bad.yaml]\n",
        "k8s/web.yaml": DEPLOYMENT, "k8s/kustomization.yaml": "resources: [web.yaml]\n",
    })  # fmt: skip
    commit(tmp_path)
    write(tmp_path, {"k8s/kustomization.yaml": kustomization})
    report = json.loads(harden("check", "k8s", "--no-waivers", "--format", "json", "--since", "HEAD").out)
    records = [*report["changes"], *report["findings"], *report["held"]]
    assert {
        record["object"]["name"] for record in records if (record["object"] or {}).get("kind") == "Deployment"
    } == expected


def test_a_patch_that_is_used_from_now_on_is_weighed(harden: Harden, tmp_path: Path) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n"
    write(tmp_path, {
        "base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": DEPLOYMENT,
        "dev/kustomization.yaml": "resources: [../base]\n", "dev/p.yaml": patch + "      hostNetwork: true\n",
    })  # fmt: skip
    commit(tmp_path)
    write(tmp_path, {"dev/kustomization.yaml": "resources: [../base]\npatches:\n- path: p.yaml\n"})
    report = json.loads(harden("check", "--since", "HEAD", "--format", "json").out)
    assert [(found["id"], found["file"]) for found in report["findings"]] == [("weakened-by-overlay", "dev/p.yaml")]


# What the change touched or made worse.

PLACE = "        image: example.com/web:1.2.3\n"


def records(harden: Harden, *options: str) -> set[str]:
    report = json.loads(harden("check", "--format", "json", "--since", "HEAD", *options).out)
    return {record["id"] for name in ("changes", "held", "findings") for record in report[name]}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    text = DEPLOYMENT.replace("spec:\n  selector", "spec:\n  replicas: 1\n  selector", 1)
    write(tmp_path, {"web.yaml": text, "api.yaml": OTHER})
    commit(tmp_path)
    return tmp_path / "web.yaml"


def test_what_was_there_before_is_left_out(harden: Harden, web: Path) -> None:
    whole = len(records(harden))
    web.write_text(web.read_text().replace("replicas: 1", "replicas: 2"))
    done = harden("check", "--since", "HEAD")
    assert whole == 0 and done.status == 0 and done.out.startswith("check passed")
    assert "that were there before are left out (--whole judges them)" in done.out
    assert "run-as-non-root" in records(harden, "--whole")
    assert harden("check", "--since", "HEAD", "--whole").status == 1
    assert harden("diff", "--since", "HEAD").status == 0


@pytest.mark.parametrize(
    ("new", "id"),
    [
        (PLACE + "        securityContext: {privileged: true}\n", "no-privileged"),  # a line of its own
        (PLACE.replace("1.2.3", "1.2.4"), "pin-image-digest"),  # a line that was touched
        (PLACE + "      - {name: more, image: example.com/more}\n", "no-privilege-escalation"),  # one more of a kind
        (PLACE + "      hostPID: true\n", "no-host-pid"),
    ],
)
def test_what_the_change_made_worse_is_judged(new: str, id: str, harden: Harden, web: Path) -> None:
    web.write_text(web.read_text().replace(PLACE, new))
    assert id in records(harden)
    assert "seccomp-runtime-default" not in records(harden)  # it lacked that before


def test_a_protection_that_was_taken_away_is_judged(harden: Harden, web: Path) -> None:
    text = web.read_text()
    web.write_text(text.replace(PLACE, PLACE + "        securityContext: {allowPrivilegeEscalation: false}\n"))
    commit(web.parent)
    web.write_text(text.replace("replicas: 1", "replicas: 2"))
    assert "no-privilege-escalation" in records(harden)


def test_a_new_document_is_judged_as_a_whole(harden: Harden, web: Path) -> None:
    write(web.parent, {"new.yaml": DEPLOYMENT.replace("web", "new")})
    assert {"no-privilege-escalation", "automount-token"} <= records(harden)


def test_at_a_gate_nothing_excuses_what_was_there(harden: Harden, web: Path) -> None:
    web.write_text(web.read_text().replace("replicas: 1", "replicas: 2"))
    assert "no-privilege-escalation" in records(harden, "--no-waivers")


def test_whole_needs_a_revision(harden: Harden, web: Path) -> None:
    done = harden("check", "--whole")
    assert (done.status, done.out) == (2, "") and "--since REV" in done.err
