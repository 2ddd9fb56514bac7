"""What patches of a kustomization make of an object: by tables, and as kustomize itself does it."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.kustomize.operations import is_operations, operate
from hardener.kubernetes.kustomize.patch import PatchError, identity, merge
from tests.built import BUILDERS, builder

Data = dict[str, Any]


def workload(spec: Data | None, kind: str = "Deployment", version: str = "apps/v1", name: str = "web") -> Data:
    """An object whose pod spec is ``spec``."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def patched(spec: Data, patch: Data | None) -> Any:
    """The pod spec of a Deployment with a strategic merge patch of it."""
    found = merge(workload(spec), workload(patch))
    assert found is not None
    return found["spec"]["template"].get("spec")


A, B = {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}


A2, B2 = {"name": "a", "args": ["x"]}, {"name": "b", "image": "b:2"}
HOST_PATH: Data = {"hostPath": {"path": "/x"}}
EMPTY: Data = {"emptyDir": {}}


@pytest.mark.parametrize(
    ("spec", "patch", "expected"),
    [
        # Mappings are merged, scalars replaced, null removes.
        ({"hostNetwork": True}, {"hostPID": True}, {"hostNetwork": True, "hostPID": True}),
        ({"securityContext": {"runAsUser": 1}}, {"securityContext": {"fsGroup": 0}},
         {"securityContext": {"runAsUser": 1, "fsGroup": 0}}),
        ({"securityContext": {"runAsUser": 1}, "x": 1}, {"securityContext": None}, {"x": 1}),
        ({"x": 1}, {"securityContext": {"runAsUser": None}}, {"x": 1, "securityContext": {}}),
        # Containers are told apart by name. Those of the patch come first, in its order.
        ({"containers": [A, B]}, {"containers": [B2]}, {"containers": [B2, A]}),
        ({"containers": [A]}, {"containers": [B]}, {"containers": [B, A]}),
        ({"containers": [A, B]}, {"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [B]}),
        ({"containers": [A, B]}, {"containers": []}, {"containers": [A, B]}),
        ({"containers": [A]}, {"containers": None}, {}),
        # Lists without keys are replaced: commands, capabilities, tolerations.
        ({"containers": [{"name": "a", "args": ["y"]}]}, {"containers": [A2]}, {"containers": [A2]}),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}),
        # A volume keeps the source that it has beside the new one, which is kustomize's own mistake.
        ({"volumes": [{"name": "v", **HOST_PATH}]}, {"volumes": [{"name": "v", **EMPTY}]},
         {"volumes": [{"name": "v", **HOST_PATH, **EMPTY}]}),
        ({"volumes": [{"name": "v", **HOST_PATH}]}, {"volumes": [{"name": "v", "hostPath": None, **EMPTY}]},
         {"volumes": [{"name": "v", **EMPTY}]}),
        ({"securityContext": {"runAsUser": 1}}, {"securityContext": {"$patch": "replace", "fsGroup": 2}},
         {"securityContext": {"fsGroup": 2}}),
        ({"x": 1, "y": 2}, {"$patch": "merge", "x": 3}, {"x": 3, "y": 2}),
        # What kubectl writes into patches, and kustomize does not know, says nothing.
        ({"x": 1}, {"$setElementOrder/containers": [{"name": "a"}], "$retainKeys": ["x"], "y": 2}, {"x": 1, "y": 2}),
        ({"x": 1}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"x": 1}),
    ],
)  # fmt: skip
def test_strategic_merge(spec: Data, patch: Data | None, expected: Data) -> None:
    before = yaml.safe_dump([spec, patch])
    assert patched(spec, patch) == expected
    assert yaml.safe_dump([spec, patch]) == before, "neither is changed"


@pytest.mark.parametrize(
    ("key", "items", "patch", "expected"),
    [
        ("env", [{"name": "A", "value": "1"}], [{"name": "A", "value": "2"}], [{"name": "A", "value": "2"}]),
        ("volumeMounts", [{"name": "v", "mountPath": "/a"}], [{"name": "w", "mountPath": "/a"}],
         [{"name": "w", "mountPath": "/a"}]),
        ("volumeDevices", [{"name": "v", "devicePath": "/a"}], [{"name": "w", "devicePath": "/b"}],
         [{"name": "w", "devicePath": "/b"}, {"name": "v", "devicePath": "/a"}]),
        ("ports", [{"containerPort": 80}], [{"containerPort": 80, "hostPort": 80}],
         [{"containerPort": 80, "hostPort": 80}]),
        ("ports", [{"containerPort": 80, "protocol": "TCP"}], [{"containerPort": 80, "protocol": "UDP"}],
         [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80, "protocol": "TCP"}]),
    ],
)  # fmt: skip
def test_lists_of_a_container(key: str, items: list[Any], patch: list[Any], expected: list[Any]) -> None:
    found = patched({"containers": [{"name": "a", key: items}]}, {"containers": [{"name": "a", key: patch}]})
    assert found == {"containers": [{"name": "a", key: expected}]}


@pytest.mark.parametrize(
    ("kind", "version"), [("Rollout", "argoproj.io/v1alpha1"), ("Deployment", "extensions/v1beta1")]
)
def test_lists_of_types_that_kustomize_does_not_know_are_replaced(kind: str, version: str) -> None:
    found = merge(workload({"containers": [A]}, kind, version), workload({"containers": [B]}, kind, version))
    assert found == workload({"containers": [B]}, kind, version)


def test_the_object_keeps_its_name() -> None:
    patch = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "other", "namespace": "x", "labels": {"a": "b"}}}
    found = merge(workload({"x": 1}), patch)
    assert found is not None
    assert (found["kind"], found["metadata"]) == ("Deployment", {"name": "web", "labels": {"a": "b"}})
    renamed = merge(workload({"x": 1}), patch, renames=True)
    assert renamed is not None
    assert (renamed["kind"], renamed["metadata"]["name"]) == ("Any", "other")


def test_a_patch_may_delete_the_object() -> None:
    assert merge(workload({"x": 1}), {**workload({}), "$patch": "delete"}) is None


@pytest.mark.parametrize(
    "patch",
    [
        {"containers": {"a": 1}},
        {"containers": ["a"]},
        {"containers": [{"name": "a", "image": ["b"]}]},
        {"containers": [{"name": "a", "$patch": "drop"}]},
        {"hostNetwork": {"a": 1}},
    ],
)
def test_shapes_that_do_not_fit_are_refused(patch: Data) -> None:
    with pytest.raises(PatchError):
        patched({"containers": [A], "hostNetwork": True}, patch)


CONTAINER = "/spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/x", "value": 1}], {"a": {"b": [1, 2]}, "c/d": "e", "x": 1}),
        ([{"op": "add", "path": "/a/b/-", "value": 3}], {"a": {"b": [1, 2, 3]}, "c/d": "e"}),
        ([{"op": "add", "path": "/a/b/0", "value": 0}], {"a": {"b": [0, 1, 2]}, "c/d": "e"}),
        ([{"op": "add", "path": "/a/b/-1", "value": 3}], {"a": {"b": [1, 2, 3]}, "c/d": "e"}),
        ([{"op": "add", "path": "/a", "value": None}], {"a": None, "c/d": "e"}),
        ([{"op": "replace", "path": "/c~1d", "value": "f"}], {"a": {"b": [1, 2]}, "c/d": "f"}),
        ([{"op": "replace", "path": "/a/b/1", "value": 3}], {"a": {"b": [1, 3]}, "c/d": "e"}),
        ([{"op": "remove", "path": "/a/b/0"}], {"a": {"b": [2]}, "c/d": "e"}),
        ([{"op": "copy", "from": "/a/b/0", "path": "/x"}], {"a": {"b": [1, 2]}, "c/d": "e", "x": 1}),
        ([{"op": "move", "from": "/a/b", "path": "/x"}], {"a": {}, "c/d": "e", "x": [1, 2]}),
        ([{"op": "test", "path": "/a/b", "value": [1, 2]}], {"a": {"b": [1, 2]}, "c/d": "e"}),
        ([{"op": "test", "path": "/x", "value": None}], {"a": {"b": [1, 2]}, "c/d": "e"}),
    ],
)
def test_operations(operations: list[Data], expected: Data) -> None:
    document = {"a": {"b": [1, 2]}, "c/d": "e"}
    assert is_operations(operations)
    assert operate(document, operations) == expected
    assert document == {"a": {"b": [1, 2]}, "c/d": "e"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/x"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/x/y", "value": 1},
        {"op": "replace", "path": "/a/b/2", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/b/3", "value": 1},
        {"op": "add", "path": "/a/b/x", "value": 1},
        {"op": "add", "path": "/c~1d/x", "value": 1},
        {"op": "add", "path": "", "value": 1},
        {"op": "test", "path": "/a/b", "value": [1]},
        {"op": "test", "path": "/a/b/0", "value": True},
        {"op": "test", "path": "/x/y", "value": None},
        {"op": "copy", "from": "/x", "path": "/y"},
        {"op": "move", "path": "/y"},
        {"op": "merge", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": 1, "value": 1},
    ],
)
def test_operations_that_cannot_be_made(operation: Data) -> None:
    with pytest.raises(PatchError):
        operate({"a": {"b": [1, 2]}, "c/d": "e"}, [operation])


def test_copies_of_copies_end() -> None:
    with pytest.raises(PatchError):
        operate({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/a/-"}] * 60)


@pytest.mark.parametrize("document", [None, {}, [], [1], [{"path": "/a"}], [{"op": 1}], "op: add"])
def test_what_is_no_json_patch(document: Any) -> None:
    assert not is_operations(document)


def test_operations_tell_which_items_they_hit() -> None:
    document = workload({"containers": [{"name": "a", "args": ["x"], "volumeMounts": [{"mountPath": "/a"}]}]})
    hits: list[tuple[Any, ...]] = []
    operations = [
        {"op": "replace", "path": f"{CONTAINER}/volumeMounts/0/mountPath", "value": "/b"},
        {"op": "add", "path": f"{CONTAINER}/args/0", "value": "y"},
        {"op": "remove", "path": f"{CONTAINER}/args/0"},
    ]
    operate(document, operations, hits)
    assert hits == [(("name", "a"), ("mountPath", "/a")), (("name", "a"),), (("name", "a"), "y")]
    hits.clear()
    operate(document, [{"op": "replace", "path": f"{CONTAINER}/image", "value": "b"}], hits)
    assert hits == [(("name", "a"), None)], "it is not there, which older releases refuse"


def test_identities() -> None:
    assert identity({"name": "v", "mountPath": "/a"}) == ("mountPath", "/a")
    assert identity({"containerPort": 80}) == ("containerPort", 80)
    assert identity({"emptyDir": {}}) == identity({"emptyDir": None})
    assert identity("a") == "a"


# As kustomize does it: every patch on every object.

SPECS: dict[str, Data] = {
    "plain": {"containers": [A, B]},
    "full": {
        "hostNetwork": False,
        "securityContext": {"runAsUser": 1000, "fsGroup": 1},
        "initContainers": [{"name": "i", "image": "i:1", "args": ["x"]}],
        "containers": [
            {
                "name": "a", "image": "a:1", "args": ["x", "z"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "p"}],
                "resources": {"requests": {"cpu": "1"}},
                "securityContext": {"capabilities": {"add": ["A", "B"]}},
                "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/b"}],
            },
            B,
        ],
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "hostPath": {"path": "/x"}}],
        "imagePullSecrets": [{"name": "s"}],
        "tolerations": [{"key": "a"}],
    },
    "protocols": {
        "containers": [{"name": "a", "image": "a:1", "ports": [
            {"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}, {"containerPort": 82},
        ]}],
    },
    "odd": {
        "containers": [{"name": "a", "image": "a:1", "env": None, "ports": [], "securityContext": {}}], "volumes": [],
    },
}  # fmt: skip
PATCHES: list[Any] = [
    {"containers": [{"name": "c", "image": "c:1"}, {"name": "a", "args": ["q"], "env": [{"name": "C", "value": "3"}]}]},
    {"containers": [{"name": "a", "env": [{"name": "A", "$patch": "delete"}, {"name": "B", "value": "7"}]}]},
    {"containers": [{"name": "a", "$patch": "replace", "image": "r:1"}]},
    {"containers": [{"name": "a", "$patch": "delete"}]},
    {"containers": [{"name": "a", "ports": [{"containerPort": 80, "hostPort": 8}, {"containerPort": 83}]}]},
    {"containers": [{"name": "a", "ports": [{"containerPort": 80, "protocol": "UDP", "name": "u"}]}]},
    {"containers": [{"name": "a", "ports": [{"containerPort": 80, "$patch": "delete"}]}]},
    {"containers": [{"name": "a", "volumeMounts": [{"name": "x", "mountPath": path} for path in ("/a", "/c")]}],
     "volumes": [{"name": "x", **EMPTY}]},
    {"containers": [{"name": "a", "securityContext": {"capabilities": {"add": ["C"]}, "privileged": True}}]},
    {"containers": [{"name": "a", "securityContext": None, "resources": {"requests": {"cpu": None, "memory": "1"}}}]},
    {"volumes": [{"name": "w", "emptyDir": {}}, {"name": "n", "emptyDir": {}}], "securityContext": {"runAsUser": 0}},
    {"volumes": [{"name": "w", "hostPath": None, "emptyDir": {}}], "tolerations": [{"key": "b"}]},
    {"volumes": [{"name": "v", "$patch": "delete"}], "imagePullSecrets": [{"name": "t"}]},
    {"securityContext": {"$patch": "replace", "runAsNonRoot": True}, "hostNetwork": True},
    {"volumes": None, "initContainers": None},
    [{"op": "add", "path": f"{CONTAINER}/env", "value": [{"name": "Z", "value": "1"}]}],
    [{"op": "add", "path": f"{CONTAINER}/securityContext/runAsUser", "value": 0}],
    [{"op": "replace", "path": f"{CONTAINER}/ports/0/containerPort", "value": 8080}],
    [{"op": "remove", "path": f"{CONTAINER}/volumeMounts/1"}],
    [{"op": "add", "path": f"{CONTAINER}/args/-1", "value": "w"}],
    [{"op": "test", "path": f"{CONTAINER}/name", "value": "a"}, {"op": "add", "path": f"{CONTAINER}/tty", "value": 1}],
    [{"op": "test", "path": "/spec/template/spec/volumes", "value": None}],
    [{"op": "move", "from": "/spec/template/spec/containers/1", "path": CONTAINER}],
    [{"op": "copy", "from": f"{CONTAINER}/image", "path": "/spec/template/spec/initContainers/0/image"}],
]  # fmt: skip
KINDS = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("argoproj.io/v1alpha1", "Rollout"),
]


def _cases() -> list[tuple[Data, Any, Data]]:
    """Object, patch and what is expected: each patch that can be applied."""
    cases: list[tuple[Data, Any, Data]] = []
    for (version, kind), (name, spec), (number, patch) in product(KINDS, SPECS.items(), enumerate(PATCHES)):
        item = workload(spec, kind, version, f"{kind.lower()}-{name}-{number}")
        document = patch if isinstance(patch, list) else workload(patch, kind, version, item["metadata"]["name"])
        try:
            found = operate(item, document) if isinstance(document, list) else merge(item, document)
        except PatchError:
            continue
        assert found is not None
        cases.append((item, document, found))
    return cases


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


@pytest.mark.sampled(2)
@pytest.mark.parametrize("tool", BUILDERS)
def test_kustomize_does_the_same(tool: str, tmp_path: Path) -> None:
    cases = _cases()
    assert len(cases) > 200
    entries = []
    for item, patch, _ in cases:
        entry: Data = {"patch": yaml.safe_dump(patch)}
        if isinstance(patch, list):
            entry["target"] = {"kind": item["kind"], "name": item["metadata"]["name"]}
        entries.append(entry)
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(item for item, _, _ in cases))
    kustomization = {"resources": ["objects.yaml"], "patches": entries}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    done = subprocess.run([*builder(tool), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = {item["metadata"]["name"]: item for item in yaml.safe_load_all(done.stdout)}
    for item, patch, expected in cases:
        found = built[item["metadata"]["name"]]
        assert _without_null(found) == _without_null(expected), (item, patch)


@pytest.mark.parametrize("tool", BUILDERS)
@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "remove", "path": f"{CONTAINER}/env"}],
        [{"op": "replace", "path": "/spec/template/spec/securityContext/runAsUser", "value": 1}],
        [{"op": "add", "path": f"{CONTAINER}/args/3", "value": "x"}],
        [{"op": "test", "path": f"{CONTAINER}/image", "value": "b:1"}],
        {"containers": {"a": 1}},
        {"containers": [{"name": "a", "$patch": "drop"}]},
    ],
    ids=str,
)
def test_kustomize_refuses_the_same(tool: str, patch: Any, tmp_path: Path) -> None:
    item = workload({"containers": [{"name": "a", "image": "a:1", "args": ["x"]}]})
    entry: Data = {"patch": yaml.safe_dump(patch if isinstance(patch, list) else workload(patch))}
    if isinstance(patch, list):
        entry["target"] = {"kind": "Deployment"}
    (tmp_path / "object.yaml").write_text(yaml.safe_dump(item))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["object.yaml"], "patches": [entry]}))
    assert subprocess.run([*builder(tool), str(tmp_path)], capture_output=True).returncode != 0
    with pytest.raises(PatchError):
        if isinstance(patch, list):
            operate(item, patch)
        else:
            merge(item, workload(patch))


def test_the_lists_with_keys_are_those_of_kubernetes() -> None:
    """The table of merge keys agrees with the schemas of Kubernetes, where kustomize knows the type."""
    import json

    validate = pytest.importorskip("kubernetes_validate")
    folder = Path(validate.__file__).parent / "kubernetes-json-schema" / "v1.30.0-local"
    if not folder.exists():
        pytest.skip("needs the schemas of kubernetes-validate")
    from hardener.kubernetes.kustomize.patch import _FIELDS

    files = {
        "PodSpec": "podspec-v1",
        "Container": "container-v1",
        "ServiceSpec": "servicespec-v1",
        "ObjectMeta": "objectmeta-meta-v1",
    }
    for name, file in files.items():
        properties = json.loads((folder / f"{file}.json").read_text())["properties"]
        merged = {
            key: value.get("x-kubernetes-patch-merge-key", "")
            for key, value in properties.items()
            if "merge" in value.get("x-kubernetes-patch-strategy", "")
        }
        # Later than the schema that kustomize has built in.
        for late in ("resourceClaims", "schedulingGates", "restartPolicyRules"):
            merged.pop(late, None)
        assert {key: keys[0] for key, (_, keys) in _FIELDS[name].items() if keys} == merged
