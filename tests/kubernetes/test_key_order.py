"""Where a new key is put."""

import pytest

from hardener.kubernetes.objects.key_order import FIELD, ORDER, child, of_kind, place

PLACES = [
    # type, existing keys, new key, place
    ("PodSpec", ["containers", "volumes"], "securityContext", ("before", "containers")),
    ("PodSpec", ["serviceAccountName", "containers"], "securityContext", ("after", "serviceAccountName")),
    ("PodSpec", ["serviceAccountName", "containers"], "automountServiceAccountToken", ("after", "serviceAccountName")),
    ("PodSpec", ["securityContext", "containers"], "automountServiceAccountToken", ("before", "securityContext")),
    ("PodSpec", ["initContainers", "containers", "restartPolicy"], "volumes", ("after", "containers")),
    ("PodSpec", ["containers", "restartPolicy"], "securityContext", ("before", "containers")),
    ("PodSpec", ["nodeSelector", "containers"], "automountServiceAccountToken", ("before", "containers")),
    ("Container", ["name", "image"], "securityContext", ("after", "image")),
    ("Container", ["name", "image", "resources"], "securityContext", ("after", "resources")),
    ("Container", ["name", "image", "ports", "env", "livenessProbe"], "resources", ("after", "env")),
    ("Container", ["name", "image", "ports", "readinessProbe"], "resources", ("after", "ports")),
    ("Container", ["image", "name"], "securityContext", ("after", "name")),
    ("Container", ["name", "image", "command", "imagePullPolicy", "tty"], "resources", ("after", "imagePullPolicy")),
    ("Container", ["name", "image", "securityContext"], "volumeMounts", ("after", "securityContext")),
    ("Container", ["name", "image", "volumeMounts"], "securityContext", ("after", "image")),
    ("SecurityContext", ["capabilities"], "allowPrivilegeEscalation", ("before", "capabilities")),
    ("SecurityContext", ["runAsUser"], "runAsNonRoot", ("before", "runAsUser")),
    ("SecurityContext", ["allowPrivilegeEscalation", "capabilities"], "readOnlyRootFilesystem",
     ("after", "allowPrivilegeEscalation")),
    ("ResourceRequirements", ["limits"], "requests", ("before", "limits")),
    ("ResourceList", ["memory"], "cpu", ("before", "memory")),
    ("ServiceSpec", ["selector", "ports"], "type", ("before", "selector")),
    ("ServiceAccount", ["apiVersion", "kind", "metadata"], "automountServiceAccountToken", ("after", "metadata")),
    ("ObjectMeta", ["name", "namespace"], "labels", ("after", "namespace")),
    # Nothing to go by.
    ("SecurityContext", [], "runAsNonRoot", ("end", None)),
    ("SecurityContext", ["unknown", 3, None], "runAsNonRoot", ("end", None)),
    ("PodSpec", ["containers"], "newInKubernetes2", ("end", None)),
    ("NoSuchType", ["name"], "image", ("end", None)),
    (None, ["name"], "image", ("end", None)),
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "existing", "new", "expected"), PLACES)
def test_place(type_name: str | None, existing: list[object], new: str, expected: tuple[str, str | None]) -> None:
    assert place(type_name, existing, new) == expected


def walked(start: str | None, *path: str | int) -> str | None:
    for key in path:
        start = child(start, key)
    return start


def test_types_are_found_by_the_path() -> None:
    template = ("spec", "template", "spec")
    container = (*template, "containers", 0)
    for start in ("Object", of_kind("Deployment")):
        assert walked(start, *template) == "PodSpec"
        assert walked(start, *container) == "Container"
        assert walked(start, *container, "resources", "limits") == "ResourceList"
        assert walked(start, *container, "securityContext", "capabilities") == "Capabilities"
        assert walked(start, *template, "securityContext", "sysctls", 0) == "Sysctl"
        assert walked(start, "metadata") == "ObjectMeta"
    for start in ("Object", of_kind("CronJob")):
        assert walked(start, "spec", "jobTemplate", "spec", "template", "spec", "volumes", 1) == "Volume"
    for start in ("Object", of_kind("Pod")):
        assert walked(start, "spec", "initContainers", 0, "volumeMounts", 2) == "VolumeMount"
    for start in ("Object", of_kind("Service")):
        assert walked(start, "spec", "ports", 0) == "ServicePort"


def test_unknown_has_no_type() -> None:
    assert child("PodSpec", "nodeSelector") is None
    assert child(None, "spec") is None
    assert child("Nothing", "spec") is None
    assert of_kind("Widget") == of_kind(None) == of_kind(["Pod"]) == "Object"


def test_the_spec_of_an_object_of_unknown_kind_has_an_order_too() -> None:
    assert place("ObjectSpec", ["containers"], "securityContext") == ("before", "containers")
    assert place("ObjectSpec", ["selector", "ports"], "type") == ("before", "selector")


def test_the_tables_agree() -> None:
    for (parent, key), value in FIELD.items():
        assert value in ORDER or value == "VolumeProjection", value
        assert parent == "VolumeProjection" or key in ORDER[parent] or (parent, key) in OUTSIDE, (parent, key)
    for name, keys in ORDER.items():
        assert len(keys) == len(set(keys)), name


# Keys that have a type but no place: they are never added to what exists.
OUTSIDE = {("PodSpec", "resources"), ("ObjectSpec", "resources"), ("Volume", "hostPath")}
