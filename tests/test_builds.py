"""Kustomize trees: what is applied together, with which names, in which namespaces. Compared with kustomize itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.free_names import Names
from hardener.facts.objects.hidden_pods import HiddenPods
from hardener.facts.objects.namespace_contents import Namespaces
from hardener.facts.objects.object_links import Relations
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.objects.interest import INTERESTING
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

from .built import builder
from .calls import calls
from .conftest import shared

Files = dict[str, str]

COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def thing(name: str, kind: str = "Service", namespace: str | None = None, extra: str = "") -> str:
    """The manifest of an object that has nothing but a name."""
    api = {
        "Service": "v1",
        "Namespace": "v1",
        "ServiceAccount": "v1",
        "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    }
    place = f', namespace: "{namespace}"' if namespace else ""
    return f"apiVersion: {api.get(kind, 'apps/v1')}\nkind: {kind}\nmetadata: {{name: {name}{place}}}\n{extra}---\n"


def write(folder: Path, tree: Files) -> Path:
    for name, text in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, tree: Files | None = None) -> Tree:
    root = str(write(folder, tree or {}))
    return Tree.read([root], root=root)


def at(workspace: Tree, place: str) -> Object:
    """The object ``file:Kind/name``; the kind and name may be left out where the file holds one."""
    file, _, name = place.partition(":")
    path = os.path.normpath(os.path.join(workspace.root, file))
    found = [item for item in workspace.objects if item.piece.file.path == path and name in ("", str(item))]
    assert len(found) == 1, f"{place}: {found}"
    return found[0]


# Each with the objects that come out of all builds, as "namespace/name" by "Kind/name" as written; a "!" stands before
# one that is in no build.
TREES: dict[str, tuple[Files, dict[str, list[str]]]] = {
    "plain": (
        {"a.yaml": thing("web"), "b.yaml": thing("db", namespace="data")},
        {"!Service/web": ["-/web"], "!Service/db": ["data/db"]},
    ),
    "not listed": (
        {"kustomization.yaml": "namespace: shop\nresources: [a.yaml]\n", "a.yaml": thing("web"), "b.yaml": thing("db")},
        {"Service/web": ["shop/web"], "!Service/db": ["-/db"]},
    ),
    "the outermost namespace wins, affixes add up": (
        {
            "kustomization.yaml": "namespace: outer\nnamePrefix: o-\nnameSuffix: -o\nresources: [mid]\n",
            "mid/kustomization.yaml": "namespace: inner\nnamePrefix: i-\nnameSuffix: -i\nresources: [a.yaml]\n",
            "mid/a.yaml": thing("web", namespace="own"),
        },
        {"Service/web": ["outer/o-i-web-i-o"]},
    ),
    "an empty namespace changes nothing": (
        {"kustomization.yaml": 'namespace: ""\nresources: [a.yaml]\n', "a.yaml": thing("web", namespace="own")},
        {"Service/web": ["own/web"]},
    ),
    "the Namespace is renamed and has no prefix": (
        {
            "kustomization.yaml": "namespace: outer\nnamePrefix: o-\nresources: [a.yaml]\n",
            "a.yaml": thing("own", "Namespace") + thing("web") + thing("crb", "ClusterRoleBinding"),
        },
        {"Namespace/own": ["-/outer"], "Service/web": ["outer/o-web"], "ClusterRoleBinding/crb": ["-/o-crb"]},
    ),
    "a base under three overlays": (
        {
            **{f"{name}/kustomization.yaml": f"namespace: {name}\nresources: [../base]\n" for name in ("a", "b", "c")},
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": thing("web"),
        },
        {"Service/web": ["a/web", "b/web", "c/web"]},
    ),
    "a build that takes a base in twice": (
        {
            "kustomization.yaml": "resources: [a, b]\n",
            **{f"{n}/kustomization.yaml": f"namespace: {n}\nnamePrefix: {n}-\nresources: [../base]\n" for n in "ab"},
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": thing("web"),
        },
        {"Service/web": ["a/a-web", "b/b-web"]},
    ),
    "components one after the other, then the kustomization": (
        {
            "kustomization.yaml": "namespace: outer\nnamePrefix: k-\ncomponents: [one, two]\nresources: [a.yaml]\n",
            "a.yaml": thing("web"),
            "one/kustomization.yaml": COMPONENT + "namePrefix: one-\nresources: [b.yaml]\n",
            "one/b.yaml": thing("first"),
            "two/kustomization.yaml": COMPONENT + "namePrefix: two-\nresources: [c.yaml]\ncomponents: [in]\n",
            "two/c.yaml": thing("second"),
            "two/in/kustomization.yaml": COMPONENT + "namePrefix: in-\nresources: [d.yaml]\n",
            "two/in/d.yaml": thing("inner"),
        },
        {
            "Service/web": ["outer/k-two-in-one-web"],
            "Service/first": ["outer/k-two-in-one-first"],
            "Service/second": ["outer/k-two-in-second"],
            "Service/inner": ["outer/k-two-in-inner"],
        },
    ),
    "a base that a component takes in": (
        {
            "kustomization.yaml": "components: [one, two]\n",
            "one/kustomization.yaml": COMPONENT + "namePrefix: one-\nresources: [../base]\n",
            "two/kustomization.yaml": COMPONENT + "nameSuffix: -two\nnamespace: shop\n",
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": thing("web"),
        },
        {"Service/web": ["shop/one-web-two"]},
    ),
    "a component that nothing uses": (
        {
            "kustomization.yaml": "namespace: shop\nresources: [a.yaml]\ncomponents: []\n",
            "a.yaml": thing("web"),
            "extra/kustomization.yaml": COMPONENT + "resources: [b.yaml]\n",
            "extra/b.yaml": thing("cache"),
        },
        {"Service/web": ["shop/web"], "!Service/cache": ["-/cache"]},
    ),
    "bases, and a kustomization of transformers": (
        {
            "kustomization.yaml": "bases: [base]\ntransformers: [labels]\n",
            "base/kustomization.yml": "namespace: shop\nresources: [./web.yaml]\n",
            "base/web.yaml": thing("web"),
            "labels/kustomization.yaml": "resources: [label.yaml]\n",
            "labels/label.yaml": "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\n",
        },
        {"Service/web": ["shop/web"]},
    ),
    "a bare Kustomization, a List, a file of several": (
        {
            "Kustomization": "namespace: shop\nresources: [a.yaml]\n",
            "a.yaml": "apiVersion: v1\nkind: List\nitems:\n"
            "- {apiVersion: v1, kind: Service, metadata: {name: web}}\n"
            "- {apiVersion: v1, kind: Service, metadata: {name: db, namespace: own}}\n---\n" + thing("mail"),
        },
        {"Service/web": ["shop/web"], "Service/db": ["shop/db"], "Service/mail": ["shop/mail"]},
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_names_and_namespaces(name: str, tmp_path: Path) -> None:
    tree, expected = TREES[name]
    workspace = read(tmp_path, tree)
    builds = workspace.ask(Builds)
    found = {
        "!" * (not builds.of(item)) + str(item): sorted(
            f"{each.namespace or item.namespace or '-' if str(item).split('/')[0] not in CLUSTER else '-'}"
            f"/{each.name_of(item)}"
            for each in builds.renderings(item)
        )
        for item in workspace.objects
        if item.kind in KINDS
    }
    assert found == expected


KINDS = {"Service", "Namespace", "ClusterRoleBinding", "Deployment"}
CLUSTER = {"Namespace", "ClusterRoleBinding"}


@pytest.mark.kustomize
@pytest.mark.parametrize("name", TREES)
def test_kustomize_agrees(name: str, tmp_path: Path) -> None:
    tree, expected = TREES[name]
    workspace = read(tmp_path, tree)
    folders = {build.folder for item in workspace.objects for build in workspace.ask(Builds).of(item)}
    built = {place for folder in folders for place in kustomize(folder)}
    assert built == {
        f"{own.split('/')[0]}:{place}" for own, places in expected.items() if own[0] != "!" for place in places
    }


def kustomize(folder: str) -> set[str]:
    """What comes out of ``kustomize build``, as Kind:namespace/name."""
    done = subprocess.run([*builder("kustomize"), folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {
        f"{document['kind']}:{document['metadata'].get('namespace', '-')}/{document['metadata']['name']}"
        for document in yaml.safe_load_all(done.stdout)
    }


def test_layers_are_in_the_order_of_kustomize(tmp_path: Path) -> None:
    tree = {
        "kustomization.yaml": "resources: [mid]\ncomponents: [top]\n",
        "top/kustomization.yaml": COMPONENT,
        "mid/kustomization.yaml": "resources: [../base]\ncomponents: [one, two]\n",
        "mid/one/kustomization.yaml": COMPONENT + "resources: [c.yaml]\n",
        "mid/one/c.yaml": thing("part"),
        "mid/two/kustomization.yaml": COMPONENT + "components: [in]\n",
        "mid/two/in/kustomization.yaml": COMPONENT,
        "base/kustomization.yaml": "resources: [web.yaml]\ncomponents: [own]\n",
        "base/own/kustomization.yaml": COMPONENT,
        "base/web.yaml": thing("web"),
        "other/kustomization.yaml": "resources: [../base]\n",
    }
    workspace = read(tmp_path, tree)

    def folders(layers: tuple[Object, ...]) -> list[str]:
        return [str(Path(layer.piece.file.path).parent.relative_to(tmp_path)) for layer in layers]

    web, part = at(workspace, "base/web.yaml"), at(workspace, "mid/one/c.yaml")
    here, other = workspace.ask(Builds).of(web)
    assert folders(here.layers(web)) == ["base/own", "base", "mid/one", "mid/two/in", "mid/two", "mid", "top", "."]
    assert folders(other.layers(web)) == ["base/own", "base", "other"]
    (only,) = workspace.ask(Builds).of(part)
    assert folders(only.layers(part)) == ["mid/one", "mid/two/in", "mid/two", "mid", "top", "."]
    assert other.layers(part) == ()
    assert set(workspace.ask(Builds).layers(web)) == {*here.layers(web), *other.layers(web)}


@pytest.mark.parametrize(
    ("kustomization", "builds"),
    [
        ("resources: [a.yaml, ., ../gone, missing.yaml, https://example.com/x?ref=1, 5, null, {a: b}]\n", 0),
        ("resources: [a.yaml, a.yaml, ./a.yaml, 'a\\0b']\nnamespace: [shop]\nnamePrefix: 5\n", 1),
        ("resources: a.yaml\nbases: {a: b}\ncomponents: 7\n", 0),
        ("resources: [a.yaml]\ncomponents: [.]\n", 0),
        ("resources: [a.yaml, circle]\n", 1),
        ("- a\n", 0),
        ("", 0),
        ("{{ x }}: 1\n", 0),
    ],
)
def test_odd_kustomizations_stop_nothing(kustomization: str, builds: int, tmp_path: Path) -> None:
    tree = {
        "kustomization.yaml": kustomization,
        "a.yaml": thing("web", namespace="own"),
        "circle/kustomization.yaml": "namespace: shop\nresources: [../round, b.yaml]\n",
        "circle/b.yaml": thing("web"),
        "round/kustomization.yaml": "resources: [../circle]\n",
    }
    workspace = read(tmp_path, tree)
    for item in workspace.objects:
        for build in workspace.ask(Builds).of(item):
            assert build.layers(item)
        assert workspace.ask(Builds).layers(item) is not None
        assert workspace.ask(Builds).names(item) == {"web"}
    assert workspace.ask(Builds).namespaces(at(workspace, "a.yaml")) == ("own",)
    assert len(workspace.ask(Builds).of(at(workspace, "a.yaml"))) == builds
    assert workspace.ask(Namespaces) and workspace.ask(HiddenPods) is not None


def test_a_tree_with_countless_ways_is_read(tmp_path: Path) -> None:
    # Each level takes the next one in twice, under another prefix: 2 to the 40th names.
    tree = {"40/kustomization.yaml": "resources: [a.yaml]\n", "40/a.yaml": thing("web")}
    for level in range(40):
        tree[f"{level}/kustomization.yaml"] = "resources: [x, y]\n"
        for side in "xy":
            tree[f"{level}/{side}/kustomization.yaml"] = f"namePrefix: {side}\nresources: [../../{level + 1}]\n"
    workspace = read(tmp_path, tree)
    item = at(workspace, "40/a.yaml")
    assert 1 < len(workspace.ask(Builds).names(item)) < 20_000
    assert workspace.ask(Builds).namespaces(item) == (None,)
    assert len(workspace.ask(Builds).layers(item)) == 40 * 3 + 1


def test_links_are_followed(tmp_path: Path) -> None:
    write(tmp_path, {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": thing("web")})
    write(tmp_path, {"over/kustomization.yaml": "namespace: shop\nresources: [link]\n"})
    (tmp_path / "over" / "link").symlink_to(tmp_path / "base")
    workspace = read(tmp_path)
    assert workspace.ask(Builds).namespaces(at(workspace, "base/a.yaml")) == ("shop",)


@pytest.mark.parametrize(
    ("namespaces", "meets"),
    [
        (("a", "a"), True),
        (("a", "b"), False),
        (("a", None), True),
        ((None, None), True),
        (("${NS}", "a"), True),
        (("${NS}", "${OTHER}"), True),
    ],
)
def test_meeting(namespaces: tuple[str | None, str | None], meets: bool, tmp_path: Path) -> None:
    workspace = read(tmp_path, {f"{n}.yaml": thing("x", namespace=own) for n, own in enumerate(namespaces)})
    one, other = workspace.objects
    assert workspace.ask(Builds).meet(one, other) is workspace.ask(Builds).meet(other, one) is meets


# The object that is asked for, the candidates, and those of them that are applied with it.
TOGETHER: dict[str, tuple[Files, str, list[str]]] = {
    "the one in the same file": (
        {"a.yaml": thing("web") + thing("db"), "b.yaml": thing("db")},
        "a.yaml:Service/web",
        ["a.yaml"],
    ),
    "the ones in the same folder, where none is in the file": (
        {"a/web.yaml": thing("web"), "a/x.yaml": thing("db"), "a/y.yaml": thing("db"), "db.yaml": thing("db")},
        "a/web.yaml",
        ["a/x.yaml", "a/y.yaml"],
    ),
    "the nearest folder": (
        {"shop/app/web.yaml": thing("web"), "shop/data/db.yaml": thing("db"), "blog/db.yaml": thing("db")},
        "shop/app/web.yaml",
        ["shop/data/db.yaml"],
    ),
    "the folder itself before those in it": (
        {"a/web.yaml": thing("web"), "a/db.yaml": thing("db"), "a/all/all.yaml": thing("db")},
        "a/web.yaml",
        ["a/db.yaml"],
    ),
    "however far, where there is no other": (
        {"a/b/web.yaml": thing("web"), "c/d/db.yaml": thing("db")},
        "a/b/web.yaml",
        ["c/d/db.yaml"],
    ),
    "what shares a build, not what stands nearer": (
        {
            "over/kustomization.yaml": "resources: [../base, web.yaml]\n",
            "over/web.yaml": thing("web"),
            "over/old.yaml": thing("db"),
            "base/kustomization.yaml": "resources: [db.yaml]\n",
            "base/db.yaml": thing("db"),
        },
        "over/web.yaml",
        ["base/db.yaml"],
    ),
    "in every overlay its own": (
        {
            **{f"{n}/kustomization.yaml": "resources: [../base, db.yaml]\n" for n in "ab"},
            **{f"{n}/db.yaml": thing("db") for n in "abc"},
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": thing("web"),
        },
        "base/web.yaml",
        ["a/db.yaml", "b/db.yaml"],
    ),
    "the same namespace in writing, too": (
        {
            "a/kustomization.yaml": "resources: [web.yaml, x.yaml]\n",
            "a/web.yaml": thing("web", namespace="shop"),
            "a/x.yaml": thing("db"),
            "b/y.yaml": thing("cache", namespace="shop"),
            "b/z.yaml": thing("cache", namespace="blog"),
        },
        "a/web.yaml",
        ["a/x.yaml", "b/y.yaml"],
    ),
    "the same namespace by two kustomizations": (
        {
            "a/kustomization.yaml": "namespace: shop\nresources: [web.yaml]\n",
            "a/web.yaml": thing("web"),
            "b/kustomization.yaml": "namespace: shop\nresources: [db.yaml]\n",
            "b/db.yaml": thing("db"),
            "b/c/kustomization.yaml": "namespace: blog\nresources: [db.yaml]\n",
            "b/c/db.yaml": thing("db"),
        },
        "a/web.yaml",
        ["b/db.yaml"],
    ),
    "of copies with one namespace the nearest": (
        {
            **{f"{n}/web.yaml": thing("web", namespace="shop") for n in "ab"},
            **{f"{n}/db.yaml": thing("db", namespace="shop") for n in "ab"},
        },
        "b/web.yaml",
        ["b/db.yaml"],
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_together(name: str, tmp_path: Path) -> None:
    tree, place, expected = TOGETHER[name]
    workspace = read(tmp_path, tree)
    asked = at(workspace, place)
    candidates = [item for item in workspace.objects if item.name in ("db", "cache")]
    found = Neighbours(workspace.ask(Builds), candidates).of(asked)
    assert [str(Path(item.piece.file.path).relative_to(tmp_path)) for item in found] == expected


@pytest.mark.kustomize
@pytest.mark.parametrize("tree", ["microservices-demo", "podinfo"])  # argo-cd agrees too, and takes long
def test_kustomize_agrees_on_the_corpus(tree: str) -> None:
    root = str(shared("corpus", tree))
    workspace = Tree.read([root], root=root)
    builds = workspace.ask(Builds)
    held = [item for item in workspace.objects if builds.of(item) and item.kind in INTERESTING]
    folders = {build.folder for item in held for build in builds.of(item)}
    built = {place for folder in folders for place in kustomize(folder) if place.split(":")[0] in INTERESTING}
    ours = {
        f"{item.kind}:{namespace or '-'}/{name}"
        for item in held
        for namespace in builds.namespaces(item)
        for name in builds.rendered_names(item)
    }
    # What is left over is what patches delete, or another overlay's.
    assert built and built <= ours


def in_folders(count: int, name: str = "web", namespace: str | None = None) -> Files:
    return {f"{n}/a.yaml": pair(name.format(n), namespace) for n in range(count)}


def pair(name: str, namespace: str | None = None) -> str:
    spec = f"spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c}}]}}}}}}\n"
    service = thing(name, "Service", namespace, f"spec: {{selector: {{app: {name}}}}}\n")
    return thing(name, "Deployment", namespace, spec) + service


def kustomized(count: int) -> Files:
    tree = {f"{n}/kustomization.yaml": f"namespace: n{n}\nresources: [a.yaml]\n" for n in range(count)}
    return in_folders(count) | tree | {"kustomization.yaml": f"resources: [{', '.join(map(str, range(count)))}]\n"}


def overlaid(count: int) -> Files:
    tree = {f"{n}/kustomization.yaml": f"namespace: n{n}\nresources: [a.yaml, ../base]\n" for n in range(count)}
    base = {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": pair("base")}
    return in_folders(count) | tree | base


SHAPES: dict[str, Callable[[int], Files]] = {
    "other names": lambda count: in_folders(count, "web{}"),
    "equal names": in_folders,
    "equal names in one namespace": lambda count: in_folders(count, namespace="shop"),
    "a build of many kustomizations": kustomized,
    "a base under many overlays": overlaid,
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_ten_times_the_tree_costs_ten_times_as_much(shape: str, tmp_path: Path) -> None:
    small, large = (work_on(read(tmp_path / str(count), SHAPES[shape](count))) for count in (20, 200))
    assert large <= 11 * small


def work_on(workspace: Tree) -> int:
    """How many calls it takes to ask everything about every object."""
    assert workspace.objects

    def work() -> None:
        assert workspace.ask(Namespaces) and workspace.ask(HiddenPods) is not None
        for item in workspace.objects:
            workspace.ask(Names).free("NetworkPolicy", f"harden-{item.name}", item)
        for pod in workspace.pod_templates:
            workspace.ask(Relations).services_of(pod)

    return calls(work)
