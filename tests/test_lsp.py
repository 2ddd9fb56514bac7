"""The language server: a client of ours speaks the protocol to the real process."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

pytest.importorskip("pygls", reason="needs the extra: pip install -e '.[lsp]'")

from hardener.lsp.repository import Judged, Repository
from hardener.sources.yaml import parsed
from hardener.sources.yaml.positions import compose

from .conftest import DEPLOYMENT, ROOT, SHARED
from .lsp_client import CAPABILITIES, Client, Record, applied

pytestmark = pytest.mark.slow

ALL = os.environ.get("HARDEN_CASES") == "all"
EDITS = int(os.environ.get("HARDEN_LSP_EDITS", "40"))
"""Random edits of a document; the figures of the issue ask for 10,000."""
TREES = [
    pytest.param(SHARED / name, marks=[pytest.mark.long] * (name != "apps/voting-app"), id=name.rpartition("/")[2])
    for name in ("corpus/argo-cd", "apps/microservices-demo", "apps/voting-app", "apps/aks-store-demo")
]
SOURCES = {
    "web.yaml": DEPLOYMENT,
    "main.tf": """\
resource "kubernetes_pod" "app" {
  metadata {
    name = "app"
  }
  spec {
    host_pid = true
    container {
      name  = "app"
      image = "example.com/app:1"
    }
  }
}
""",
    "pod.py": 'POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "py"},\n'
    '       "spec": {"hostIPC": True, "containers": [{"name": "a", "image": "b"}]}}\n',
}


def harden(folder: Path, *arguments: str) -> str:
    """What harden prints, run as a user does in ``folder``."""
    command = [sys.executable, "-m", "hardener", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    # 2 of check: none of the files could be parsed, which the report has, too
    assert done.returncode in ((0, 1, 2) if arguments[0] == "check" else (0, 1)), done.stderr
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / ".git").mkdir()
    for name, text in SOURCES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def client(tree: Path) -> Iterator[Client]:
    with Client(tree) as found:
        yield found


def said_by_check(folder: Path) -> dict[str, Counter[tuple[str, int, str]]]:
    """What harden check finds, by file: id, line and message."""
    found: dict[str, Counter[tuple[str, int, str]]] = {}
    for result in json.loads(harden(folder, "check", ".", "--format", "sarif"))["runs"][0]["results"]:
        if result.get("suppressions"):
            continue
        place = result["locations"][0]["physicalLocation"]
        key = (result["ruleId"], place["region"]["startLine"], result["message"]["text"])
        found.setdefault(place["artifactLocation"]["uri"], Counter())[key] += 1
    return found


def shown(diagnostics: list[Record]) -> Counter[tuple[str, int, str]]:
    return Counter((each["code"], each["data"]["line"], each["message"]) for each in diagnostics)


def titled(actions: list[Record], *words: str) -> Record:
    return next(each for each in actions if all(word in each["title"] for word in words))


# Diagnostics.


def test_diagnostics_are_those_of_check(tree: Path, client: Client) -> None:
    expected = said_by_check(tree)
    for name in SOURCES:
        assert shown(client.diagnostics(client.open(tree / name))) == expected[name]


def test_the_unsaved_text_counts_and_nothing_is_written(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    assert "no-host-pid" not in {each["code"] for each in client.diagnostics(uri)}
    client.change(uri, DEPLOYMENT.replace("      containers:", "      hostPID: true\n      containers:"))
    for whole in (False, True):
        found = [each for each in client.diagnostics(uri, whole=whole) if each["code"] == "no-host-pid"]
        assert [each["range"]["start"]["line"] for each in found] == [11]
    assert (tree / "web.yaml").read_text(encoding="utf-8") == DEPLOYMENT
    assert sorted(path.name for path in tree.iterdir()) == [".git", *sorted(SOURCES)]


def test_what_another_open_file_says_unsaved_is_evidence(tree: Path, client: Client) -> None:
    service = tree / "service.yaml"
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: NodePort\n  selector: {app: %s}\n"
    text += "  ports: [{port: 80}]\n"
    service.write_text(text % "web", encoding="utf-8")
    own, other = client.open(tree / "web.yaml"), client.open(service)
    before = shown(client.diagnostics(own))
    client.change(other, text % "elsewhere")
    client.lenses(other)
    changed = shown(client.diagnostics(own))
    service.write_text(text % "elsewhere", encoding="utf-8")
    assert changed == said_by_check(tree)["web.yaml"] != before


def test_columns_count_units_of_utf_16(tree: Path, client: Client) -> None:
    text = DEPLOYMENT.replace(
        "metadata:\n  name: web\n", "metadata:\n  name: web\n  annotations: {a: '\U0001f600\u00e9'}\n", 1
    )
    text = text.replace("image: example.com/web:1.2.3", "image: example.com/web:latest # \U0001f600\U0001f600")
    uri = client.open(tree / "web.yaml", text)
    found = next(each for each in client.diagnostics(uri) if each["code"] == "pin-image-digest")
    line = text.split("\n")[found["range"]["start"]["line"]]
    assert "\U0001f600\U0001f600" in line
    assert found["range"]["end"]["character"] == len(line.encode("utf-16-le")) // 2
    assert found["range"]["start"]["character"] == line.index("image")


def test_an_utf_8_client_gets_bytes(tree: Path) -> None:
    text = DEPLOYMENT.replace("image: example.com/web:1.2.3", "image: example.com/web:latest # \u00e9")
    (tree / "web.yaml").write_text(text, encoding="utf-8")
    with Client(tree, capabilities={**CAPABILITIES, "general": {"positionEncodings": ["utf-8", "utf-16"]}}) as client:
        found = next(
            each for each in client.diagnostics(client.open(tree / "web.yaml")) if each["code"] == "pin-image-digest"
        )
    line = text.split("\n")[found["range"]["start"]["line"]]
    assert found["range"]["end"]["character"] == len(line.encode())


def test_a_keystroke_parses_no_other_document_again(tree: Path) -> None:
    (tree / "other.yaml").write_text(
        f"{DEPLOYMENT.replace('web', 'b')}---\n{DEPLOYMENT.replace('web', 'c')}", encoding="utf-8"
    )
    kept, path = Repository(str(tree)), str(tree / "web.yaml")
    kept.judge({path: DEPLOYMENT}, lambda: False, only=path)
    typed = {path: DEPLOYMENT + "# more\n"}
    for only in (path, path, None):
        with patch.object(parsed, "compose", wraps=compose) as again:
            found = shown_of(kept.judge(typed, lambda: False, only=only), path)
        with patch.object(parsed, "compose", wraps=compose) as anew:
            assert found == shown_of(Repository(str(tree)).judge(typed, lambda: False, only=only), path)
        assert not others(again) or only is None  # which parses what it writes
        assert others(anew)


def others(compose: Mock) -> list[str]:
    texts = [call.args[0] for call in compose.call_args_list]
    return [text for text in texts if "kind: Deployment" in text and "name: web" not in text]


def shown_of(judged: Judged, path: str) -> list[tuple[str, int, str]]:
    return [(each.id, each.line, each.message) for each in judged.problems[path]]


# Quick fixes.


@pytest.mark.parametrize("name", SOURCES)
def test_a_fix_makes_the_bytes_of_apply(tree: Path, client: Client, tmp_path: Path, name: str) -> None:
    uri = client.open(tree / name)
    actions = [each for each in client.actions(uri) if "change all" in each["title"]]
    assert actions
    for action in actions[:: 1 if ALL else 4]:
        copy = tmp_path / action["diagnostics"][0]["code"]
        shutil.copytree(tree, copy)
        harden(copy, "apply", ".", "--yes", "--quiet", "--only", action["diagnostics"][0]["code"])
        assert_same(applied(client.resolved(action), lambda path: path.read_bytes().decode()), tree, copy)


def assert_same(made: dict[Path, str], tree: Path, copy: Path) -> None:
    """That the texts ``made`` are what stands in ``copy``, and that nothing else changed there."""
    for path in copy.rglob("*"):
        if not path.is_file() or ".git" in path.relative_to(copy).parts:
            continue
        own = tree / path.relative_to(copy)
        before = own.read_bytes() if own.exists() else b""
        assert path.read_bytes() == (made.pop(own).encode() if own in made else before), path.name
    assert not made


def test_a_fix_of_one_container_leaves_the_other(tree: Path, client: Client) -> None:
    text = DEPLOYMENT + "      - name: side\n        image: example.com/side:1\n"
    uri = client.open(tree / "web.yaml", text)
    one = [each for each in client.actions(uri) if each["title"].startswith("no-privilege-escalation: change Dep")]
    assert len(one) == 2
    made = applied(client.resolved(one[1]), lambda path: text)[tree / "web.yaml"]
    assert made.count("allowPrivilegeEscalation: false") == 1
    assert made.index("allowPrivilegeEscalation") > made.index("name: side")


def test_only_what_is_safe_is_preferred_and_guesses_are_explained(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    pending = {each["data"]["fingerprint"]: each for each in client.diagnostics(uri)}
    for action in client.actions(uri):
        message = pending[action["diagnostics"][0]["data"]["fingerprint"]]["message"]
        if action.get("isPreferred"):
            assert "(safe, " in message
        if "explain" in action["title"]:
            assert "edit" not in action and "data" not in action
            client.ask("workspace/executeCommand", **{k: action["command"][k] for k in ("command", "arguments")})
            said = client.wait("window/showMessage")
            assert "Why: " in said["message"]
    titles = [action["title"] for action in client.actions(uri)]
    assert any("(guess): explain" in title for title in titles)
    assert not any("change" in title and ("(guess)" in title or "(breaking)" in title) for title in titles)


def test_a_waiver_is_an_edit_that_the_next_run_honours(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    leave = titled(client.actions(uri), "no-privilege-escalation", "leave it")
    text = applied(client.resolved(leave), lambda path: client.texts[uri])[tree / "web.yaml"]
    assert "hardener.dev/ignore-no-privilege-escalation" in text
    client.change(uri, text)
    assert "no-privilege-escalation" not in {each["code"] for each in client.diagnostics(uri)}
    with pytest.raises(RuntimeError, match="no longer"):
        client.resolved(leave)


def test_an_editor_that_asks_for_the_reason_gives_it(tree: Path) -> None:
    with Client(tree, initializationOptions={"asksReason": True}) as client:
        uri = client.open(tree / "main.tf")
        command = titled(client.actions(uri), "no-host-pid", "leave it")["command"]
        arguments = [*command["arguments"], "reads  the processes\nof its node"]
        client.ask("workspace/executeCommand", command="harden.leave", arguments=arguments)
        edit = client.wait("workspace/applyEdit")["edit"]
        with pytest.raises(RuntimeError, match="needs a reason"):
            client.ask("workspace/executeCommand", command="harden.leave", arguments=[*command["arguments"], " "])
    text = applied(edit, lambda path: SOURCES["main.tf"])[tree / "main.tf"]
    assert "# harden: ignore[no-host-pid] reads the processes of its node\n" in text


# Hover, lenses, files that change beside the editor.


def test_hover_says_why_with_links(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    line = next(each["range"]["start"]["line"] for each in client.diagnostics(uri) if each["code"] == "automount-token")
    found = client.hover(uri, line)
    assert found is not None
    text = found["contents"]["value"]
    assert "K09" in text and "Why: " in text and "severity" in text
    assert client.hover(uri, 1_000_000) is None


def test_a_lens_tells_the_level_today_and_after(tree: Path, client: Client) -> None:
    (lens,) = client.lenses(client.open(tree / "main.tf"))
    assert lens["command"]["title"].startswith("Pod Security: privileged, after apply ")


def test_a_file_that_changes_on_disk_is_read_again(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    before = shown(client.diagnostics(uri))
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    service += "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n"
    (tree / "service.yaml").write_text(service, encoding="utf-8")
    client.tell("workspace/didChangeWatchedFiles", changes=[{"uri": (tree / "service.yaml").as_uri(), "type": 1}])
    client.lenses(uri)
    after = shown(client.diagnostics(uri))
    assert after == said_by_check(tree)["web.yaml"] != before


def test_a_request_can_be_cancelled(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    number = client.request("textDocument/codeLens", textDocument={"uri": uri})
    client.tell("$/cancelRequest", id=number)
    with pytest.raises(RuntimeError, match="is canceled"):
        client.answer(number)
    assert client.lenses(uri)


# Bad input.


HOSTILE = {
    "empty": "",
    "bom": "\ufeff" + DEPLOYMENT,
    "carriage returns": DEPLOYMENT.replace("\n", "\r\n") + "# a\rb\u2028c\x85d\x0be\n",
    "broken": "kind: Pod\nspec: {containers: [\n---\n" + DEPLOYMENT,
    "aliases": "kind: Pod\napiVersion: v1\na: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nspec: {containers: *c}\n",
    "deep": "kind: Pod\napiVersion: v1\nspec: " + "[" * 5000,
    "odd types": "apiVersion: v1\nkind: Pod\nmetadata: 3\nspec: {containers: {a: b}, hostPID: [true]}\n",
    "nul": DEPLOYMENT + "# \0\n",
    "lone surrogate": DEPLOYMENT + "# \ud800\n",
}


def test_no_hostile_text_ends_the_server(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    for text in HOSTILE.values():
        client.change(uri, text)
        client.diagnostics(uri)
    client.change(uri, DEPLOYMENT)
    assert shown(client.diagnostics(uri)) == said_by_check(tree)["web.yaml"]


def test_a_fix_fits_whatever_ends_lines(tree: Path, client: Client, tmp_path: Path) -> None:
    text = HOSTILE["carriage returns"].replace("\x0b", "") + "---\n" + DEPLOYMENT.replace("web", "b")
    (tree / "web.yaml").write_bytes(text.encode())
    uri = client.open(tree / "web.yaml")
    shutil.copytree(tree, tmp_path / "copy")
    harden(tmp_path / "copy", "apply", ".", "--yes", "--quiet", "--only", "no-privilege-escalation")
    edit = client.resolved(titled(client.actions(uri), "no-privilege-escalation", "change all"))
    assert_same(applied(edit, lambda path: path.read_bytes().decode()), tree, tmp_path / "copy")


def test_files_outside_and_of_other_kinds_are_left_alone(tree: Path, client: Client, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(DEPLOYMENT, encoding="utf-8")
    (tree / "link.yaml").symlink_to(outside)
    (tree / "notes.txt").write_text(DEPLOYMENT, encoding="utf-8")
    for path in (outside, tree / "link.yaml", tree / "notes.txt"):
        assert client.lenses(client.open(path)) == []
    untitled = {"uri": "untitled:Untitled-1", "languageId": "yaml", "version": 1, "text": DEPLOYMENT}
    client.tell("textDocument/didOpen", textDocument=untitled)
    assert client.actions("untitled:Untitled-1") == []
    assert not [each for each in client.received if each["method"] == "textDocument/publishDiagnostics"]


def test_a_file_without_a_folder_and_without_git_is_judged(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    with Client(None) as client:
        found = client.diagnostics(client.open(tmp_path / "pod.yaml"))
    assert shown(found) == said_by_check(tmp_path)["pod.yaml"]


def test_a_wrong_configuration_is_said_once_and_then_forgotten(tree: Path, client: Client) -> None:
    (tree / ".harden.yaml").write_text("profile: [\n", encoding="utf-8")
    uri = client.open(tree / "web.yaml")
    assert client.lenses(uri) == []
    assert ".harden.yaml" in client.wait("window/showMessage")["message"]
    (tree / ".harden.yaml").unlink()
    client.tell("workspace/didChangeWatchedFiles", changes=[{"uri": (tree / ".harden.yaml").as_uri(), "type": 3}])
    assert client.lenses(uri)


def test_a_made_up_action_makes_no_edit(tree: Path, client: Client) -> None:
    uri = client.open(tree / "web.yaml")
    guess = next(each for each in client.diagnostics(uri) if each["data"]["kind"] == "held")
    real = {"uri": uri, "fingerprint": guess["data"]["fingerprint"]}
    for data in ({}, {"uri": 3}, {**real, "fix": guess["code"], "target": None}, {**real, "fix": "no-such"}):
        with pytest.raises(RuntimeError):
            client.ask("codeAction/resolve", title="x", data=data)
    wrong: list[list[object]] = [[], [3], [{}], [{"uri": uri}, 3]]
    for arguments in wrong:
        with pytest.raises(RuntimeError):
            client.ask("workspace/executeCommand", command="harden.leave", arguments=arguments)
    assert client.lenses(uri)


def test_a_client_that_dies_ends_the_server(tree: Path) -> None:
    client = Client(tree)
    client.open(tree / "web.yaml")
    assert client.leave() == 0


def test_secrets_are_masked(tree: Path, client: Client) -> None:
    secret = "Zq8vT3nR5wLx2KpD"
    text = DEPLOYMENT + f"        env: [{{name: DB_PASSWORD, value: {secret}}}]\n"
    uri = client.open(tree / "web.yaml", text)
    found = client.diagnostics(uri)
    assert found
    for each in found:
        assert secret not in json.dumps([each, client.hover(uri, each["range"]["start"]["line"])])


# What the issue asks to be shown.


def copied(tree: Path, to: Path) -> Path:
    if not tree.is_dir():
        pytest.skip(f"{tree} is not there")
    shutil.copytree(tree, to / tree.name, symlinks=True)
    (to / tree.name / ".git").mkdir(exist_ok=True)
    return to / tree.name


@pytest.mark.parametrize("source", TREES)
def test_a_session_over_a_tree(source: Path, tmp_path: Path) -> None:
    """Diagnostics equal those of check in each file, and fixes make the bytes of apply."""
    tree = copied(source, tmp_path)
    expected = said_by_check(tree)
    names = [name for name in sorted(expected) if name.endswith((".yaml", ".yml", ".tf", ".py"))]
    done: set[str] = set()
    with Client(tree) as client:
        for name in names if ALL else names[:: max(len(names) // 2, 1)]:
            uri = client.open(tree / name)
            assert shown(client.diagnostics(uri)) == expected[name], name
        uri = next(iter(client.texts))
        for uri in client.texts:
            for action in client.actions(uri) if ALL or not done else []:
                id = action["diagnostics"][0]["code"]
                if "change all" not in action["title"] or id in done or (done and not ALL):
                    continue
                done.add(id)
                copy = tmp_path / id
                shutil.copytree(tree, copy, symlinks=True)
                harden(copy, "apply", ".", "--yes", "--quiet", "--only", id)
                assert_same(applied(client.resolved(action), lambda path: path.read_bytes().decode()), tree, copy)
                shutil.rmtree(copy)
    assert done


def test_random_edits_leave_no_stale_diagnostic(tmp_path: Path) -> None:
    """After each burst of edits the diagnostics are those of a server that never saw another text."""
    (tmp_path / ".git").mkdir()
    source = SHARED / "apps" / "voting-app"
    texts = [path.read_text(encoding="utf-8") for path in sorted(source.rglob("*.yaml"))] if source.is_dir() else []
    start = "---\n".join([*texts, DEPLOYMENT])
    path = tmp_path / "all.yaml"
    path.write_text(start, encoding="utf-8")
    dice = random.Random(41)
    text, done = start, 0
    with Client(tmp_path) as client:
        uri = client.open(path)
        while done < EDITS:
            for _ in range(min(dice.randint(1, max(20, EDITS // 50)), EDITS - done)):
                text, done = edited(dice, text, start), done + 1
                client.change(uri, text)
                if dice.random() < 0.1:
                    client.request(
                        "textDocument/hover", textDocument={"uri": uri}, position={"line": 3, "character": 0}
                    )
            found = client.diagnostics(uri)
            client.received.clear()
            if dice.random() < (0.2 if EDITS > 100 else 0.5):
                path.write_text(text, encoding="utf-8", newline="")
                assert shown(found) == said_by_check(tmp_path).get("all.yaml", Counter()), f"edit {done}"
        client.change(uri, start)
        path.write_text(start, encoding="utf-8")
        assert shown(client.diagnostics(uri)) == said_by_check(tmp_path)["all.yaml"]


def edited(dice: random.Random, text: str, start: str) -> str:
    """``text`` with something typed, taken away, moved or undone."""
    if len(text) < 200 or dice.random() < 0.03:
        return start
    at = dice.randrange(len(text))
    match dice.randrange(5):
        case 0:
            return text[:at] + dice.choice("abc :-\n{}[]&*!#|>'\"\t\u00e9\U0001f600") + text[at:]
        case 1:
            return text[:at] + text[at + dice.randrange(30) :]
        case 2:
            lines = text.splitlines(keepends=True)
            lines.insert(dice.randrange(len(lines)), dice.choice(lines))
            return "".join(lines)
        case 3:
            lines = text.splitlines(keepends=True)
            del lines[dice.randrange(len(lines))]
            return "".join(lines)
    word = dice.choice(["hostPID: true\n", "privileged: true\n", "---\n", "image: x:latest\n", "  "])
    at = text.rfind("\n", 0, at) + 1
    return text[:at] + word + text[at:]


# The command.


def test_without_the_extra_one_line_names_it(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pygls'] = None; sys.argv = ['harden', 'lsp']; from hardener.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, input="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "harden: harden lsp needs an extra: pip install 'hardener[lsp]'\n"


def test_no_other_command_loads_it(tree: Path) -> None:
    probe = "import sys; sys.argv = ['harden', 'apply', 'web.yaml', '--yes', '--quiet']\n"
    probe += "from hardener.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=tree, capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    assert "hardener.engine.pipeline" in modules
    assert not [name for name in modules if name.startswith(("pygls", "lsprotocol", "hardener.lsp", "asyncio"))]


def test_its_help_names_the_extra() -> None:
    assert "pip install 'hardener[lsp]'" in harden(ROOT, "lsp", "--help")


def test_nothing_but_messages_goes_to_standard_output(tree: Path, client: Client) -> None:
    client.lenses(client.open(tree / "web.yaml"))
    assert client.received and all("method" in each for each in client.received)
