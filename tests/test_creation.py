"""New objects: one file for all of a topic in a folder, listed once wherever the file beside it is listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import registry
from hardener.authoring.edits import Edit, Grade
from hardener.authoring.profile import Profile
from hardener.authoring.transform import Transform, transform
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.facts.kustomize.builds import Builds
from hardener.report.patch import Patch
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

from .conftest import DEPLOYMENT, commit, git, write

Run = Callable[..., Outcome]
NEW = "harden-network.yaml"


def creating(
    id: str,
    *names: str,
    types: list[str] | None = None,
    topics: tuple[str | None, ...] = ("network",),
    namespace: str | None = None,
) -> Transform:
    """A transform that makes a policy per name and topic for each pod, all in one step."""

    def function(pod: PodTemplate) -> Iterator[Edit]:
        for name in names:
            spec: dict[str, Any] = {"podSelector": {}, "policyTypes": types or ["Ingress"]}
            metadata = {"name": f"{name}-{pod.object.name}"} | ({"namespace": namespace} if namespace else {})
            value = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
            for topic in topics:
                yield pod.create(topic, value, grade=Grade.SAFE)

    return declared(function, id)


def no_host_network() -> Transform:
    def function(pod: PodTemplate) -> Iterator[Edit]:
        if pod.has("hostNetwork"):
            yield pod.set("hostNetwork", to=False, grade=Grade.SAFE)

    return declared(function, "changing")


def declared(function: Callable[..., Iterator[Edit]], id: str) -> Transform:
    function.__name__ = id
    function.__doc__ = "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
    made = transform(each=PodTemplate, stage="host" if id == "changing" else "network")(function)
    return made.__transform__  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run transforms on the tree of ``files``, and write what comes out."""

    def running(files: dict[str, str], *transforms: Transform) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
        write(tmp_path, files)
        tree = Tree.read([str(tmp_path)], root=str(tmp_path))
        outcome = pipeline.run(tree, Profile("test", members={item.id: True for item in transforms}))
        for change in outcome.files:
            Path(change.file.path).write_text(change.text, encoding="utf-8")
        return outcome

    return running


def names(path: Path) -> list[str]:
    return [item["metadata"]["name"] for item in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def resources(path: Path) -> list[str]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["resources"])


def test_objects_of_one_step_and_of_several_share_a_file(apply: Run, tmp_path: Path) -> None:
    files = {
        "a.yaml": DEPLOYMENT,
        "b.yaml": DEPLOYMENT.replace("web", "api"),
        "kustomization.yaml": "resources: [a.yaml]\n",
    }
    outcome = apply(files, creating("made", "one", "two"), creating("more", "three"))
    expected = ["one-web", "two-web", "one-api", "two-api", "three-web", "three-api"]
    assert names(tmp_path / NEW) == expected
    assert resources(tmp_path / "kustomization.yaml") == ["a.yaml", NEW]
    assert sorted(change.file.name for change in outcome.files) == [NEW, "kustomization.yaml"]
    assert [item.name for item in outcome.tree.of("networking.k8s.io", "NetworkPolicy")] == expected


def test_each_topic_has_a_file_and_a_line(apply: Run, tmp_path: Path) -> None:
    files = {"a.yaml": DEPLOYMENT, "kustomization.yaml": "resources:\n- a.yaml\n"}
    outcome = apply(files, creating("made", "one", topics=("network", "other")))
    assert resources(tmp_path / "kustomization.yaml") == ["a.yaml", NEW, "harden-other.yaml"]
    assert [change.path for change in outcome.changes if change.object.kind != "NetworkPolicy"] == [
        (0, "resources", 1), (0, "resources", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kustomizations", "expected"),
    [
        ({"k": "resources: [a.yaml]"}, {"k": ["a.yaml", NEW]}),
        ({"k": "resources: [./a.yaml]"}, {"k": ["./a.yaml", NEW]}),
        ({".": "resources: [k/a.yaml]"}, {".": ["k/a.yaml", f"k/{NEW}"]}),
        ({"o": "resources: [../k/a.yaml]"}, {"o": ["../k/a.yaml", f"../k/{NEW}"]}),
        (
            {"k": "resources: [a.yaml]", "o": "resources: [../k/a.yaml]", "p": "resources: [../k]"},
            {"k": ["a.yaml", NEW], "o": ["../k/a.yaml", f"../k/{NEW}"], "p": ["../k"]},
        ),
        ({"k": f"resources: [a.yaml, {NEW}]"}, {"k": ["a.yaml", NEW]}),
        ({"k": f"resources: [a.yaml, ./{NEW}]"}, {"k": ["a.yaml", f"./{NEW}"]}),
        ({"k": "resources: [b.yaml]"}, {"k": ["b.yaml"]}),
    ],
)
def test_it_is_listed_where_its_neighbour_is(
    kustomizations: dict[str, str], expected: dict[str, list[str]], apply: Run, tmp_path: Path
) -> None:
    files = {f"{folder}/kustomization.yaml": f"{text}\n" for folder, text in kustomizations.items()}
    apply({"k/a.yaml": DEPLOYMENT, **files}, creating("made", "one"))
    assert names(tmp_path / "k" / NEW) == ["one-web"]
    assert {folder: resources(tmp_path / folder / "kustomization.yaml") for folder in expected} == expected


def test_beside_json_it_is_a_file_of_its_own(apply: Run, tmp_path: Path) -> None:
    text = json.dumps(yaml.safe_load(DEPLOYMENT), indent=2) + "\n"
    apply({"a.json": text, "b.yaml": DEPLOYMENT.replace("web", "api")}, creating("made", "one", topics=(None,)))
    assert (tmp_path / "a.json").read_text() == text  # one document is all that it can hold
    assert names(tmp_path / "harden-networkpolicy.yaml") == ["one-web"]
    assert [each["kind"] for each in yaml.safe_load_all((tmp_path / "b.yaml").read_text())] == [
        "Deployment", "NetworkPolicy",
    ]  # fmt: skip


def test_it_comes_out_where_its_neighbour_does(apply: Run) -> None:
    outcome = apply(
        {"a.yaml": DEPLOYMENT, "kustomization.yaml": "namespace: shop\nresources: [a.yaml]\n"}, creating("made", "one")
    )
    workspace = outcome.tree
    (item,) = workspace.of("networking.k8s.io", "NetworkPolicy")
    assert workspace.ask(Builds).namespaces(item) == ("shop",)


@pytest.mark.parametrize("resources", ["3", "{a.yaml: 1}", "null", '["a\\0b", 1, null, {x: y}]'])
def test_a_list_of_another_shape_does_no_harm(resources: str, apply: Run, tmp_path: Path) -> None:
    apply({"a.yaml": DEPLOYMENT, "kustomization.yaml": f"resources: {resources}\n"}, creating("made", "one"))
    assert names(tmp_path / NEW) == ["one-web"]


SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
BEHIND = {
    "it sorts before": ({"app.yaml": SHOP}, NEW),
    "it sorts before by a number": ({"00-namespace.yaml": SHOP}, NEW),
    "capitals sort before": ({"Namespace.yaml": SHOP}, NEW),
    "it sorts behind": ({"namespace.yaml": SHOP}, "namespace_harden-network.yaml"),
    "of another ending": ({"namespace.yml": SHOP}, "namespace_harden-network.yaml"),
    "a name with dots": ({"shop.dev.yaml": SHOP}, "shop.dev_harden-network.yaml"),
    "a name that hardly sorts before anything": ({"zz.yaml": SHOP}, "zz_harden-network.yaml"),
    "letters of another language": ({"пространство.yaml": SHOP}, "пространство_harden-network.yaml"),
    "the last of several": (
        {"a.yaml": SHOP, "n.yaml": SHOP.replace("shop", "one"), "z.yaml": SHOP.replace("shop", "two")},
        "z_harden-network.yaml",
    ),
    "in another folder": ({"other/namespace.yaml": SHOP}, NEW),
    "with the workload": ({}, "web_harden-network.yaml"),
    "in a kustomization": (
        {"namespace.yaml": SHOP, "kustomization.yaml": "resources: [namespace.yaml, web.yaml]\n"},
        NEW,
    ),
}


@pytest.mark.parametrize(("more", "expected"), BEHIND.values(), ids=BEHIND)
def test_it_stands_behind_the_file_of_its_namespace(
    more: dict[str, str], expected: str, apply: Run, tmp_path: Path
) -> None:
    """As `kubectl apply -f` of the folder takes the files, by their names."""
    own = DEPLOYMENT if more else f"{SHOP}---\n{DEPLOYMENT}"
    made = creating("made", "one", namespace="shop")
    outcome = apply({"web.yaml": own, **more}, made)
    assert [change.file.name for change in outcome.files if change.file.is_new] == [expected]
    if "kustomization.yaml" not in more:
        order = sorted(path.name for path in tmp_path.iterdir())
        assert order.index(expected) > max([order.index(name) for name in more if name in order], default=-1)
    apply({}, made)  # another run adds to the file that the first one made
    assert names(tmp_path / expected) == ["one-web", "one-web"]


def test_what_names_no_namespace_may_be_applied_to_that_one(apply: Run, tmp_path: Path) -> None:
    apply({"web.yaml": DEPLOYMENT, "zz.yaml": SHOP}, creating("made", "one"))
    assert names(tmp_path / "zz_harden-network.yaml") == ["one-web"]


OLD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: old"


@pytest.mark.parametrize("end", ["", "\n", "\n# the end\n", "\n---\n", "\n...\n"])
def test_it_goes_behind_what_is_in_the_file(end: str, apply: Run, tmp_path: Path) -> None:
    outcome = apply({"a.yaml": DEPLOYMENT, NEW: OLD + end}, creating("made", "one", "two"))
    text = (tmp_path / NEW).read_text(encoding="utf-8")
    assert text.startswith(OLD + end)
    assert [item and item["metadata"]["name"] for item in yaml.safe_load_all(text) if item] == [
        "old",
        "one-web",
        "two-web",
    ]
    lines = text.splitlines()
    for change in outcome.changes:
        assert lines[change.new_line - 1] == "apiVersion: networking.k8s.io/v1"


@pytest.mark.parametrize(
    "pod", ["", "      # the last line changes, too\n      hostNetwork: true"], ids=["alone", "behind a change"]
)
def test_the_patch_for_a_file_without_a_last_line_end_is_one(pod: str, apply: Run, tmp_path: Path) -> None:
    files = {NEW: DEPLOYMENT + pod if pod else OLD, "a.yaml": DEPLOYMENT}
    write(tmp_path, files)
    commit(tmp_path)
    outcome = apply(files, no_host_network(), creating("made", "one", "two"))
    (change,) = (change for change in outcome.files if change.file.name == NEW)
    patch = "".join(Patch(change, lambda text, ranges: {}).parts())
    (tmp_path / NEW).write_text(files[NEW], encoding="utf-8")
    done = git(tmp_path, "apply", "-", stdin=patch.encode())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / NEW).read_text(encoding="utf-8") == change.text


def test_what_is_left_of_a_file_without_a_last_line_end_is_whole(apply: Run, tmp_path: Path) -> None:
    bad, good = creating("bad", "bad", types=["Sideways"]), creating("good", "good")
    outcome = apply({"a.yaml": DEPLOYMENT, NEW: OLD}, bad, good)
    assert [item.step for item in outcome.refused] == ["bad"]
    assert names(tmp_path / NEW) == ["old", "good-web"]
