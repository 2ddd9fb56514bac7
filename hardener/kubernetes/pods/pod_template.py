"""Where the pod templates are inside a Kubernetes object.

Source: the API types of Kubernetes and of the projects named below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hardener.support.data_path import Path

JOB_LIKE: frozenset[str] = frozenset({"Pod", "Job"})
"""Kinds whose pod template an API server does not let change: the object must be deleted and made again.

Source: pkg/apis/core/validation ValidatePodUpdate, pkg/apis/batch/validation ValidateJobUpdate.
"""

_APPS = ("apps", "extensions")
_MAPPING = (dict, Mapping)  # nearly all are the first, and to ask a class that is abstract takes long
EVERY = "*"
"""In a pattern of a place: every item of a list, or every value of a mapping."""

_TEMPLATE: Path = ("spec", "template")
_RAY: tuple[Path, ...] = (("headGroupSpec", "template"), ("workerGroupSpecs", EVERY, "template"))

# (API group, kind) -> paths to a PodTemplateSpec. Versions are not looked at: old ones keep the same place.
_PATHS: dict[tuple[str, str], tuple[Path, ...]] = {
    ("", "Pod"): ((),),
    ("", "PodTemplate"): (("template",),),
    ("", "ReplicationController"): (_TEMPLATE,),
    **{(group, kind): (_TEMPLATE,) for group in _APPS for kind in ("Deployment", "ReplicaSet", "DaemonSet")},
    ("apps", "StatefulSet"): (_TEMPLATE,),
    ("batch", "Job"): (_TEMPLATE,),
    ("extensions", "Job"): (_TEMPLATE,),
    ("batch", "CronJob"): (("spec", "jobTemplate", "spec", "template"),),
    ("batch", "ScheduledJob"): (("spec", "jobTemplate", "spec", "template"),),
    ("argoproj.io", "Rollout"): (_TEMPLATE,),
    # The legacy group of OpenShift's DeploymentConfig is the empty one ("v1").
    **{(group, "DeploymentConfig"): (_TEMPLATE,) for group in ("apps.openshift.io", "")},
    **{("apps.kruise.io", kind): (_TEMPLATE,) for kind in ("CloneSet", "StatefulSet", "DaemonSet")},
    ("keda.sh", "ScaledJob"): (("spec", "jobTargetRef", "template"),),
    ("batch.volcano.sh", "Job"): (("spec", "tasks", EVERY, "template"),),
    ("ray.io", "RayCluster"): tuple(("spec", *path) for path in _RAY),
    ("ray.io", "RayJob"): (
        *(("spec", "rayClusterSpec", *path) for path in _RAY),
        ("spec", "submitterPodTemplate"),
    ),
    ("ray.io", "RayService"): tuple(
        ("spec", config, *path) for config in ("rayClusterConfig", "rayClusterSpec") for path in _RAY
    ),
    ("jobset.x-k8s.io", "JobSet"): (("spec", "replicatedJobs", EVERY, "template", "spec", "template"),),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        ("spec", "leaderWorkerTemplate", "leaderTemplate"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
}
_KUBEFLOW = "kubeflow.org"
# The training operator's kinds: spec.tfReplicaSpecs.Worker.template and so on, one key per framework.
_KUBEFLOW_KINDS = ("TFJob", "PyTorchJob", "MPIJob", "XGBoostJob", "MXJob", "PaddleJob", "JAXJob")

_COMPONENTS = ("predictor", "transformer", "explainer")
# (API group, kind) -> paths to a PodSpec of which the API takes a part. Sources: github.com/knative/serving
# pkg/apis/serving/fieldmask.go; github.com/kserve/kserve pkg/apis/serving/v1beta1/predictor.go (PodSpec inlined).
_PARTIAL: dict[tuple[str, str], tuple[Path, ...]] = {
    ("serving.knative.dev", "Service"): ((*_TEMPLATE, "spec"),),
    ("serving.knative.dev", "Configuration"): ((*_TEMPLATE, "spec"),),
    ("serving.kserve.io", "InferenceService"): tuple(("spec", name) for name in _COMPONENTS),
}

FRAGMENT = "fragment.harden"
"""The group of what a program makes a part of some object with: no API server knows it."""

_FRAGMENTS = ("PodTemplateSpec", "PodSpec", "KubernetesPodOperator", "DagsterConfig", "KubeSpawner")

PARTIAL_KINDS: frozenset[str] = frozenset(kind for _, kind in _PARTIAL)
"""Kinds that may hold a pod spec of which the API takes a part; a quick test before `partial_specs`."""

POD_KINDS: frozenset[str] = frozenset(kind for _, kind in _PATHS) | frozenset(_KUBEFLOW_KINDS)
"""Kinds that may hold a pod template; a quick test before `templates`, which also looks at the group."""

_PATHS |= {(FRAGMENT, kind): ((),) for kind in _FRAGMENTS}
_PARTIAL[FRAGMENT, "Container"] = (("spec",),)


def group(api_version: object) -> str:
    """The API group of an `apiVersion`: "apps/v1" -> "apps", "v1" -> "" (also for anything that is no text)."""
    return api_version.rpartition("/")[0] if isinstance(api_version, str) else ""


def templates(document: object) -> list[Path]:
    """Paths to the pod templates of ONE object, in the order of the table.

    A path leads to a mapping that holds `metadata` and `spec` as a PodTemplateSpec does; () is the object itself (a
    Pod). Only templates whose `spec` is a mapping are named. Items of a List are the caller's to unroll.
    """
    if not isinstance(document, _MAPPING):
        return []
    kind, api_group = document.get("kind"), group(document.get("apiVersion"))
    if not isinstance(kind, str):
        return []
    return [
        path
        for pattern in _patterns(api_group, kind, document)
        for path, found in expanded(document, pattern, ())
        if isinstance(found, _MAPPING) and isinstance(found.get("spec"), _MAPPING)
    ]


def partial_specs(document: object) -> list[Path]:
    """Paths to the pod specs of ONE object of which its API takes containers only, those with containers."""
    return [path for path, spec in _partial(document) if _names_container(spec)]


def runtime_specs(document: object) -> list[Path]:
    """Paths to the pod specs of ONE such object that leave their container to a runtime defined elsewhere."""
    return [path for path, spec in _partial(document) if not _names_container(spec)]


def _partial(document: object) -> Iterator[tuple[Path, Mapping[object, object]]]:
    if isinstance(document, _MAPPING):
        for pattern in _PARTIAL.get((group(document.get("apiVersion")), str(document.get("kind"))), ()):
            for path, found in expanded(document, pattern, ()):
                if isinstance(found, _MAPPING):
                    yield path, found


def _names_container(spec: Mapping[object, object]) -> bool:
    model = spec.get("model")
    return bool(spec.get("containers")) or (isinstance(model, _MAPPING) and bool(model.get("image")))


def _patterns(api_group: str, kind: str, document: Mapping[object, object]) -> tuple[Path, ...]:
    spec = document.get("spec")
    if api_group == _KUBEFLOW and kind.endswith("Job") and isinstance(spec, _MAPPING):
        return tuple(
            ("spec", key, EVERY, "template") for key in spec if isinstance(key, str) and key.endswith("ReplicaSpecs")
        )
    if (api_group, kind) == ("argoproj.io", "Rollout") and isinstance(spec, _MAPPING) and spec.get("workloadRef"):
        return ()  # the template belongs to the Deployment it refers to
    return _PATHS.get((api_group, kind), ())


def expanded(node: object, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """What stands in ``node`` at the places of ``pattern``, each with its path, which begins with ``path``."""
    for position, step in enumerate(pattern):
        if step == EVERY:
            below = pattern[position + 1 :]
            if isinstance(node, list):
                for index, item in enumerate(node):
                    yield from expanded(item, below, (*path, index))
            elif isinstance(node, _MAPPING):
                for key, value in node.items():
                    if isinstance(key, str | int):
                        yield from expanded(value, below, (*path, key))
            return
        if not isinstance(node, _MAPPING) or step not in node:
            return
        node, path = node[step], (*path, step)
    yield path, node
