"""What programs make of their Kubernetes objects, by each library's own serialiser and without a cluster.

Run by the interpreter of an environment: ``python renderers.py DIALECT FILE...`` prints, as its last line, JSON:
{file: [object, ...] or the text of the error}. Nothing of harden is imported here.
"""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
import types
from collections.abc import Callable
from typing import Any

# The library sends the objects to an address that names them, so some programs leave this out.
_GROUPS = {"V1Deployment": "apps/v1", "V1Pod": "v1", "V1Service": "v1"}


def objects(path: str) -> list[Any]:
    """What ``manifests()`` of the program returns."""
    return list(runpy.run_path(path, run_name="manifests")["manifests"]())


def _kubernetes(path: str) -> list[Any]:
    from kubernetes import client

    return _named(objects(path), client.ApiClient().sanitize_for_serialization)


def _kubernetes_asyncio(path: str) -> list[Any]:
    from kubernetes_asyncio import client

    async def render() -> list[Any]:
        async with client.ApiClient() as api:
            return _named(objects(path), api.sanitize_for_serialization)

    return asyncio.run(render())


def _named(found: list[Any], serialise: Callable[[Any], Any]) -> list[Any]:
    rendered = []
    for one in found:
        data = serialise(one)
        name = type(one).__name__
        rendered.append({"apiVersion": _GROUPS.get(name), "kind": name.removeprefix("V1"), **data})
    return rendered


def _pulumi(path: str) -> list[Any]:
    import pulumi

    class Mocks(pulumi.runtime.Mocks):  # type: ignore[misc]
        def __init__(self) -> None:
            self.found: list[tuple[str, dict[str, Any]]] = []

        def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
            if args.typ.startswith("kubernetes:"):
                self.found.append((args.name, _whole(args.inputs)))
            metadata = {"name": args.name, **(args.inputs.get("metadata") or {})}
            return args.name, {**args.inputs, "metadata": metadata}

        def call(self, args: Any) -> dict[str, Any]:
            return {}

    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, preview=False)
    pulumi.runtime.test(lambda: runpy.run_path(path, run_name="__main__"))()
    return [data for _, data in sorted(mocks.found, key=lambda pair: (pair[1]["kind"], pair[0]))]


def _whole(value: Any) -> Any:
    """Numbers as they were: those that the engine is told are all floating."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _cdk8s(path: str) -> list[Any]:
    import cdk8s_plus_32.k8s as k8s
    import yaml
    from cdk8s import App

    # `cdk8s import` would write this package; the one of cdk8s-plus is generated in the same way.
    imports = types.ModuleType("imports")
    imports.k8s = k8s  # type: ignore[attr-defined]
    sys.modules.update({"imports": imports, "imports.k8s": k8s})
    chart = runpy.run_path(path, run_name="manifests")["MyChart"]
    app = App()
    chart(app, "chart")
    return list(yaml.safe_load_all(app.synth_yaml()))


def _lightkube(path: str) -> list[Any]:
    import yaml
    from lightkube.codecs import dump_all_yaml

    return list(yaml.safe_load_all(dump_all_yaml(objects(path))))


def _hikaru(path: str) -> list[Any]:
    from hikaru import get_clean_dict

    return [get_clean_dict(one) for one in objects(path)]


RENDERERS: dict[str, Callable[[str], list[Any]]] = {
    "cdk8s": _cdk8s,
    "dicts": objects,
    "hikaru": _hikaru,
    "kubernetes": _kubernetes,
    "kubernetes_asyncio": _kubernetes_asyncio,
    "lightkube": _lightkube,
    "pulumi_dicts": _pulumi,
    "pulumi_typed": _pulumi,
}


def main(dialect: str, paths: list[str]) -> None:
    """Render ``paths`` one after the other; a program that fails says why in its place."""
    rendered: dict[str, Any] = {}
    for path in paths:
        try:
            rendered[path] = RENDERERS[dialect](path)
        except Exception as error:
            rendered[path] = f"{type(error).__name__}: {error}"
    print()
    print(json.dumps(rendered))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
