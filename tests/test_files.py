"""Which files are read, which are edited, and how one file takes the place of another."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from hardener.errors import InputError
from hardener.sources import files, yaml
from hardener.sources.files import transaction
from hardener.sources.files.selection import Selection
from hardener.sources.files.transaction import NotPlacedError, Transaction
from hardener.tree.tree import Tree
from tests.conftest import DEPLOYMENT, Harden, commit, git, snapshot, write

KUSTOMIZATION = "resources: [web.yaml]\npatches:\n- path: patch.yaml\npatchesStrategicMerge: [old.yaml]\n"


def walked(folder: Path) -> list[str]:
    selection = Selection(str(folder))
    return [os.path.relpath(path, folder) for path, _ in selection.below(str(folder))]


def changed(folder: Path, before: dict[str, tuple[int, bytes]]) -> list[str]:
    """The files of the user that changed; those that the run made are not among them."""
    after = snapshot(folder)
    return [name for name in after if name in before and after[name] != before[name]]


# -- which files


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/users.csv", True), ("a/Admin.CONF", True), ("a/.kubeconfig", True), ("a/KubeConfig", True), ("a/tokens", True),
     ("a/known-tokens.txt", True), ("a/Tokens.TXT", True), (".kube/config", True), ("a/config", False),
     ("a/token.yaml", False), ("a/my.token", False), ("a/token.txt.gz", False), ("a/conf", False), ("a.txt", False)],
)  # fmt: skip
def test_what_may_hold_a_credential_beside_manifests(path: str, expected: bool) -> None:
    assert files.is_other(path) is expected


def test_a_file_is_named_from_where_people_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "a"
    here.mkdir()
    for folder in (here, tmp_path, Path("/")):
        monkeypatch.chdir(folder)
        for path in (here, here / "b.yaml", tmp_path / "ab" / "c.yaml", tmp_path / "d.yaml"):
            assert files.name_of(str(path)) == os.path.relpath(path)


def test_walk_is_sorted_and_takes_manifests_only(tmp_path: Path) -> None:
    names = ["b.yaml", "a.yml", "c.json", "d/e.yaml", "d.yaml", "x.txt", "y.yaml.bak", "z.tpl", ".hidden/h.yaml",
             "node_modules/n.yaml", ".git/g.yaml", ".venv/v.yaml"]  # fmt: skip
    write(tmp_path, {name: "" for name in names})
    assert walked(tmp_path) == [".hidden/h.yaml", "a.yml", "b.yaml", "c.json", "d/e.yaml", "d.yaml"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({".gitignore": "*.yaml\n"}, []),
        ({".gitignore": "a/\n"}, ["b/c/z.yaml", "b/y.yaml"]),
        ({".gitignore": "/y.yaml\n"}, ["a/x.yaml", "b/c/z.yaml", "b/y.yaml"]),
        ({"b/.gitignore": "/y.yaml\n"}, ["a/x.yaml", "b/c/z.yaml"]),
        ({".gitignore": "*.yaml\n", "b/.gitignore": "!y.yaml\n"}, ["b/y.yaml"]),
        ({".gitignore": "b/*\n!b/c\n"}, ["a/x.yaml", "b/c/z.yaml"]),
        ({".gitignore": "# b\n\n"}, ["a/x.yaml", "b/c/z.yaml", "b/y.yaml"]),
        ({".gitignore": "b/**/z.yaml\r\n"}, ["a/x.yaml", "b/y.yaml"]),
        ({".gitignore": b"\xff\xfe\na/\n"}, ["b/c/z.yaml", "b/y.yaml"]),
    ],
)
def test_nested_gitignore_files_are_respected(
    rules: dict[str, str | bytes], expected: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"a/x.yaml": "", "b/y.yaml": "", "b/c/z.yaml": "", **rules})
    git(tmp_path, "init", "-q")  # nothing is tracked
    assert walked(tmp_path) == expected


def test_a_gitignore_above_the_folder_counts_up_to_the_git_root(tmp_path: Path) -> None:
    write(
        tmp_path, {".gitignore": "*.yaml\n", "repo/.gitignore": "out/\n", "repo/a/out/x.yaml": "", "repo/a/y.yaml": ""}
    )
    git(tmp_path / "repo", "init", "-q")
    assert walked(tmp_path / "repo" / "a") == ["y.yaml"]


def test_an_ignored_file_that_is_named_is_handled(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "out/\n", "out/web.yaml": DEPLOYMENT, "api.yaml": DEPLOYMENT.replace("web", "api")})
    git(tmp_path, "init", "-q")
    before = snapshot(tmp_path)
    harden("apply", ".")
    assert changed(tmp_path, before) == ["api.yaml"]
    harden("apply", "out/web.yaml")
    assert changed(tmp_path, before) == ["api.yaml", "out/web.yaml"]


def test_an_ignored_folder_that_is_named_is_handled(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "out/\n", "out/web.yaml": DEPLOYMENT})
    git(tmp_path, "init", "-q")
    assert harden("diff", "out").status == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.yaml"], ["a.yaml"]),
        (["a.yaml", "a.yaml", "./a.yaml"], ["a.yaml"]),
        (["d"], ["d/c.yml", "d/e/f.yaml"]),
        (["d/"], ["d/c.yml", "d/e/f.yaml"]),
        (["[ab]*.yaml"], ["a.yaml", "b c.yaml"]),
        (["**/*.y*ml"], ["a.yaml", "b c.yaml", "d/c.yml", "d/e/f.yaml", "g[1].yaml"]),
        (["d/*"], ["d/c.yml", "d/e/f.yaml"]),
        (["b c.yaml", "d/e"], ["b c.yaml", "d/e/f.yaml"]),
        (["."], ["a.yaml", "b c.yaml", "d/c.yml", "d/e/f.yaml", "g[1].yaml"]),
        (["g[1].yaml"], ["g[1].yaml"]),
        ([".", "d", "a.yaml"], ["a.yaml", "b c.yaml", "d/c.yml", "d/e/f.yaml", "g[1].yaml"]),
    ],
)
def test_paths_are_files_folders_and_patterns(
    arguments: list[str], expected: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {name: DEPLOYMENT for name in ("a.yaml", "b c.yaml", "d/c.yml", "d/e/f.yaml", "g[1].yaml")})
    commit(tmp_path)
    before = snapshot(tmp_path)
    assert harden("apply", *arguments).status == 0
    assert changed(tmp_path, before) == expected


def test_absolute_paths_and_other_working_directories(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"repo/a/web.yaml": DEPLOYMENT, "else/x": ""})
    commit(tmp_path / "repo")
    done = harden("apply", tmp_path / "repo" / "a", cwd=tmp_path / "else")
    assert done.status == 0 and "../repo/a/web.yaml" in done.out
    assert "allowPrivilegeEscalation: false" in (tmp_path / "repo/a/web.yaml").read_text()


def test_one_missing_path_of_two_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.yaml": ""})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"gone: no such file or folder"):
        files.expand(["a.yaml", "gone"])


# -- evidence


def _bound(folder: Path) -> None:
    account = DEPLOYMENT.replace("    spec:\n", "    spec:\n      serviceAccountName: web\n")
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}\n"
        "subjects:\n- {kind: ServiceAccount, name: web}\n"
    )
    write(folder, {"app/web.yaml": account, "rbac/binding.yaml": binding, "rbac/pod.yaml": DEPLOYMENT})


def test_evidence_outside_the_paths_is_read_and_not_edited(harden: Harden, tmp_path: Path) -> None:
    _bound(tmp_path / "bound")
    commit(tmp_path / "bound")
    before = snapshot(tmp_path / "bound")
    done = harden("apply", "app", cwd=tmp_path / "bound")
    assert changed(tmp_path / "bound", before) == ["app/web.yaml"]
    assert "kube-api-access" in (tmp_path / "bound/app/web.yaml").read_text()
    assert "projected-token" in done.out

    _bound(tmp_path / "free")
    (tmp_path / "free/rbac/binding.yaml").unlink()
    commit(tmp_path / "free")
    harden("apply", "app", cwd=tmp_path / "free")
    free = (tmp_path / "free/app/web.yaml").read_text()
    assert "automountServiceAccountToken: false" in free and "kube-api-access" not in free


def test_evidence_comes_from_the_folder_that_is_named(harden: Harden, tmp_path: Path) -> None:
    _bound(tmp_path)
    harden("apply", "app", "--evidence", "rbac")
    assert "kube-api-access" in (tmp_path / "app/web.yaml").read_text()


def test_outside_git_evidence_ends_at_the_deepest_common_folder(harden: Harden, tmp_path: Path) -> None:
    _bound(tmp_path)
    harden("apply", "app")
    alone = (tmp_path / "app/web.yaml").read_text()
    assert "automountServiceAccountToken: false" in alone and "kube-api-access" not in alone


def test_ignored_files_are_no_evidence_and_unread_evidence_is_counted(harden: Harden, tmp_path: Path) -> None:
    _bound(tmp_path)
    write(tmp_path, {"rbac/latin.yaml": b"kind: Pod # \xe9\n"})
    commit(tmp_path)
    assert "  1 file outside the given paths could not be read as evidence\n" in harden("diff", "app").all


# -- what is left alone


def test_kustomize_patches_and_kustomizations_are_left_alone(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"kustomization.yaml": KUSTOMIZATION, "web.yaml": DEPLOYMENT, "patch.yaml": DEPLOYMENT,
                     "old.yaml": DEPLOYMENT})  # fmt: skip
    commit(tmp_path)
    before = snapshot(tmp_path)
    done = harden("apply", ".", "--skip", "netpol-workload")  # which lists a new file
    assert changed(tmp_path, before) == ["web.yaml"]
    assert "(patch)" not in done.out, "what is weighed is no finding"


def test_patches_of_components_and_of_other_folders_are_left_alone(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {
        "base/web.yaml": DEPLOYMENT,
        "base/kustomization.yaml": "resources:\n- web.yaml\n",
        "overlay/kustomization.yml": "resources: [../base]\npatches:\n- path: ../patches/p.yaml\n",
        "component/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "patches:\n- path: p.yaml\n",
        "component/p.yaml": DEPLOYMENT,
        "patches/p.yaml": DEPLOYMENT,
    })  # fmt: skip
    commit(tmp_path)
    before = snapshot(tmp_path)
    harden("apply", ".", "--skip", "netpol-workload")  # which lists a new file
    assert changed(tmp_path, before) == ["base/web.yaml"]


@pytest.mark.parametrize(
    "kustomization",
    ["patches: x\n", "patches: [1, {path: 3}]\n", "patchesStrategicMerge: {a: b}\n", "patches: {path: p}\n", "[1]\n",
     "patches: [{path: ''}]\n", "patchesJson6902:\n- path: gone.yaml\n", "{{ x }}\n", "a: [\n"],
)  # fmt: skip
def test_odd_kustomizations_stop_nothing(kustomization: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"kustomization.yaml": kustomization, "web.yaml": DEPLOYMENT})
    done = harden("apply", ".")
    assert (done.status, "internal error in harden" in done.err) == (0, False), done.err
    assert "allowPrivilegeEscalation: false" in (tmp_path / "web.yaml").read_text()


def test_chart_templates_are_left_alone_with_a_finding(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"chart/Chart.yaml": "name: c\n", "chart/templates/web.yaml": DEPLOYMENT,
                     "chart/templates/sub/api.yaml": DEPLOYMENT, "chart/crds/x.yaml": DEPLOYMENT,
                     "templates/web.yaml": DEPLOYMENT,
                     "tpl.yaml": "{{- if web }}\n" + DEPLOYMENT})  # fmt: skip
    commit(tmp_path)
    before = snapshot(tmp_path)
    done = harden("apply", ".")
    assert changed(tmp_path, before) == ["chart/crds/x.yaml", "templates/web.yaml"]
    for name in ("chart/templates/sub/api.yaml:1", "tpl.yaml:1"):
        assert f"template  {name}\n" in done.out
    assert "a template of a Helm chart, like 1 more file of it" in done.out
    assert "helm template ... | harden filter" in done.out


def test_chart_templates_named_one_by_one_are_left_alone_too(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"chart/Chart.yaml": "name: c\n", "chart/templates/web.yaml": DEPLOYMENT})
    done = harden("apply", "chart/templates/web.yaml")
    assert (tmp_path / "chart/templates/web.yaml").read_text() == DEPLOYMENT
    assert "template  chart/templates/web.yaml:1\n" in done.out
    done = harden("apply", "web.yaml", cwd=tmp_path / "chart/templates")
    assert (tmp_path / "chart/templates/web.yaml").read_text() == DEPLOYMENT


def test_an_object_that_stands_in_several_files_is_parsed_once_and_changed_in_each(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["install.yaml", "namespace/install.yaml"]
    write(
        tmp_path,
        {name: f"{DEPLOYMENT}---\nkind: Service\nmetadata: {{name: in-{index}}}\n" for index, name in enumerate(names)},
    )
    parsed: list[str] = []
    read = yaml.parse

    def noted(text: str) -> yaml.Parsed:
        parsed.append(text)
        return read(text)

    monkeypatch.setattr(yaml, "parse", noted)
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert [text.count("Deployment") for text in parsed] == [1, 0, 0]
    one, other = (file.pieces[0].data for file in tree.files)
    assert one == other and one[0]["spec"] is not other[0]["spec"]
    monkeypatch.undo()
    harden("apply", ".")
    texts = [(tmp_path / name).read_text(encoding="utf-8").partition("---")[0] for name in names]
    assert texts[0] == texts[1] != DEPLOYMENT


def test_items_of_a_list_are_objects(harden: Harden, tmp_path: Path) -> None:
    items = "".join("- " + DEPLOYMENT.replace("web", name).replace("\n", "\n  ").rstrip(" ") for name in ("one", "two"))
    write(tmp_path, {"list.yaml": "apiVersion: v1\nkind: List\nitems:\n" + items})
    done = harden("apply", ".", "-v")
    text = (tmp_path / "list.yaml").read_text()
    assert text.count("allowPrivilegeEscalation: false") == 2
    assert "Deployment/one" in done.out and "Deployment/two" in done.out


# -- links


def test_links_out_of_the_tree_are_not_followed(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"out/web.yaml": DEPLOYMENT, "out/folder/api.yaml": DEPLOYMENT, "in/x.yaml": DEPLOYMENT})
    (tmp_path / "in/link.yaml").symlink_to("../out/web.yaml")
    (tmp_path / "in/folder").symlink_to("../out/folder")
    done = harden("apply", "in", "-v")
    assert "symbolic-link  in/link.yaml:1\n" in done.out
    assert (tmp_path / "out/web.yaml").read_text() == (tmp_path / "out/folder/api.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "in/link.yaml").is_symlink()


def test_links_inside_the_tree_stay_links_and_their_target_is_edited_once(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"in/z.yaml": DEPLOYMENT, "in/d/y.yaml": DEPLOYMENT})
    (tmp_path / "in/a.yaml").symlink_to("z.yaml")
    (tmp_path / "in/e").symlink_to("d")
    done = harden("apply", "in", "--skip", "netpol-workload")  # which makes files
    assert done.out.startswith("hardened 2 files: ")
    assert os.readlink(tmp_path / "in/a.yaml") == "z.yaml"
    assert "allowPrivilegeEscalation: false" in (tmp_path / "in/z.yaml").read_text()
    assert "symbolic-link" not in done.out


@pytest.mark.parametrize("target", ["loop.yaml", "gone.yaml", "../gone.yaml"])
def test_links_that_lead_nowhere_are_a_finding(target: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"in/web.yaml": DEPLOYMENT})
    (tmp_path / "in/loop.yaml").symlink_to(target)
    done = harden("apply", "in")
    assert done.status == 0
    assert "in/loop.yaml:1\n" in done.out
    assert "allowPrivilegeEscalation: false" in (tmp_path / "in/web.yaml").read_text()


def test_a_loop_of_folders_ends(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"in/a/web.yaml": DEPLOYMENT})
    (tmp_path / "in/a/up").symlink_to("..")
    assert harden("apply", "in").status == 0


# -- one file in place of another


def read(path: Path) -> files.Content:
    return files.read(str(path))


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o4755, 0o640])
def test_the_mode_is_kept(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    path.chmod(mode)
    transaction.replace(str(path), "new", read(path))
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", mode)
    assert os.listdir(tmp_path) == ["a.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    os.chown(path, 1234, 2345)
    transaction.replace(str(path), "new", read(path))
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_byte_order_mark_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfold\r\n")
    content = read(path)
    assert (content.text, content.bom) == ("old\r\n", True)
    transaction.replace(str(path), "new\r\n", content)
    assert path.read_bytes() == b"\xef\xbb\xbfnew\r\n"


@pytest.mark.parametrize("call", ["os.fsync", "os.fchmod", "os.replace", "os.rename", "os.mkdir"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_whatever_fails_the_file_is_the_old_one(
    call: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    content = read(path)

    def fail(*arguments: object, **options: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(call, fail)
        with pytest.raises(type(error)):
            transaction.replace(str(path), "new", content)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.yaml"]


@pytest.mark.parametrize("change", ["text", "touch", "gone", "folder"])
def test_a_file_that_changed_since_is_not_replaced(change: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    content = read(path)
    path.unlink()
    if change == "folder":
        path.mkdir()
    elif change != "gone":
        path.write_text("older" if change == "text" else "old")
        os.utime(path, ns=(1, content.mtime_ns + 1))
    with pytest.raises(OSError):
        transaction.replace(str(path), "new", content)
    assert not path.is_file() or path.read_text() in ("old", "older")


def test_golden_cases_of_the_user_are_test_data(harden: Harden, tmp_path: Path) -> None:
    case = {f"golden/web/{name}": DEPLOYMENT for name in ("before/web.yaml", "after/web.yaml")}
    write(tmp_path, {**case, "golden/web/findings.txt": "", "web.yaml": DEPLOYMENT})
    commit(tmp_path)
    before = snapshot(tmp_path)
    harden("apply", ".")
    assert changed(tmp_path, before) == ["web.yaml"]


# -- texts that wait


def test_a_text_that_waits_is_placed_or_leaves_nothing(tmp_path: Path) -> None:
    for place in (False, True):
        with Transaction() as run:
            run.create(str(tmp_path / "a/b.yaml"), "new")
            run.create(str(tmp_path / "a/c/d.yaml"), "new")
            assert [*tmp_path.rglob("*.yaml")] == []
            if place:
                run.place()
        assert sorted(path.name for path in tmp_path.rglob("*")) == (["a", "b.yaml", "c", "d.yaml"] if place else [])


def test_no_file_is_placed_over_one_that_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with Transaction() as run:
        run.create(str(tmp_path / "0/first.yaml"), "new")
        run.create(str(path), "new")
        path.write_text("mine")
        with pytest.raises(NotPlacedError, match="File exists"):
            run.place()
    assert (os.listdir(tmp_path), path.read_text()) == (["a.yaml"], "mine")


@pytest.mark.parametrize("place", ["file/a.yaml", "file/x/a.yaml"])
def test_where_no_folder_can_be_made_nothing_is_left(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        transaction.create(str(tmp_path / place), "new")
    assert os.listdir(tmp_path) == ["file"]
