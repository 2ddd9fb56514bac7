"""What frameworks make of their settings, as the documents that harden reads from them.

Run by the interpreter of an environment: ``python framework_pods.py FRAMEWORK FILE...`` prints, as its last line, JSON:
{file: [document, ...] or the text of the error}. Dagster and KubeSpawner are asked themselves. Airflow is too heavy for
that: its operator is written anew here, from build_pod_request_obj of its provider, with the kubernetes client.
"""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

FRAGMENT = "fragment.harden/v1"


def _document(kind: str, spec: Any, name: str | None = None) -> dict[str, Any]:
    metadata = {"metadata": {"name": name}} if name else {}
    return {"apiVersion": FRAGMENT, "kind": kind, **metadata, "spec": spec}


# -- Airflow


class Dag:
    stack: ClassVar[list[dict[str, Any]]] = [{}]

    def __init__(self, dag_id: str, default_args: dict[str, Any] | None = None, **_: Any) -> None:
        self.defaults = default_args or {}

    def __enter__(self) -> Dag:
        self.stack.append(self.defaults)
        return self

    def __exit__(self, *_: Any) -> None:
        self.stack.pop()


class Operator:
    made: ClassVar[list[Operator]] = []

    def __init__(self, **arguments: Any) -> None:
        self.arguments = {**Dag.stack[-1], **arguments}
        self.made.append(self)

    def __rshift__(self, other: Operator) -> Operator:
        return other

    @classmethod
    def partial(cls, **arguments: Any) -> Operator:
        return cls(**arguments)

    def expand(self, **mapped: Any) -> None:
        self.arguments |= {name: values[0] for name, values in mapped.items()}

    def pod(self) -> Any:
        from kubernetes import client as k8s

        get = self.arguments.get
        variables = get("env_vars") or []
        if isinstance(variables, dict):
            variables = [k8s.V1EnvVar(name=name, value=value) for name, value in variables.items()]
        sidecar = [k8s.V1Container(name="airflow-xcom-sidecar", image="alpine")] if get("do_xcom_push") else []
        return k8s.V1Pod(
            metadata=k8s.V1ObjectMeta(name=get("name") or get("task_id")),
            spec=k8s.V1PodSpec(
                init_containers=get("init_containers") or None,
                containers=[
                    k8s.V1Container(
                        image=get("image"),
                        name=get("base_container_name") or "base",
                        command=get("cmds"),
                        image_pull_policy=get("image_pull_policy"),
                        resources=get("container_resources"),
                        volume_mounts=get("volume_mounts"),
                        args=get("arguments"),
                        env=variables or None,
                        security_context=get("container_security_context"),
                    ),
                    *sidecar,
                ],
                service_account_name=get("service_account_name"),
                automount_service_account_token=get("automount_service_account_token"),
                host_network=get("hostnetwork"),
                security_context=get("security_context"),
                restart_policy="Never",
                volumes=get("volumes"),
            ),
        )


class _Task:
    @staticmethod
    def kubernetes(**arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Operator]]:
        def decorate(function: Callable[..., Any]) -> Callable[..., Operator]:
            words = ["bash", "-cx", "python /tmp/script.py /tmp/script.in"]
            return lambda *_: Operator(cmds=words, **arguments)

        return decorate


def _modules() -> Iterator[types.ModuleType]:
    provider = "airflow.providers.cncf.kubernetes.operators"
    contents: dict[str, dict[str, Any]] = {
        "airflow": {"DAG": Dag},
        "airflow.decorators": {"task": _Task},
        "airflow.providers.amazon.aws.operators.eks": {"EksPodOperator": Operator},
        provider: {"kubernetes_pod": types.SimpleNamespace(KubernetesPodOperator=Operator)},
        f"{provider}.pod": {"KubernetesPodOperator": Operator},
    }
    for name, content in contents.items():
        module = types.ModuleType(name)
        module.__path__ = []
        vars(module).update(content)
        yield module


def _airflow(path: str) -> list[Any]:
    from kubernetes import client

    sys.modules.update({module.__name__: module for module in _modules()})
    parts = "airflow.providers.cncf.kubernetes airflow.providers.amazon.aws.operators".split()
    for whole in parts:
        names = whole.split(".")
        for end in range(2, len(names) + 1):
            module = types.ModuleType(".".join(names[:end]))
            module.__path__ = []
            sys.modules.setdefault(module.__name__, module)
    Operator.made.clear()
    runpy.run_path(path)
    found = []
    for operator in Operator.made:
        data = client.ApiClient().sanitize_for_serialization(operator.pod())
        found.append(_document("KubernetesPodOperator", data["spec"], data["metadata"].get("name")))
    return found


# -- Dagster


def _dagster(path: str) -> list[Any]:
    from dagster_k8s.job import get_user_defined_k8s_config
    from dagster_k8s.models import k8s_model_from_dict
    from kubernetes import client

    serialise = client.ApiClient().sanitize_for_serialization
    found = []
    for tags in runpy.run_path(path, run_name="manifests")["manifests"]():
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in tags.items()}
        config = get_user_defined_k8s_config(texts)
        # As Dagster fills in what its configuration does not say.
        parts = {"name": "dagster", "image": "registry.example.com/code:1", **config.container_config}
        container = serialise(k8s_model_from_dict(client.V1Container, parts))
        more = {"automount_service_account_token": True, **config.pod_spec_config, "containers": []}
        spec = serialise(k8s_model_from_dict(client.V1PodSpec, more))
        found.append(_document("DagsterConfig", {**spec, "containers": [container]}))
    return found


# -- KubeSpawner


@contextmanager
def _without_cluster() -> Iterator[None]:
    from kubespawner import spawner

    before = spawner.load_config, spawner.shared_client
    spawner.load_config = spawner.shared_client = lambda *_, **__: None
    yield
    spawner.load_config, spawner.shared_client = before


def _quantity(value: Any) -> Any:
    """A number of bytes or a part of a cpu as people write it."""
    if isinstance(value, float) or (isinstance(value, int) and value < 2**10):
        return f"{round(value * 1000)}m"
    return f"{value // 2**20}Mi" if isinstance(value, int) and value >= 2**20 else value


def _kubespawner(path: str) -> list[Any]:
    from kubernetes_asyncio import client
    from kubespawner import KubeSpawner
    from traitlets.config import Config

    config = Config()
    runpy.run_path(path, init_globals={"c": config, "get_config": lambda: config})

    async def make() -> Any:
        with _without_cluster():
            spawner = KubeSpawner(config=config, _mock=True)
            pod = await spawner.get_pod_manifest()
        async with client.ApiClient() as api:
            return api.sanitize_for_serialization(pod)["spec"], dict(spawner.environment)

    spec, environment = asyncio.run(make())
    container = spec["containers"][0]
    # The hub adds variables of its own, in which it repeats the image and the limits.
    for part in container["resources"].values():
        part |= {key: _quantity(value) for key, value in part.items()}
    container["env"] = [each for each in container["env"] if each["name"] in environment]
    return [_document("KubeSpawner", spec)]


RENDERERS: dict[str, Callable[[str], list[Any]]] = {
    "airflow": _airflow,
    "dagster": _dagster,
    "kubespawner": _kubespawner,
}


def main(framework: str, paths: list[str]) -> None:
    """Render ``paths`` one after the other; a program that fails says why in its place."""
    rendered: dict[str, Any] = {}
    for path in paths:
        try:
            rendered[path] = RENDERERS[framework](path)
        except Exception as error:
            rendered[path] = f"{type(error).__name__}: {error}"
    print()
    print(json.dumps(rendered))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
