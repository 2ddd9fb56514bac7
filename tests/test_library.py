"""`from hardener import harden_text, harden_tree`: what a program gets is what the command line says and writes."""

from __future__ import annotations

import ast
import errno
import json
import os
import pickle
import re
import subprocess
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import date
from inspect import signature
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import pytest
import typer

import hardener
from hardener import (
    Evidence,
    Grade,
    HardenError,
    InputError,
    NotWrittenError,
    PodTemplate,
    Steps,
    harden_text,
    harden_tree,
    transform,
)
from hardener.cli import options as cli_options
from hardener.cli.app import app
from hardener.commands import library
from hardener.commands.run import Choices
from hardener.report import results

from .conftest import DEPLOYMENT, ROOT, commit, restore, run, snapshot, write

PAGE = ROOT / "docs" / "library.md"
EXAMPLE = ROOT / "examples" / "own-transform"
TOKEN = "s3cr3t-Tk9fQ2xWb7Lz4HvY"
SECRETS = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: api
stringData:
  token: {TOKEN}
---
{DEPLOYMENT}        env:
        - name: API_TOKEN
          value: {TOKEN}
"""
STORE = """\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata:
  name: vault-backend
spec:
  provider:
    vault:
      server: https://vault.example.com
      path: kv
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer  # for all
  selector: {app: web}
  ports:
  - port: 80
"""
WAIVED = DEPLOYMENT.replace(
    "      containers:", "      hostPID: true  # harden: ignore[no-host-pid] a debugger\n      containers:"
)
HELD = DEPLOYMENT.replace(
    "image: example.com/web:1.2.3", "image: docker:dind\n        securityContext: {privileged: true}"
)


# -- the same as the command line


def _without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def _plain(record: Any) -> dict[str, Any]:
    """A record as the JSON report has it."""
    found: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "object":
            value = value and {
                "apiVersion": value.api_version, "kind": value.kind, "namespace": value.namespace, "name": value.name,
            }  # fmt: skip
        elif field.name == "evidence":
            value = [
                {"text": fact.text} | ({"file": fact.file, "line": fact.line} if fact.file else {}) for fact in value
            ]
        elif field.name == "also":
            if not value:
                continue
            value = [_plain(place) for place in value]
        elif isinstance(value, tuple):
            value = list(value)
        elif field.name in ("line", "new_line"):
            value = value or 0
        found[{"new_line": "newLine", "not_looked_at": "notLookedAt"}.get(field.name, field.name)] = value
    for name in ("before", "after"):
        if found.get(name, "") is None:
            del found[name]
    return found


def hold(result: hardener.Hardened, report: dict[str, Any]) -> None:
    """Assert that ``result`` says what the JSON ``report`` does."""
    beside = ("risk2022", "references", "beforeYouApply", "afterYouApply")
    for name in ("changes", "held", "findings", "refused"):
        assert [_plain(each) for each in getattr(result, name)] == [_without(each, *beside) for each in report[name]]
    for mine, theirs in zip(result.waived, report["waived"], strict=True):
        same = ("id", "risk", "reason", "carrier", "file", "line", "object", "path")
        plain = _plain(mine)
        assert {name: plain[name] for name in same} == {name: theirs[name] for name in same}
        assert {"file": mine.origin_file, "line": mine.origin_line} == theirs["origin"]
        assert (mine.grade, mine.severity, mine.message) == tuple(
            theirs.get(name) for name in ("grade", "severity", "message")
        )
    assert {field.name: getattr(result.summary, field.name) for field in fields(result.summary)} == {
        name: value for name, value in report["summary"].items() if isinstance(value, int)
    }
    assert (result.profile, list(result.before_you_apply), list(result.after_you_apply)) == (
        report["profile"], report["beforeYouApply"], report["afterYouApply"],
    )  # fmt: skip
    add_up(result)


def add_up(result: hardener.Hardened) -> None:
    """Assert that the counts are those of the records."""
    records = (result.changes, result.held, result.findings, result.refused, result.waived, result.files)
    counts = result.summary
    named = (counts.edits, counts.held, counts.findings, counts.refused, counts.waived, counts.changed)
    assert tuple(map(len, records)) == named
    assert result.changed == bool(result.files) == bool(result.patch() or result.not_in_patch)


TEXTS = {
    "deployment": DEPLOYMENT,
    "crlf": DEPLOYMENT.replace("\n", "\r\n"),
    "bom": "\ufeff" + DEPLOYMENT,
    "no-end": DEPLOYMENT.rstrip("\n"),
    "documents": f"---\n# one\n---\n{DEPLOYMENT}---\n{SERVICE}",
    "json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},'
    ' "spec": {"containers": [{"name": "a", "image": "b:1"}]}}\n',
    "waived": WAIVED,
    "held": HELD,
    "secrets": SECRETS,
    "broken": f"{DEPLOYMENT}---\na: [\n---\nb: c: d\n",
    "nothing": "",
    "no-kubernetes": "a: 1\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_what_filter_makes_of_it(text: str, tmp_path: Path) -> None:
    done = run("filter", "--report", "report.json", cwd=tmp_path, stdin=text.encode())
    assert done.status == 0, done.err
    result = harden_text(text)
    assert result.text == done.out
    assert [(file.before, file.after) for file in result.files] == ([(text, done.out)] if done.out != text else [])
    hold(result, json.loads((tmp_path / "report.json").read_text(encoding="utf-8")))


def test_the_texts_show_each_kind_of_record() -> None:
    found = [harden_text(text) for text in TEXTS.values()]
    for name in ("changes", "held", "findings", "refused", "waived", "files"):
        assert any(getattr(result, name) for result in found), name
    assert any(not result.changed for result in found)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example in a repository, and the working directory beside it."""
    copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Case = tuple[list[str], dict[str, Any]]
CASES: dict[str, Case] = {
    "as-it-is": ([], {}),
    "safe": (["--max-grade", "safe"], {"max_grade": Grade.SAFE}),
    "guess": (["--max-grade", "guess"], {"max_grade": "guess"}),
    "an-earlier-name": (["--max-grade", "guess"], {"max_risk": "guess"}),
    "breaking": (["--max-grade", "breaking"], {"max_grade": "breaking"}),
    "strict": (["--profile", "strict"], {"profile": "strict"}),
    "only": (["--only", "K01", "--only", "K06"], {"only": ["K01", "K06"]}),
    "only-text": (["--only", "seccomp-runtime-default,fs-group"], {"only": "seccomp-runtime-default,fs-group"}),
    "skip": (["--skip", "K01,K05", "--accept", "run-as-user"], {"skip": {"K01", "K05"}, "accept": "run-as-user"}),
    "set": (
        ["--set", "resources.cpu-limit=700m", "--set", "resources.cpu-limit-ratio=3"],
        {"set": {"resources.cpu-limit": "700m", "resources.cpu-limit-ratio": 3}},
    ),
    "version": (["--kubernetes-version", "1.18"], {"kubernetes_version": "1.18"}),
    "policies": (["--policy-engine", "vap"], {"policy_engine": "vap"}),
    "as-of": (["--as-of", "2026-01-31", "--evidence", "shop"], {"as_of": date(2026, 1, 31), "evidence": Path("shop")}),
}  # fmt: skip


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "options"), CASES.values(), ids=CASES)
def test_a_tree_is_what_diff_says_and_what_apply_writes(arguments: list[str], options: Any, shop: Path) -> None:
    before = snapshot(shop)
    report = run("diff", "shop", *arguments, "--format", "json", cwd=shop)
    assert report.status in (0, 1), report.err
    patch = run("diff", "shop", *arguments, "--format", "patch", cwd=shop)
    result = harden_tree("shop", **options)
    assert snapshot(shop) == before and not result.written
    hold(result, json.loads(report.out))
    assert result.patch() == patch.out

    assert run("apply", "shop", *arguments, cwd=shop).status == 0
    applied = snapshot(shop)
    restore(shop)
    assert snapshot(shop) == before
    written = harden_tree("shop", write=True, **options)
    assert written.written
    assert snapshot(shop) == applied
    for file in written.files:
        name = Path(file.path).relative_to(shop).as_posix()
        assert (file.name, applied[name][1]) == (name, file.after.encode(file.encoding))
        old = None if file.before is None else file.before.encode()
        assert old == before.get(name, (0, None))[1]
    assert {file.name for file in result.files} == {name for name in applied if applied[name] != before.get(name)}
    assert [(file.name, file.after) for file in written.files] == [(file.name, file.after) for file in result.files]
    assert harden_tree(shop / "shop", **options).summary.edits == 0


@pytest.mark.slow
def test_the_options_of_the_example_change_something(shop: Path) -> None:
    usual = harden_tree("shop")
    same = {name for name, (_, options) in CASES.items() if harden_tree("shop", **options).patch() == usual.patch()}
    assert same == {"as-it-is", "as-of"}


def test_several_paths_patterns_and_the_configuration_at_the_root(shop: Path) -> None:
    write(shop, {".harden.yaml": "profile: baseline\nkubernetes-version: '1.30'\n"})
    report = json.loads(run("diff", "shop/web.yaml", "shop/p*.yaml", "--format", "json", cwd=shop).out)
    result = harden_tree([Path("shop/web.yaml"), "shop/p*.yaml"])
    assert result.profile == "baseline" and result.summary.files == 2
    hold(result, report)
    assert harden_tree("shop", profile="restricted").profile == "restricted"


def test_since_looks_at_what_differs(shop: Path) -> None:
    with (shop / "shop" / "web.yaml").open("a") as handle:
        handle.write("# new\n---\n" + DEPLOYMENT.replace("web", "late"))
    report = run("diff", "shop", "--since", "HEAD", "--format", "json", cwd=shop)
    result = harden_tree("shop", since="HEAD")
    hold(result, json.loads(report.out))
    changed = {str(change.object) for change in result.changes}
    assert "Deployment/late" in changed and "Deployment/web" not in changed
    with pytest.raises(InputError, match="since"):
        harden_tree("shop", since="HEAD", write=True)


def test_secrets_that_move_go_where_apply_puts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {}
    for name in ("by-apply", "by-call"):
        tree = tmp_path / name / "tree"
        write(tree, {"web.yaml": f"{STORE}---\n{SECRETS}"})
        commit(tree)
        monkeypatch.chdir(tree)
        if name == "by-apply":
            assert run("apply", ".", "--secrets-out", "../away", cwd=tree).status == 0
        else:
            result = harden_tree(".", secrets_out="../away", write=True)
            assert result.before_you_apply and TOKEN not in repr(result) + result.patch()
        away[name] = snapshot(tmp_path / name)
    assert TOKEN.encode() in b"".join(content for _, content in away["by-call"].values())
    normal = [
        {path: (mode, content.replace(name.encode(), b"")) for path, (mode, content) in found.items()}
        for name, found in away.items()
    ]
    assert normal[0] == normal[1]


# -- errors


WRONG: dict[str, Case] = {
    "profile": (["--profile", "strikt"], {"profile": "strikt"}),
    "profile-file": (["--profile", "no.yaml"], {"profile": Path("no.yaml")}),
    "max-grade": (["--max-grade", "none"], {"max_grade": "none"}),
    "accept": (["--accept", "fs-grup"], {"accept": "fs-grup"}),
    "only": (["--only", "supplemental-groups-strict"], {"only": ["supplemental-groups-strict"]}),
    "skip": (["--skip", "K99"], {"skip": "K99"}),
    "set": (["--set", "resources.cpu=1"], {"set": {"resources.cpu": 1}}),
    "set-type": (["--set", "resources.cpu-limit=true"], {"set": {"resources.cpu-limit": True}}),
    "version": (["--kubernetes-version", "2"], {"kubernetes_version": "2"}),
    "config": (["--config", "no.yaml"], {"config": "no.yaml"}),
    "as-of": (["--as-of", "soon"], {"as_of": "soon"}),
    "token": (["--profile", f"ghp_{'a1B2' * 9}"], {"profile": f"ghp_{'a1B2' * 9}"}),
}
WRONG_OF_TREE: dict[str, Case] = {
    "evidence": (["--evidence", "nowhere"], {"evidence": "nowhere"}),
    "policy-engine": (["--policy-engine", "opa"], {"policy_engine": "opa"}),
    "pin-format": (["--pin-format", "tag"], {"pin_format": "tag"}),
    "audit-log": (["--audit-log", "no.json"], {"audit_log": ["no.json"]}),
    "secrets-out": (["--secrets-out", "shop/inside"], {"secrets_out": "shop/inside"}),
}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert isinstance(caught.value, HardenError) and "\n" not in str(caught.value)
    return f"harden: {caught.value}"


def printed(*arguments: str, cwd: Path) -> str:
    done = run(*arguments, cwd=cwd)
    assert done.status == 2
    return re.sub(r"; see harden \w+ --help$", "", done.err.rstrip("\n"))


@pytest.mark.parametrize(("arguments", "options"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_the_line_that_the_command_prints(arguments: list[str], options: Any, shop: Path) -> None:
    line = printed("apply", "shop", *arguments, cwd=shop)
    before = snapshot(shop)
    assert refused(lambda: harden_tree("shop", write=True, **options)) == line
    assert snapshot(shop) == before
    assert refused(lambda: harden_text(DEPLOYMENT, **options)) == line


@pytest.mark.parametrize(("arguments", "options"), WRONG_OF_TREE.values(), ids=WRONG_OF_TREE)
def test_a_wrong_option_of_a_tree_is_too(arguments: list[str], options: Any, shop: Path) -> None:
    assert refused(lambda: harden_tree("shop", **options)) == printed("apply", "shop", *arguments, cwd=shop)


@pytest.mark.parametrize("path", ["nowhere", "no*.yaml"])
def test_a_wrong_path_is_too(path: str, shop: Path) -> None:
    assert refused(lambda: harden_tree(path)) == printed("diff", path, cwd=shop)
    assert refused(lambda: harden_tree(["shop", path])) == printed("diff", "shop", path, cwd=shop)


def test_what_a_command_line_cannot_say_is_refused(shop: Path) -> None:
    assert refused(lambda: harden_tree([])) == "harden: no path is named"
    assert refused(lambda: harden_text("a: \ud800")) == "harden: the text is not UTF-8"


def test_the_choices_are_those_of_the_command_line() -> None:
    assert list(library.POLICY_ENGINES) == list(cli_options.Engine)
    assert list(library.PIN_FORMATS) == list(cli_options.PinFormat)
    assert list(map(str, Grade)) == list(map(str, cli_options.UpTo))


def test_the_options_are_those_of_the_command_line() -> None:
    of_tree = set(signature(harden_tree).parameters) - {"path", "write"}
    assert of_tree - {"max_risk"} == set(Choices.__struct_fields__) - {
        "baseline",
        "no_waivers",
        "lock",  # which only decide an exit code
        "cache",  # a program has files of the user read and written only where it says so
    }
    command = typer.main.get_group(app).commands["filter"]
    of_filter = {str(parameter.name) for parameter in command.params}
    assert set(signature(harden_text).parameters) - {"text", "max_risk"} == of_filter - {
        "report", "patch", "color", "verbose", "quiet", "help",
    }  # fmt: skip
    for function in (harden_text, harden_tree):
        first, *others = signature(function).parameters.values()
        assert first.kind is first.POSITIONAL_OR_KEYWORD and all(other.kind is other.KEYWORD_ONLY for other in others)


def test_files_are_written_whole_or_not_at_all(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, before = os.replace, snapshot(shop)

    def replace(source: Any, target: Any) -> None:
        if str(target).endswith("web.yaml"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    done = run("apply", "shop", "--format", "json", cwd=shop)
    assert done.status == 2 and snapshot(shop) == before
    with pytest.raises(NotWrittenError) as caught:
        harden_tree("shop", write=True)
    assert snapshot(shop) == before
    assert f"harden: {caught.value}\n" == done.err
    result = caught.value.result
    assert not result.written and not result.files and result.patch() == ""
    assert [finding.file for finding in result.findings if finding.id == "not-written"] == ["shop/web.yaml"]
    hold(result, json.loads(done.out))
    assert isinstance(caught.value, HardenError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.result) == (str(caught.value), result)


# -- secrets


def test_records_and_the_patch_mask_secrets_and_the_texts_do_not(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": SECRETS.replace("value:", "value: ")})
    for result in (harden_text(SECRETS, max_grade="breaking"), harden_tree(tmp_path, max_grade="breaking")):
        assert result.changes and result.findings
        assert TOKEN not in repr(result) + result.patch()
        file = result.files[0]
        assert file.before is not None and TOKEN in file.before and TOKEN in file.after
        assert result.not_in_patch == () or file.name in result.not_in_patch
    assert TOKEN in harden_text(SECRETS).text


def test_a_value_that_is_a_secret_is_masked_in_its_record() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n"
        f"    hardener.dev/ignore-no-host-ipc: with {TOKEN}\nspec:\n  hostIPC: true\n  containers:\n"
        f"  - name: b\n    image: b:1\n    env: [{{name: API_TOKEN, value: {TOKEN}}}]\n"
    )
    result = harden_text(text)
    assert TOKEN not in repr(result) and "redacted" in repr(result.waived)


# -- a guest in somebody else's process


def test_a_result_does_not_change_and_does_not_refer_to_the_run() -> None:
    result = harden_text(HELD)
    with pytest.raises(FrozenInstanceError):
        result.text = ""  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        result.changes[0].line = 1  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(result)) == result
    assert len({*result.changes, *result.held, *result.findings}) > 2
    seen: list[Any] = [result]
    while seen:
        value = seen.pop()
        assert type(value).__module__ in ("builtins", "hardener.report.results", "hardener.authoring.edits"), value
        seen += [getattr(value, field.name) for field in fields(value)] if is_dataclass(value) else ()
        seen += value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()


_GUEST = """
import gc, os, sys, warnings
here = os.getcwd()
events = []
def hook(event, arguments):
    if event in ("os.fork", "os.chdir", "subprocess.Popen", "os.putenv", "socket.connect"):
        events.append(event)
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(here):
        events.append(f"{event} {arguments[0]}")
from hardener import harden_text, harden_tree
from hardener.authoring import registry
registry.transforms()
sys.addaudithook(hook)
def state():
    return dict(os.environ), os.getcwd(), gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), warnings.filters[:]
before = state()
"""


def guest(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run ``program`` in ``folder`` with an eye on what it does to its process."""
    script = f"{_GUEST}\n{textwrap.dedent(program)}\nassert state() == before\nassert not events, events\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_a_text_is_all_that_is_looked_at(tmp_path: Path) -> None:
    elsewhere = harden_text(DEPLOYMENT)
    write(tmp_path, {".harden.yaml": "profile: strict\n", "harden.lock": "version: 1\n", "web.yaml": SERVICE})
    commit(tmp_path)
    texts = json.dumps({**TEXTS, "all": "---\n".join((DEPLOYMENT, SERVICE, HELD, SECRETS))})
    done = guest(
        tmp_path,
        f"""
        import json
        for text in json.loads({texts!r}).values():
            for profile in ("baseline", "restricted", "strict"):
                harden_text(text, profile=profile, max_grade="breaking")
        text = harden_text({DEPLOYMENT!r}).text
        sys.stderr.write("the text: " + text)
        """,
    )
    assert (done.stdout, done.stderr) == ("", "the text: " + elsewhere.text)


@pytest.mark.slow
def test_a_large_tree_starts_no_process_and_prints_nothing(tmp_path: Path) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  containers: [{name: a, image: b}]\n"
    )
    write(tmp_path, {"tree/pods.yaml": "---\n".join([pod] * 600)})
    (tmp_path / "cwd").mkdir()
    done = guest(
        tmp_path / "cwd",
        """
        result = harden_tree("../tree", only="no-host-pid", write=True)
        assert result.summary.edits == 600, result.summary
        """,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert "hostPID" not in (tmp_path / "tree" / "pods.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_calls_in_several_threads_do_not_meet() -> None:
    texts = [text for text in TEXTS.values() for _ in range(2)]
    alone = [harden_text(text) for text in texts]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(harden_text, texts)) == alone


@pytest.mark.slow
def test_a_run_leaves_no_tree_behind(tmp_path: Path) -> None:
    mounts = "{name: a, image: b, volumeMounts: [{name: h, mountPath: /h}]}"
    pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers: [{mounts}]\n  volumes:\n"
    pod += "  - {name: h, hostPath: {path: /data/h}}\n"
    guest(
        tmp_path,
        f"""
        harden_text({SECRETS!r} + "---\\n" + {pod!r}, max_grade="breaking", profile="strict")
        gc.collect()
        from hardener import Tree
        left = [found for found in gc.get_objects() if isinstance(found, Tree)]
        assert not left, [type(holder) for tree in left for holder in gc.get_referrers(tree)]
        """,
    )


# -- the names


def _declared() -> dict[str, str]:
    """What type checkers take the names for: modules by name."""
    tree = ast.parse(Path(hardener.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {
        alias.name: str(node.module).removeprefix("hardener.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_every_public_name_is_declared_once_for_all() -> None:
    assert hardener.__all__ == sorted(set(hardener.__all__))
    assert set(hardener.__all__) == hardener._MODULES.keys()
    assert sum(map(len, hardener._HOMES.values())) == len(hardener._MODULES)
    assert _declared() == hardener._MODULES
    assert set(hardener.__all__) <= set(dir(hardener))
    with pytest.raises(AttributeError, match="'hardener' has no attribute 'harden'"):
        _ = hardener.harden


@pytest.mark.parametrize("name", hardener.__all__)
def test_every_public_name_says_what_it_is(name: str) -> None:
    found = getattr(hardener, name)
    assert found is getattr(hardener, name)
    if name == "Steps":
        assert typing.get_args(found)  # a type has no place for a docstring
        return
    text = vars(found).get("__doc__") if isinstance(found, type) else found.__doc__
    assert text and not text.startswith(f"{name}(") and text.split("\n\n")[0].rstrip().endswith((".", "``"))
    if isinstance(found, type) and found.__module__ == results.__name__:
        assert is_dataclass(found) and not hasattr(object.__new__(found), "__dict__")


def test_every_record_is_public() -> None:
    own = {name for name, found in vars(results).items() if getattr(found, "__module__", "") == results.__name__}
    assert {name for name in own if isinstance(getattr(results, name), type)} <= set(hardener.__all__)


# -- rules of other packages


def _rule(module: str, **options: Any) -> Any:
    def own(pod: PodTemplate) -> Steps:
        """A sentence.

        Why: because.

        May break: nothing.
        """
        yield pod.set("hostPID", to=False, grade=Grade.SAFE, evidence=[Evidence("x")])

    own.__module__ = module
    return transform(each=PodTemplate, stage="host", **options)(own).__transform__  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["rules", "rules.own", "rules.deep.own", "network"])
def test_a_package_says_the_risk_of_its_rule(module: str) -> None:
    assert (_rule(module).risk, _rule(module).risk_2022) == ("K01", "K01")
    assert (_rule(module, risk="K05").risk, _rule(module, risk="K05").risk_2022) == ("K05", "K07")
    assert _rule("network.own").risk == "K05"  # as the folder of a built-in one


def test_a_risk_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="unknown risk 'K11'"):
        _rule("rules.own", risk="K11")


def test_the_example_needs_nothing_below_hardener() -> None:
    for path in EXAMPLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                assert set(names) <= {"hardener", "dataclasses", "typing"}


# -- the page


class Block(NamedTuple):
    """A fenced block of the page, below ``heading``; its text stands at [start, end)."""

    language: str
    heading: str
    text: str
    start: int
    end: int


def blocks() -> list[Block]:
    text = PAGE.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.S | re.M):
        heading = re.findall(r"^## (.*)$", text[: match.start()], re.M)[-1]
        found.append(Block(match[1], heading, match[2], match.start(2), match.end(2)))
    return found


def show(request: pytest.FixtureRequest, number: int, now: str) -> None:
    """Fail when the block ``number`` of the page is something else than ``now``; ``--harden-accept`` takes it over."""
    block = blocks()[number]
    if block.text != now and request.config.getoption("--harden-accept"):
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text[: block.start] + now + text[block.end :], encoding="utf-8")
        return
    assert block.text == now, "docs/library.md is out of date; --harden-accept mends it"


PROGRAMS = [
    n
    for n, (one, two) in enumerate(zip(blocks(), blocks()[1:], strict=False))
    if (one.language, two.language) == ("python", "text")
]
RULE = next(n for n, block in enumerate(blocks()) if (block.language, block.heading) == ("python", "Write a rule"))


def test_the_page_shows_programs_and_a_rule() -> None:
    assert len(PROGRAMS) == 4
    assert {n for n, block in enumerate(blocks()) if block.language == "python"} == {*PROGRAMS, RULE}


@pytest.mark.slow
@pytest.mark.parametrize("number", PROGRAMS)
def test_the_output_of_each_program_is_real(number: int, shop: Path, request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "-c", blocks()[number].text]
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    show(request, number + 1, done.stdout)


def test_the_rule_of_the_page_is_the_example(request: pytest.FixtureRequest) -> None:
    show(request, RULE, (EXAMPLE / "office_rules" / "office_only.py").read_text(encoding="utf-8"))
    whole = "".join((EXAMPLE / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "office.yaml"))
    for block in blocks():
        if block.language in ("toml", "yaml"):
            assert block.text in whole


def test_the_page_names_every_field_and_option() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"`([^`\n]+)`", text))))
    for record in vars(results).values():
        if record in (results.Hardened, results.ObjectRecord, results.EvidenceRecord):
            continue
        if is_dataclass(record) and record.__module__ == results.__name__:
            assert {field.name for field in fields(record) if not field.name.startswith("_")} - {"profile"} <= named
    assert set(signature(harden_tree).parameters) <= named | {"path"}
    facts = {name for name, module in hardener._MODULES.items() if module.startswith("facts.")}
    assert facts - {"Binding", "ConfigMap"} <= named


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target


# -- the wheel in an environment of its own

_PROGRAM = '''
"""Types of everything that a result holds."""
from collections.abc import Iterator
from pathlib import Path

from hardener import (
    AsRead, Basis, Builds, ChangeRecord, Container, Edit, Evidence, FileRecord, Finding, Grade, HardenedText,
    HardenedTree, HardenError, InputError, PodTemplate, Relations, Severity, Steps, Tree, harden_text, harden_tree,
    signs, states, transform,
)


class Names(AsRead):
    """The names of all pods."""

    def __init__(self, tree: Tree) -> None:
        self.found: list[str] = [pod.object.name for pod in tree.pod_templates]


@transform(each=PodTemplate, stage="host", risk="K05")
def own(pod: PodTemplate) -> Steps:
    """A sentence.

    Why: because.

    May break: nothing.
    """
    names: list[str] = pod.tree.ask(Names).found
    services = pod.tree.ask(Relations).services_of(pod)
    spaces: tuple[str | None, ...] = pod.tree.ask(Builds).namespaces(pod.object)
    for container in pod.containers:
        yield container.set("tty", to=False, grade=Grade.SAFE, basis=Basis.PROVED, evidence=[pod.fact("x", "tty")])
    yield from facts(pod, [*names, *map(str, services), *map(str, spaces)])


def facts(pod: PodTemplate, words: list[str]) -> Iterator[Edit | Finding]:
    for state in states(pod):
        reveal: PodTemplate = state
        yield reveal.finding(" ".join(words), advice="look", severity=Severity.LOW)


def program(path: Path) -> list[ChangeRecord]:
    text: HardenedText = harden_text("a: 1", max_grade="safe", only=["K01"], set={"resources.cpu-limit": "none"})
    tree: HardenedTree = harden_tree([path, "b"], write=True, profile=path, skip="K02")
    try:
        file: FileRecord = tree.files[0]
        before: str | None = file.before
        grade: Grade = tree.held[0].grade
        severity: Severity = tree.findings[0].severity
        count: int = tree.summary.edits + text.summary.held
        print(before, grade, severity, count, text.text, tree.patch(), tree.written)
    except InputError as error:
        base: HardenError = error
        print(base)
    return [*text.changes, *tree.changes]
'''


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The programs of an environment with the wheel and the example in it; its libraries are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")

    def do(*command: str | Path) -> None:
        done = subprocess.run([sys.executable, "-m", *map(str, command)], capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    do("build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    do("venv", "--without-pip", folder / "venv")
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    mine = Path(pytest.__file__).parent.parent
    # A .pth in a folder that is named by a .pth is not read: the checkout, installed for development, is not seen.
    (site / "libraries.pth").write_text(f"{mine}\n", encoding="utf-8")
    (wheel,) = folder.glob("*.whl")
    copytree(EXAMPLE, folder / "own-transform")
    pip = ("pip", "-q", "--python", folder / "venv" / "bin" / "python", "install", "--no-deps", "--no-build-isolation")
    do(*pip, "--no-index", "--force-reinstall", wheel, folder / "own-transform")
    yield folder / "venv" / "bin"


def inside(venv: Path, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    return subprocess.run(
        [venv / program, *arguments], cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=600
    )


@pytest.mark.slow
def test_the_wheel_is_what_runs_there(venv: Path, tmp_path: Path) -> None:
    script = "import hardener, office_rules; print(hardener.__file__); print(office_rules.__file__)"
    done = inside(venv, "python", "-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(Path(line).is_relative_to(venv.parent) for line in done.stdout.splitlines())


@pytest.mark.slow
def test_the_rule_of_the_example_is_one_among_the_others(venv: Path, tmp_path: Path) -> None:
    listed = inside(venv, "harden", "list", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    risk = re.search(r"^K06 .*?(?=^K07)", listed.stdout, re.S | re.M)
    assert risk and "\n  office-only " in risk[0]
    explained = inside(venv, "harden", "explain", "office-only", cwd=tmp_path)
    assert "Options: office.domain, office.ranges" in explained.stdout


@pytest.mark.slow
def test_its_profile_runs_it(venv: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    copytree(EXAMPLE / "golden" / "exposure" / "office-only" / "keeps-others-out" / "before", tmp_path / "k8s")
    write(tmp_path, {"office.yaml": (EXAMPLE / "office.yaml").read_text(encoding="utf-8")})
    done = inside(venv, "harden", "diff", "k8s", "--profile", "office.yaml", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    number = next(n for n, block in enumerate(blocks()) if (block.language, block.heading) == ("text", "Write a rule"))
    show(request, number, done.stdout + "\n" + done.stderr)
    assert inside(venv, "harden", "diff", "k8s", cwd=tmp_path).returncode == 0  # restricted does not contain it


@pytest.mark.slow
def test_its_cases_are_tests(venv: Path, tmp_path: Path) -> None:
    copytree(EXAMPLE, tmp_path / "own")
    done = inside(venv, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "own")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    verified = inside(venv, "harden", "golden", "verify", "golden", cwd=tmp_path / "own")
    assert verified.stdout.endswith("3 passed, 0 failed\n")
    findings = tmp_path / "own" / "golden" / "exposure" / "office-only" / "keeps-others-out" / "findings.txt"
    findings.write_text("", encoding="utf-8")
    assert inside(venv, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "own").returncode == 1


@pytest.mark.slow
def test_types_are_precise_in_a_strict_program(venv: Path, tmp_path: Path) -> None:
    programs = {f"page_{number}.py": blocks()[number].text for number in [*PROGRAMS, RULE]}
    write(tmp_path, {"program.py": _PROGRAM, **programs})
    write(
        tmp_path, {"wrong.py": "from hardener import harden_text\nharden_text('', max_grade=1)\nharden_text('').txt\n"}
    )
    python = ("--python-executable", str(venv / "python"), "--cache-dir", str(tmp_path / "cache"))
    done = inside(venv, "python", "-m", "mypy", "--strict", *python, "program.py", *programs, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = inside(venv, "python", "-m", "mypy", "--strict", *python, "wrong.py", cwd=tmp_path)
    assert [line.rpartition("  ")[2] for line in wrong.stdout.splitlines()[:-1]] == ["[arg-type]", "[attr-defined]"]
