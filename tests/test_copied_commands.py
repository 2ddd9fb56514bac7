"""Commands that harden prints or writes for a person: what a tree calls something is one word in them, or not there."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.authoring.edits import Kept
from hardener.commands import secrets_folder
from hardener.errors import InputError
from hardener.support.shell_words import command, quoted, refusal, scalar

from .conftest import ROOT, Harden, commit, write

SHELLS = [shell for shell in ("sh", "bash", "dash") if shutil.which(shell)]
# A name of an object that is one word of the command.
ONE_WORD = [
    "x; touch PWNED;#", "x && touch PWNED", "x|touch PWNED", "$(touch PWNED)", "`touch PWNED`", "x & touch PWNED &",
    "x' ; touch PWNED ; '", 'x" ; touch PWNED ; "', "x\\'; touch PWNED #", "x > PWNED", "${IFS}touch${IFS}PWNED",
    "x --overwrite -l a", "x\\", "*", "{a,b}", "!x", "#x", "~root", "x=$PWD", "(touch PWNED)", "\u00e9; touch PWNED",
]  # fmt: skip
# One for which no command is shown.
NO_WORD = [
    "x\ntouch PWNED", "x\rtouch PWNED", "x\x00", "x\x1b[2J", "x\u2028touch PWNED", "x\u202etouch", "\u200bx",
    "x\x7f", "x\x85touch PWNED", "\x01'; touch PWNED; '", "##[command]x", "--all", "-l a=b", "@/etc/passwd",
    "file:///etc/passwd", "https://example.com/x",
]  # fmt: skip


def ran(text: str, shell: str, folder: Path) -> list[list[str]]:
    """What programs get when somebody lets ``shell`` run ``text``; nothing else may come of it."""
    folder.mkdir(exist_ok=True)
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("kubectl", "vault", "aws", "gcloud", "az", "sops", "git", "harden"):
        (programs / name).write_text(
            f'#!/bin/sh\n{{ printf "%s\\0" {name} "$@"; printf "\\1\\0"; }} >> "$RECORD"\n', encoding="utf-8"
        )
        (programs / name).chmod(0o755)
    record, work = folder / "record", folder / "work"
    record.write_bytes(b"")
    work.mkdir(exist_ok=True)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "RECORD": str(record), "VAULT_NAME": "v"}
    subprocess.run([shell, "-c", text], cwd=work, env=environment, capture_output=True, timeout=60, check=False)
    assert [*work.iterdir()] == []
    calls = record.read_bytes().decode("utf-8", "surrogateescape").split("\1\0")
    return [call.split("\0")[:-1] for call in calls if call]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ONE_WORD)
def test_a_name_is_one_word_of_a_command(name: str, shell: str, tmp_path: Path) -> None:
    text = command("kubectl delete secret {} -n {}", name, "shop")
    assert ran(text, shell, tmp_path / "run") == [["kubectl", "delete", "secret", name, "-n", "shop"]]


@pytest.mark.parametrize("name", NO_WORD)
def test_what_is_no_name_makes_no_command(name: str, tmp_path: Path) -> None:
    text = command("kubectl delete secret {}", name)
    assert text == f"(no command is shown: {refusal(name)})" and "kubectl" not in text and text.isprintable()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("path", [*ONE_WORD, *(name for name in NO_WORD if "\0" not in name)])
def test_a_path_is_one_word_to_every_shell(path: str, shell: str, tmp_path: Path) -> None:
    (call,) = ran(command("git restore -- {file}", file=path), shell, tmp_path / "run")
    assert call[:3] == ["git", "restore", "--"] and len(call) == 4
    if shell == "bash":
        assert call[3].removeprefix("./") == path


@pytest.mark.parametrize("name", ONE_WORD)
def test_an_advice_of_a_tree_can_be_pasted(name: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/p.yaml": tree(name)})
    out = harden("diff", "k8s").all
    (text,) = re.findall(r"known to pass: (kubectl label .*?) \(with --dry-run", out)
    assert ran(text, "sh", tmp_path / "run") == [
        ["kubectl", "label", "namespace", name, "pod-security.kubernetes.io/enforce=baseline"]
    ]


@pytest.mark.parametrize("name", [name for name in NO_WORD if "\0" not in name])
def test_an_advice_about_what_is_no_name_holds_no_command(name: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/p.yaml": tree(name)})
    done = harden("diff", "k8s")
    assert "(no command is shown: the name " in done.all and "kubectl label" not in done.all
    assert "kubectl" not in harden("diff", "k8s", "--format", "json").out.replace("kubectl.kubernetes.io", "")


def tree(name: str) -> str:
    """A Namespace, and a Service that selects nothing in it."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": name},
        "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]},
    }  # fmt: skip
    return f"{json.dumps(namespace)}\n---\n{json.dumps(service)}\n"


@pytest.mark.parametrize("name", [*ONE_WORD, "on", "1e3", "~", "null", "a: b", "a}", "web"])
def test_a_name_in_a_line_of_yaml_is_a_string(name: str) -> None:
    import yaml

    assert yaml.safe_load(f"{{a: {scalar(name)}, b: 1}}") == {"a": name, "b": 1}


# push.sh.
WAYS = [("vault", "kv"), ("vault-patch", "kv"), ("aws",), ("gcp",), ("azure",), ("kubectl",), ("sops", "k/x.enc.yaml"),
        ("sealed",)]  # fmt: skip


def kept(key: str, via: tuple[str, ...]) -> Kept:
    return Kept(key, "PASSWORD", b"Tr0ub4dor", ("shop", "app"), "app.yaml Deployment/app", via)


@pytest.mark.parametrize("key", [name for name in ONE_WORD if len(name) > 1])
@pytest.mark.parametrize("via", WAYS, ids=lambda via: via[0])
def test_a_key_is_one_word_of_the_script(via: tuple[str, ...], key: str, tmp_path: Path) -> None:
    folder = tmp_path / "a 'b"
    secrets_folder.write(str(folder), [kept(key, via)])
    script = folder / "push.sh"
    text = f"mkdir k; sh {quoted(str(script))}; rm -f k/x.enc.yaml; rmdir k" if via[0] == "sops" else ""
    calls = ran(text or f"sh {quoted(str(script))}", "sh", tmp_path / "run")
    if via[0] == "sealed":
        assert calls == []
        return
    words = calls[0]
    assert key in words if via[0] not in ("kubectl", "sops") else key not in words
    assert any(word.removeprefix("@").removeprefix("file://").removeprefix("--data-file=").startswith(str(folder))
               for word in words)  # fmt: skip


@pytest.mark.parametrize("key", NO_WORD)
@pytest.mark.parametrize("via", WAYS, ids=lambda via: via[0])
def test_a_script_with_what_is_no_name_is_not_written(via: tuple[str, ...], key: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no manifest was changed") as caught:
        secrets_folder.write(str(tmp_path / "values"), [kept(key, via)])
    assert str(caught.value).isprintable()
    assert not (tmp_path / "values").exists()


@pytest.mark.parametrize(
    "via", [("vault", "kv\ntouch PWNED"), ("vault", "-x"), ("sops", "a\ntouch PWNED.enc.yaml")], ids=str
)
def test_a_mount_or_a_file_that_no_script_can_name_is_refused(via: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        secrets_folder.write(str(tmp_path / "values"), [kept("shop/app", via)])


def test_a_folder_that_no_script_can_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        secrets_folder.write(str(tmp_path / "a\nb"), [kept("shop/app", ("aws",))])
    assert not (tmp_path / "a\nb").exists()


@pytest.mark.parametrize("backend", ["sops", "secret", "external-secrets"])
@pytest.mark.parametrize("template", ["{ns}\ntouch PWNED #'/{name}", "--x/{name}", "@{name}", "file:///{name}"])
def test_a_key_of_the_configuration_that_is_no_name_moves_nothing(
    template: str, backend: str, harden: Harden, tmp_path: Path
) -> None:
    options = {"secrets": {"backend": backend, "remote-key": template}}
    config_map = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"},
        "data": {"DB_PASSWORD": "zq8Hk2planted0Lw7"},
    }  # fmt: skip
    files = {"t/.harden.yaml": json.dumps({"options": options}), "t/k/p.yaml": json.dumps(config_map)}
    write(tmp_path, files)
    commit(tmp_path / "t")
    done = harden("apply", ".", "--yes", "--max-risk", "breaking", "--secrets-out", "../s", cwd=tmp_path / "t")
    assert done.status == 0, done.err
    assert "no command can take it to the store: the name " in done.out and "zq8Hk2planted0Lw7" not in done.all
    assert not (tmp_path / "s").exists() and (tmp_path / "t/k/p.yaml").read_text() == files["t/k/p.yaml"]


# Every place that makes a command passes what is not its own through ``command`` or one of its words.
QUOTE = {"command", "in_namespace", "quoted", "quoted_path"}
PROGRAM = re.compile(
    r"(?<![\w/.-])(?:kubectl|git|helm|vault|aws|gcloud|az|sops|kubeseal|docker|podman|terraform|kustomize|openssl|"
    r"flux|argocd|sh|cosign|crane|skopeo|sudo|rm|cp|mv|chmod|etcdctl|systemctl|kubeadm|eksctl|kops|oc|"
    r"harden(?= (?:apply|baseline|check|diff|explain|filter|graph|hook|images|init|lock|observe|secrets|values)\b))"
    r"(?: (?=[a-z%{-])|(?=\{))"
)
# What only looks like a command: prose about a program, words of our own, and words that were quoted before.
PROSE = (
    "git apply cannot", "git apply refuses", "git diff shows", "git does not", "git fetch --unshallow{}", "git fetch{}",
    "git{}{} '' --",
    "helm upgrade RELEASE CHART {}",
    "harden apply: ", "harden check {} $HARDEN_OPTIONS", "harden explain ID, harden profiles",
    "harden hook {}", "harden observe saw it ", "harden observe: ", "harden values CHART hardens it", "helm does: {}",
    "helm refuses", "helm {} does not end", "helm {} ends", "kubeadm and EKS", "kubeadm init phase upload-certs",
    "helm {} renders", "kubeadm token ", "kubeadm {} is no longer", "kubectl explain lists", "kubectl reads {} here",
    "kubectl {} gets",
    "kubectl {} makes", "kustomize includes", "kustomize renders",
)  # fmt: skip


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def quotes(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Name) and each.id in QUOTE for each in ast.walk(node))


def part_of(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else "''" if quotes(node) else "{}"


def form_of(node: ast.AST) -> str | None:
    """The text that an expression makes, with ``{}`` for what is filled in and not quoted."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(map(part_of, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = [form_of(side) for side in (node.left, node.right)]
        return "".join("{}" if side is None else side for side in sides) if any(sides) else None
    return None


def unquoted(source: str) -> Iterator[tuple[int, str]]:
    """The lines of a module at which a command is put together and something in it is not quoted."""
    module = ast.parse(source)
    passed: set[ast.AST] = set()
    names: set[str] = set()
    for call in ast.walk(module):
        if isinstance(call, ast.Expr):  # a docstring
            passed.add(call.value)
        if called(call) in QUOTE:
            passed |= set(ast.walk(call))
            names |= {each.id for each in ast.walk(call) if isinstance(each, ast.Name)}
    for statement in module.body:  # a form, or a table of them, that command() fills in
        if isinstance(statement, ast.Assign) and names & {getattr(each, "id", "") for each in statement.targets}:
            passed |= set(ast.walk(statement))
    for node in ast.walk(module):
        form = form_of(node)
        if form is None or node in passed or "\n\n" in form:
            continue
        for found in PROGRAM.finditer(form):
            rest = form[found.start() :]
            if re.search(r"\{[a-z_]*\}|%[sr]", rest) and not rest.startswith(PROSE):
                yield getattr(node, "lineno", 0), rest


def test_every_command_is_quoted() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for folder in ("hardener", "transforms")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in unquoted(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'advice = f"run kubectl delete secret {name}"',
        'advice = "run kubectl label namespace {} a=b".format(name)',
        'advice = "then: git rm --cached " + name',
        'advice = "sh %s" % script',
        'advice = f"{quoted(a)}: harden lock {path} --deep"',
        'advice = f"kubectl{where} get pods"',
        '_FORM = "vault kv put {}"\nadvice = _FORM.format(key)',
    ],
)
def test_a_command_that_is_not_quoted_is_found(source: str) -> None:
    assert [line for line, _ in unquoted(source)]


@pytest.mark.parametrize(
    "source",
    [
        'advice = command("kubectl delete secret {}", name)',
        'advice = f"run git restore -- {quoted_path(name)}"',
        '_FORM = "vault kv put {}"\nadvice = command(_FORM, key)',
        'advice = f"{name}: kubectl get pods"',
    ],
)
def test_a_command_that_is_quoted_is_not_found(source: str) -> None:
    assert not [*unquoted(source)]
