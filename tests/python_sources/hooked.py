"""What the printed hooks make of pods, by the library that each is for.

Run by the interpreter of an environment: ``python hooked.py NAME FILE CASES`` prints, as its last line, JSON: what the
hook in FILE, the text of ``harden hook NAME``, makes of each pod spec of the JSON text CASES.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from typing import Any


def _loaded(path: str) -> Any:
    """The module in the file ``path``; nothing else of its folder can be imported by it."""
    found = importlib.util.spec_from_file_location("hook", path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _pod(client: Any, spec: dict[str, Any], *, typed: bool) -> Any:
    """A V1Pod as a framework makes it: with security contexts as objects, or as the dicts that people write."""

    def security(kind: str, said: dict[str, Any] | None) -> Any:
        if said is None or not typed:
            return said
        fields = {_SNAKE.get(name, name): value for name, value in said.items()}
        if "capabilities" in fields:
            fields["capabilities"] = client.V1Capabilities(**fields["capabilities"])
        if "seccomp_profile" in fields:
            fields["seccomp_profile"] = client.V1SeccompProfile(**fields["seccomp_profile"])
        return getattr(client, kind)(**fields)

    def containers(said: list[dict[str, Any]] | None) -> Any:
        return said and [
            client.V1Container(
                name=each["name"],
                image=each.get("image"),
                security_context=security("V1SecurityContext", each.get("securityContext")),
            )
            for each in said
        ]

    return client.V1Pod(
        spec=client.V1PodSpec(
            os=client.V1PodOS(**spec["os"]) if "os" in spec else None,
            automount_service_account_token=spec.get("automountServiceAccountToken"),
            service_account_name=spec.get("serviceAccountName"),
            security_context=security("V1PodSecurityContext", spec.get("securityContext")),
            init_containers=containers(spec.get("initContainers")),
            containers=containers(spec["containers"]),
        )
    )


_SNAKE = {
    "allowPrivilegeEscalation": "allow_privilege_escalation",
    "readOnlyRootFilesystem": "read_only_root_filesystem",
    "runAsNonRoot": "run_as_non_root",
    "runAsUser": "run_as_user",
    "seccompProfile": "seccomp_profile",
}


def _airflow(hook: Any, spec: dict[str, Any]) -> Any:
    from kubernetes import client

    serialise = client.ApiClient().sanitize_for_serialization
    made = [_pod(client, spec, typed=typed) for typed in (True, False)]
    for pod in made:
        hook.pod_mutation_hook(pod)
    one, other = (serialise(pod)["spec"] for pod in made)
    assert one == other
    return one


def _kubespawner(hook: Any, spec: dict[str, Any]) -> Any:
    from kubernetes_asyncio import client

    async def serialise(pod: Any) -> Any:
        async with client.ApiClient() as api:
            return api.sanitize_for_serialization(pod)["spec"]

    made = [_pod(client, spec, typed=typed) for typed in (True, False)]
    assert all(hook.modify_pod_hook(None, pod) is pod for pod in made)
    one, other = (asyncio.run(serialise(pod)) for pod in made)
    assert one == other
    return one


def _pulumi(hook: Any, spec: dict[str, Any]) -> Any:
    import pulumi

    def made(type_: str) -> Any:
        arguments = pulumi.ResourceTransformArgs(
            custom=True, type_=type_, name="a", props={"spec": json.loads(json.dumps(spec))},
            opts=pulumi.ResourceOptions(),
        )  # fmt: skip
        result = hook.harden_pods(arguments)
        return spec if result is None else result.props["spec"]

    assert made("kubernetes:core/v1:Service") == made("aws:ecs/taskDefinition:Pod") == spec
    return made("kubernetes:core/v1:Pod")


def _cdk8s(hook: Any, spec: dict[str, Any]) -> Any:
    import yaml
    from cdk8s import ApiObject, App, Chart, JsonPatch

    app = App()
    chart = Chart(app, "chart")
    pod = ApiObject(chart, "pod", api_version="v1", kind="Pod")
    pod.add_json_patch(JsonPatch.add("/spec", spec))
    ApiObject(chart, "map", api_version="v1", kind="ConfigMap")
    hook.harden_pods(app)
    found, other = yaml.safe_load_all(app.synth_yaml())
    assert "spec" not in other
    return found["spec"]


HOOKS = {"airflow": _airflow, "cdk8s": _cdk8s, "kubespawner": _kubespawner, "pulumi": _pulumi}

if __name__ == "__main__":
    name, path, cases = sys.argv[1:]
    if name == "kubespawner":
        sys.modules["kubernetes"] = None  # type: ignore[assignment]  # a hub need not have it
    elif name == "pulumi":
        import pulumi

        class Nothing(pulumi.runtime.Mocks):  # type: ignore[misc]
            def call(self, args: Any) -> Any:
                return {}

            def new_resource(self, args: Any) -> Any:
                return args.name, args.inputs

        pulumi.runtime.set_mocks(Nothing())  # in place of the engine, with which the hook registers
        found: list[Any] = []
        pulumi.runtime.test(lambda: found.append(_loaded(path)))()
        hook = found[0]
    if name != "pulumi":
        hook = _loaded(path)
    made = {case: HOOKS[name](hook, spec) for case, spec in json.loads(cases).items()}
    print()
    print(json.dumps(made))
