"""The patch of `diff`, taken by a real `git apply`, gives the files that `apply` gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CORPUS, DEPLOYMENT, CorpusTree, Harden, commit, git, restore, run, snapshot, write

pytestmark = pytest.mark.slow  # its many cases together

MASKED = "# shows masked secrets: git apply cannot take this file, harden apply can\n"


def masked_names(out: str, *, named: bool = False) -> set[str]:
    """The files whose patch is marked as masked; ``named``: the report behind it must name them all."""
    summary = re.search(
        r"^(?:harden: )?git apply refuses this patch, since secrets are masked in it \(.*?\): (.*)$", out, re.M
    )
    names = set(summary[1].split(", ")) if summary else set()
    marked = set(re.findall(re.escape(MASKED) + r"diff --git a/(.*) b/", out))
    if named:
        assert len(names) == len(marked) and all(any(mark.endswith(name) for mark in marked) for name in names)
    return marked


def parts(out: str) -> tuple[str, dict[str, str]]:
    """The report up to the first patch, and the patch of every file by its name."""
    head, *rest = re.split(r"^(?=diff --git )", out, flags=re.M)
    return head, {re.match(r"diff --git a/(.*) b/", part)[1]: part for part in rest}  # type: ignore[index]


def applicable(out: str) -> str:
    """The whole output without the patches of masked files."""
    masked = masked_names(out)
    head, found = parts(out)
    return head + "".join(part for name, part in found.items() if name not in masked)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("sub", [False, True], ids=["root", "sub-folder"])
@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus(name: str, sub: bool, corpus: Callable[[str], CorpusTree]) -> None:
    tree = corpus(name)
    folder = tree.folder if sub else tree.folder.parent
    restore(folder)
    try:
        done = tree.diff if sub else run("diff", "tree", cwd=folder)
        out = done.out
        masked = {file.removeprefix("tree/") for file in masked_names(done.all, named=True)}
        found = {file.removeprefix("tree/") for file in parts(out)[1]}
        assert found == {file for file in tree.after if tree.after[file] != tree.before.get(file)}
        assert len(masked) < len(found) / 4, "most of the patch can be applied"
        applied = git(folder, "apply", "-", stdin=applicable(out).encode())
        assert applied.returncode == 0, applied.stderr.decode()
        patched = snapshot(tree.folder)
        assert patched.keys() == tree.after.keys()
        for file, content in patched.items():
            assert content == (tree.before if file in masked else tree.after)[file], file
    finally:
        restore(folder)
        write(tree.folder, {file: content for file, (_, content) in tree.after.items()})


def test_a_long_patch_is_printed_as_a_short_one_is(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made a second time rather than kept."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: Tr0ub4dor-and-3}\n---\n"
    write(tmp_path, {"a.yaml": DEPLOYMENT, "b.yaml": secret + DEPLOYMENT.replace("image: ", "image: Tr0ub4dor-and-3/")})
    short = harden("diff", ".", cwd=tmp_path)
    monkeypatch.setattr("hardener.report.terminal.printed._MOST_KEPT", 100)
    assert harden("diff", ".", cwd=tmp_path).out == short.out and short.out.count("diff --git") > 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CORPUS)
def test_the_patch_format_on_the_corpus(name: str, corpus: Callable[[str], CorpusTree]) -> None:
    """Nothing but the patch on standard output, all of which git takes; what is not in it is named beside it."""
    tree = corpus(name)
    folder = tree.folder.parent
    restore(folder)
    try:
        done = run("diff", ".", "--format", "patch", cwd=tree.folder)
        masked = set(re.findall(r"^harden: (.*): not in the patch, since ", done.err, re.M))
        assert masked == {file.removeprefix("tree/") for file in masked_names(tree.diff.all, named=True)}
        head, found = parts(done.out)
        assert head == "" and done.out.startswith("diff --git ")
        changed = {file for file in tree.after if tree.after[file] != tree.before.get(file)}
        assert {file.removeprefix("tree/") for file in found} == changed - masked
        applied = git(folder, "apply", "-", stdin=done.out.encode())
        assert applied.returncode == 0, applied.stderr.decode()
        assert snapshot(tree.folder) == {
            file: (tree.before if file in masked else tree.after)[file] for file in tree.after
        }
    finally:
        restore(folder)
        write(tree.folder, {file: content for file, (_, content) in tree.after.items()})


def test_the_patch_format_names_what_it_leaves_out(harden: Harden, tmp_path: Path) -> None:
    env = "env: [{name: DB_PASSWORD, value: hunter2hunter2}]"  # on the line that changes
    pod = (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: c, image: i, {env}}}]}}}}\n"
    )
    write(tmp_path, {"secret.yaml": pod, "web.yaml": DEPLOYMENT})
    commit(tmp_path)
    for command in ("diff", "check"):
        done = harden(command, ".", "--format", "patch")
        assert done.status == 1
        why = "not in the patch, since it would show secrets that are masked; harden apply can change it"
        assert done.err == f"harden: secret.yaml: {why}\n"
        assert "hunter2" not in done.all and "redacted" not in done.out
        assert set(parts(done.out)[1]) == {"web.yaml", "harden-networkpolicies.yaml"}


ONE_LINE = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}"
SHAPES = {
    "plain.yaml": DEPLOYMENT,
    "crlf.yaml": DEPLOYMENT.replace("\n", "\r\n"),
    "bom.yaml": "\ufeff" + DEPLOYMENT,
    "bom-crlf.yaml": "\ufeff" + DEPLOYMENT.replace("\n", "\r\n"),
    "bom-first-line.yaml": "\ufeff" + ONE_LINE + "\n",
    "no-newline.yaml": DEPLOYMENT.rstrip("\n"),
    "no-newline-crlf.yaml": DEPLOYMENT.replace("\n", "\r\n").removesuffix("\r\n"),
    "one-line.yaml": ONE_LINE,
    "a b.yaml": DEPLOYMENT,
    "sub folder/c d.yaml": DEPLOYMENT,
    "caf\u00e9.yaml": DEPLOYMENT,
    "sub/\u65e5\u672c.yaml": DEPLOYMENT,
    "quo\"te'd.yaml": DEPLOYMENT,
    "back\\slash.yaml": DEPLOYMENT,
    "tab\there.yaml": DEPLOYMENT,
    "new\nline.yaml": DEPLOYMENT,
    "\x7f\x01.yaml": DEPLOYMENT,
    "b/a b/b.yaml": DEPLOYMENT,
    "-dash.yaml": DEPLOYMENT,
    "unicode.yaml": DEPLOYMENT.replace("# the only one", "# caf\u00e9 \u2713 \U0001f600"),
    "separators.yaml": DEPLOYMENT.replace("image:", "args: ['a\u2028b\u2029c\x85d']\n        image:"),
    "mixed-ends.yaml": DEPLOYMENT.replace("spec:\n", "spec:\r\n"),
    "many.yaml": "---\n".join(DEPLOYMENT.replace("web", f"web{n}") for n in range(12)),
    "trailing.yaml": DEPLOYMENT + "\n\n# end\n\n",
    "pod.json": '{\n  "apiVersion": "v1",\n  "kind": "Pod",\n  "metadata": {"name": "p"},\n'
    '  "spec": {"containers": [{"name": "c", "image": "i"}]}\n}',
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_names(name: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {name: SHAPES[name]})
    commit(tmp_path)
    out = harden("diff").out
    assert harden("apply", ".").status == 0
    after = snapshot(tmp_path)
    assert after[name][1].decode() != SHAPES[name]
    restore(tmp_path)
    done = git(tmp_path, "apply", "-", stdin=out.encode())
    assert done.returncode == 0, done.stderr.decode()
    assert snapshot(tmp_path) == after


def test_all_shapes_in_one_patch_and_from_a_sub_folder(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {f"x/{name}": text for name, text in SHAPES.items()} | {"y/other.yaml": DEPLOYMENT})
    commit(tmp_path)
    out = harden("diff", ".", cwd=tmp_path / "x").out
    harden("apply", ".", cwd=tmp_path / "x")
    after = snapshot(tmp_path)
    restore(tmp_path)
    done = git(tmp_path / "x", "apply", "-", stdin=out.encode())
    assert done.returncode == 0, done.stderr.decode()
    assert snapshot(tmp_path) == after
    assert (tmp_path / "y/other.yaml").read_text() == DEPLOYMENT


def test_nothing_stands_inside_a_patch_that_git_does_not_know(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    commit(tmp_path)
    out = harden("diff", "--max-grade", "guess").out
    patch = parts(out)[1]["web.yaml"].split("\n\n")[0]
    for line in patch.splitlines():
        assert re.match(r"diff --git a/|--- a/|\+\+\+ b/|@@ -\d+(,\d+)? \+\d+(,\d+)? @@|[ +-]|\\ No newline", line), (
            line
        )
    assert re.search(r"^@@ .* @@ [a-z-]+", patch, re.M)
    reasons = out[: out.index("diff --git")].splitlines()[-1]
    assert reasons.startswith("# ") and "run-as-non-root" in reasons


def test_a_file_outside_git_is_named_from_the_working_directory(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a/web.yaml": DEPLOYMENT})
    assert "diff --git a/a/web.yaml b/a/web.yaml\n" in harden("diff").out
    assert "diff --git a/web.yaml b/web.yaml\n" in harden("diff", cwd=tmp_path / "a").out


def test_a_file_with_masked_secrets_is_named_and_the_others_apply(harden: Harden, tmp_path: Path) -> None:
    secret = DEPLOYMENT.replace(
        "        image:", "        env: [{name: DB_PASSWORD, value: hunter2hunter2}]\n        image:"
    )
    write(tmp_path, {"secret.yaml": secret, "web.yaml": DEPLOYMENT})
    commit(tmp_path)
    out = harden("diff").out
    assert "hunter2" not in out
    if masked_names(out):
        assert masked_names(out) == {"secret.yaml"}
    harden("apply", ".")
    after = snapshot(tmp_path)
    assert b"hunter2hunter2" in after["secret.yaml"][1]
    restore(tmp_path)
    done = git(tmp_path, "apply", "-", stdin=applicable(out).encode())
    assert done.returncode == 0, done.stderr.decode()
    assert snapshot(tmp_path)["web.yaml"] == after["web.yaml"]


def test_a_secret_far_from_the_edits_masks_nothing(harden: Harden, tmp_path: Path) -> None:
    """Context lines with a secret are cut away where the hunk can do without them."""
    secret = "\n".join(f"  key{n}: value" for n in range(9)) + "\n"
    config = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  DB_PASSWORD: hunter2hunter2\n{secret}---\n"
    )
    write(tmp_path, {"web.yaml": config + DEPLOYMENT})
    commit(tmp_path)
    out = harden("diff").out
    assert "hunter2" not in out and masked_names(out) == set()
    harden("apply", ".")
    after = snapshot(tmp_path)
    restore(tmp_path)
    assert git(tmp_path, "apply", "-", stdin=out.encode()).returncode == 0
    assert snapshot(tmp_path) == after


def test_new_files_are_in_the_patch(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"x/sub dir/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n"})
    commit(tmp_path)
    out = harden("diff", ".", cwd=tmp_path / "x").out
    assert "new file mode 100644\n--- /dev/null\n" in out
    harden("apply", ".", cwd=tmp_path / "x")
    after = snapshot(tmp_path)
    assert len(after) == 2
    restore(tmp_path)
    for folder in (tmp_path, tmp_path / "x"):
        done = git(folder, "apply", "-", stdin=out.encode())
        assert done.returncode == 0, done.stderr.decode()
        assert snapshot(tmp_path) == after
        restore(tmp_path)
