"""Profiles: the built-in ones, and those that extend them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.authoring import profile, registry
from hardener.errors import InputError
from tests.conftest import DEPLOYMENT, ROOT, Harden, commit, write


@pytest.mark.parametrize("name", profile.BUILT_IN)
def test_every_transform_and_option_of_a_built_in_profile_exists(name: str) -> None:
    loaded = profile.load(name)
    assert loaded.name == name and loaded.description
    assert loaded.members.keys() <= registry.transforms().keys()
    for transform, _ in loaded.steps():
        loaded.options_of(transform)  # takes the values that the profile sets


def test_a_stricter_profile_applies_all_that_a_weaker_one_applies() -> None:
    applied = [{id for id, changes in profile.load(name).members.items() if changes} for name in profile.BUILT_IN]
    assert applied[0] < applied[1] <= applied[2]


def test_no_transform_is_in_no_profile() -> None:
    assert set(profile.load("strict").members) == set(registry.transforms())


def test_steps_run_in_the_order_of_the_stages() -> None:
    order = list(registry.transforms())
    ids = [transform.id for transform, _ in profile.load("strict").steps()]
    assert ids == sorted(ids, key=order.index)


def test_the_files_are_where_a_checkout_has_them() -> None:
    assert {path.stem for path in (ROOT / "profiles").glob("*.yaml")} == set(profile.BUILT_IN)


PROFILES: list[tuple[str, str, dict[str, bool | None]]] = [
    ("alone", "transforms: [no-host-pid]\n", {"no-host-pid": True, "no-privileged": None}),
    ("extends", "extends: restricted\n", {"run-as-non-root": True, "no-privileged": True}),
    ("without", "extends: restricted\nwithout: [run-as-non-root]\n", {"run-as-non-root": None, "no-privileged": True}),
    ("report", "extends: restricted\nreport: [run-as-non-root]\n", {"run-as-non-root": False}),
    ("apply again", "extends: baseline\ntransforms: [host-path-read-only]\n", {"host-path-read-only": True}),
    ("empty lists", "extends: baseline\ntransforms: []\nwithout: []\n", {"no-privileged": True}),
    ("a chain", "extends: ./middle.yaml\nwithout: [no-privileged]\n", {"no-privileged": None, "no-host-pid": True}),
]


@pytest.mark.parametrize(("text", "members"), [case[1:] for case in PROFILES], ids=[case[0] for case in PROFILES])
def test_a_profile_of_ones_own(text: str, members: dict[str, bool | None], tmp_path: Path) -> None:
    write(tmp_path, {"ours.yaml": text, "middle.yaml": "extends: baseline\n"})
    loaded = profile.load("./ours.yaml", folder=str(tmp_path))
    for id, changes in members.items():
        assert loaded.members.get(id) is changes


def test_extends_is_seen_from_the_file_that_says_it(tmp_path: Path) -> None:
    write(tmp_path, {"a/one.yaml": "extends: ../b/two.yaml\n", "b/two.yaml": "extends: ./three.yaml\n",
                     "b/three.yaml": "transforms: [no-host-pid]\n"})  # fmt: skip
    assert profile.load("a/one.yaml", folder=str(tmp_path)).members == {"no-host-pid": True}


@pytest.mark.parametrize("name", ["./self.yaml", "self.yaml", "sub/../self.yaml"])
def test_a_profile_that_extends_itself_is_named(name: str, tmp_path: Path) -> None:
    write(tmp_path, {"self.yaml": f"extends: {name}\n", "sub/x": ""})
    with pytest.raises(InputError, match="the profile extends itself"):
        profile.load("./self.yaml", folder=str(tmp_path))


@pytest.mark.parametrize("value", ["null", "3", "[a]"])
def test_odd_values_are_refused_in_one_line(value: str, tmp_path: Path) -> None:
    for key in ("extends", "transforms", "report", "without", "options", "description"):
        if (key, value) in (("extends", "null"), ("transforms", "[a]"), ("report", "[a]"), ("without", "[a]")):
            continue
        write(tmp_path, {"ours.yaml": f"{key}: {value}\n"})
        with pytest.raises(InputError) as error:
            profile.load("./ours.yaml", folder=str(tmp_path))
        assert "\n" not in str(error.value) and "./ours.yaml" in str(error.value)


# -- from the command line


def ids(harden: Harden, *arguments: str) -> set[str]:
    report = json.loads(harden("diff", "--format", "json", *arguments).out)
    return {change["id"] for change in report["changes"]}


def after(harden: Harden, folder: Path, *arguments: str) -> str:
    write(folder, {"web.yaml": DEPLOYMENT})
    assert harden("apply", "web.yaml", *arguments).status == 0
    return (folder / "web.yaml").read_text()


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A repository with one Deployment."""
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    return tmp_path


def test_only_and_skip(harden: Harden, web: Path) -> None:
    guess = ("--max-grade", "guess")
    everything = ids(harden, *guess)
    assert ids(harden, "--only", "run-as-user", *guess) == {"run-as-user"}
    assert ids(harden, "--only", "run-as-user,cpu-limit", *guess) == {"run-as-user", "cpu-limit"}
    assert ids(harden, "--only", "run-as-user", "--only", "cpu-limit", *guess) == {"run-as-user", "cpu-limit"}
    assert ids(harden, "--skip", "run-as-non-root,cpu-limit", *guess) == everything - {"run-as-non-root", "cpu-limit"}
    assert ids(harden, "--only", "run-as-non-root", "--skip", "run-as-non-root", *guess) == set()


# One gate on the command line, and one of .harden.yaml: which holds.
@pytest.mark.parametrize(
    ("config", "options", "gate"),
    [
        ("", (), "review"),
        ("", ("--max-grade", "guess"), "guess"),
        ("", ("--max-risk", "guess"), "guess"),
        ("", ("--max-risk=safe",), "safe"),
        ("max-grade: guess\n", (), "guess"),
        ("max-risk: guess\n", (), "guess"),
        ("max-grade: safe\nmax-risk: guess\n", (), "safe"),
        ("max-grade: guess\n", ("--max-grade", "review"), "review"),
        ("max-grade: safe\n", ("--max-risk", "guess"), "guess"),
        ("max-grade: safe\n", ("--no-waivers",), "review"),
        ("max-risk: safe\n", ("--no-waivers",), "review"),
        ("max-grade: safe\n", ("--no-waivers", "--max-grade", "guess"), "guess"),
    ],
)
def test_the_gate(harden: Harden, web: Path, config: str, options: tuple[str, ...], gate: str) -> None:
    write(web, {".harden.yaml": config} if config else {})
    report = json.loads(harden("check", "web.yaml", "--format", "json", *options).out)
    grades = ["safe", "review", "guess", "breaking"]
    made = {change["grade"] for change in report["changes"]}
    assert max(map(grades.index, made), default=0) == grades.index(gate)
    assert all(grades.index(held["grade"]) > grades.index(gate) for held in report["held"])


def test_an_odd_gate_is_refused_in_one_line(harden: Harden, web: Path) -> None:
    write(web, {".harden.yaml": "max-grade: some\n"})
    done = harden("check", "web.yaml")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1) and "max-grade" in done.err


@pytest.mark.parametrize("command", ["apply", "diff", "check"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--profile", "baseline", "--only", "run-as-non-root"), "use --profile restricted"),
        (
            ("--only", "run-as-non-root,ephemeral-limit"),
            "ephemeral-limit: profile restricted does not contain it",
        ),
        (("--only", "ephemeral-limit"), "use --profile strict"),
        (("--profile", "small.yaml", "--only", "K02"), "--only K02: profile small.yaml does not contain it"),
    ],
)
def test_only_of_what_is_not_in_the_profile_is_no_run_that_passes(
    harden: Harden, web: Path, command: str, options: tuple[str, ...], said: str
) -> None:
    write(web, {"small.yaml": "transforms: [run-as-non-root]\n"})
    done = harden(command, "web.yaml", *options)
    assert (done.status, done.out) == (2, "")
    assert said in done.err and "so nothing would run" in done.err and len(done.err.splitlines()) == 1


def test_only_a_risk_runs_what_the_profile_has_of_it(harden: Harden, web: Path) -> None:
    assert ids(harden, "--profile", "baseline", "--only", "K01") < ids(harden, "--only", "K01")


def test_options(harden: Harden, tmp_path: Path) -> None:
    assert "limits:\n            cpu:" in after(harden, tmp_path)
    assert "limits:\n            cpu:" not in after(harden, tmp_path, "--set", "resources.cpu-limit=none")
    write(tmp_path, {"ours.yaml": "extends: restricted\noptions:\n  resources:\n    cpu-limit: none\n"})
    assert "limits:\n            cpu:" not in after(harden, tmp_path, "--profile", "./ours.yaml")
    write(tmp_path, {".harden.yaml": "options:\n  resources:\n    cpu-limit: none\n"})
    assert "limits:\n            cpu:" not in after(harden, tmp_path)


def test_the_command_line_wins_over_the_config_and_the_config_over_the_profile(harden: Harden, tmp_path: Path) -> None:
    guess = ("--max-grade", "guess")  # which gives a volume with a size
    write(tmp_path, {"ours.yaml": "extends: strict\noptions:\n  filesystem:\n    size-limit: 1Mi\n"})
    assert "sizeLimit: 1Mi" in after(harden, tmp_path, *guess, "--profile", "./ours.yaml")
    write(tmp_path, {".harden.yaml": "profile: ./ours.yaml\noptions:\n  filesystem:\n    size-limit: 2Mi\n"})
    assert "sizeLimit: 2Mi" in after(harden, tmp_path, *guess)
    assert "sizeLimit: 3Mi" in after(harden, tmp_path, *guess, "--set", "filesystem.size-limit=3Mi")
    assert "sizeLimit: 2Mi" in after(harden, tmp_path, *guess, "--profile", "restricted")


def test_the_config_of_the_git_root_holds_in_every_folder(harden: Harden, web: Path) -> None:
    write(web, {".harden.yaml": "profile: config/ours.yaml\nkubernetes-version: '1.29'\n", "a/b/web.yaml": DEPLOYMENT,
                "config/ours.yaml": "extends: baseline\n", "a/b/.harden.yaml": "profile: nonsense\n"})  # fmt: skip
    done = harden("diff", ".", cwd=web / "a/b")
    assert "profile config/ours.yaml, Kubernetes 1.29" in done.all
    assert "runAsNonRoot" not in done.all


def test_the_config_file_is_no_manifest(harden: Harden, web: Path) -> None:
    write(web, {".harden.yaml": "# kind: Deployment\nprofile: baseline\n"})
    before = (web / ".harden.yaml").read_text()
    harden("apply", ".")
    assert (web / ".harden.yaml").read_text() == before


@pytest.mark.parametrize("version", ["1.35", "v1.29", "1.30.4"])
def test_versions(version: str, harden: Harden, web: Path) -> None:
    assert harden("diff", "--kubernetes-version", version).status == 1


def test_the_profile_says_in_which_way_a_report_only_transform_reports(harden: Harden, web: Path) -> None:
    write(web, {"ours.yaml": "report: [run-as-non-root]\n"})
    done = harden("diff", "--profile", "./ours.yaml")
    assert done.status == 0
    place = "/spec/template/spec/securityContext/runAsNonRoot"
    assert f"not changed at {place}, since the profile only reports it" in done.all
