"""Pods that the tree does not show: what points at them, in which namespace, and what the report says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardener.facts.cluster.platforms import Platforms
from hardener.facts.objects.hidden_pods import HiddenPods
from hardener.facts.objects.injected_sidecars import CniMeshes
from hardener.facts.objects.namespace_contents import Namespaces, unseen_sources
from hardener.facts.objects.pod_security_levels import level_of
from hardener.tree.tree import Settings, Tree

from .conftest import Harden, commit
from .test_builds import Files, read, thing, write
from .test_layout import service, workload


def custom(api_version: str, kind: str, spec: str = "{}", name: str = "it", namespace: str = "own") -> str:
    return (
        f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )


FLUX, HELM, ARGO = "kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2", "argoproj.io/v1alpha1"
HERE = "sourceRef: {kind: GitRepository, name: flux-system}"


@pytest.mark.parametrize(
    ("document", "namespaces"),
    [
        (custom(HELM, "HelmRelease"), {"own"}),
        (custom(HELM, "HelmRelease", "{targetNamespace: shop, install: {createNamespace: true}}"), {"shop"}),
        (custom(HELM, "HelmRelease", "{targetNamespace: 'shop-${ENV}'}"), {"shop-*"}),
        (custom(HELM, "HelmRelease", "{targetNamespace: [shop]}"), {"own"}),
        (custom(HELM, "HelmRelease", "null"), {"own"}),
        (custom("helm.cattle.io/v1", "HelmChart", "{targetNamespace: shop}"), {"shop"}),
        (custom("helm.cattle.io/v1", "HelmChartConfig"), {"own"}),
        (custom(FLUX, "Kustomization", f"{{path: ./apps, {HERE}}}"), set()),
        (custom(FLUX, "Kustomization", f"{{path: /apps/, {HERE}}}"), set()),
        (custom(FLUX, "Kustomization", f"{{path: ./apps, targetNamespace: shop, {HERE}}}"), {"shop"}),
        (custom(FLUX, "Kustomization", f"{{path: ./gone, {HERE}}}"), {"own"}),
        (custom(FLUX, "Kustomization", f"{{path: './${{CLUSTER}}', {HERE}}}"), {"own"}),
        (custom(FLUX, "Kustomization", "{path: ./apps, sourceRef: {kind: OCIRepository, name: a}}"), {"own"}),
        (custom(ARGO, "Application", "{source: {path: apps}, destination: {namespace: shop}}"), {"shop"}),
        (custom(ARGO, "Application", "{source: {chart: redis}, destination: {name: prod}}"), set()),
        (custom(ARGO, "ApplicationSet", "{template: {spec: {destination: {namespace: '{{name}}'}}}}"), {"*"}),
        (custom(ARGO, "ApplicationSet", "{template: {spec: {destination: {namespace: shop}}}}"), {"shop"}),
        (custom(ARGO, "AppProject", "{destinations: [{namespace: shop}]}"), set()),
        (custom("helm.crossplane.io/v1beta1", "Release", "{forProvider: {namespace: shop}}"), {"shop"}),
        (custom("monitoring.coreos.com/v1", "Prometheus"), {"own"}),
        (custom("monitoring.coreos.com/v1", "PrometheusRule"), set()),
        (custom("kafka.strimzi.io/v1beta2", "Kafka"), {"own"}),
        (custom("kafka.strimzi.io/v1beta2", "KafkaTopic"), set()),
        (custom("acid.zalan.do/v1", "postgresql"), {"own"}),
        (custom("postgresql.cnpg.io/v1", "Cluster"), {"own"}),
        (custom("cluster.example.com/v1", "Cluster"), set()),
        (custom("shop.example.com/v1", "Shop", "{image: 'registry.example.com/shop:1'}"), {"own"}),
        (custom("shop.example.com/v1", "Shop", "[a]"), set()),
        (service("gone", "gone", "own"), {"own"}),
        (service("web", "web", "own") + workload(namespace="own"), set()),
        (custom("serving.knative.dev/v1", "Service", "{selector: {app: gone}}"), set()),
    ],
)
def test_where_it_points(document: str, namespaces: set[str], tmp_path: Path) -> None:
    workspace = read(tmp_path, {"it.yaml": document, "apps/kustomization.yaml": "resources: []\n"})
    assert set(workspace.ask(HiddenPods)) == namespaces


def test_a_namespace_that_is_filled_in_later(tmp_path: Path) -> None:
    workspace = read(tmp_path, {"it.yaml": custom(HELM, "HelmRelease", "{targetNamespace: 'shop-${ENV}'}")})
    found = workspace.ask(HiddenPods)
    assert {name: len(list(found.of(name))) for name in ("shop-", "shop-dev", "shop", "own", None)} == {
        "shop-": 1, "shop-dev": 1, "shop": 0, "own": 0, None: 0,
    }  # fmt: skip


def test_patches_point_at_nothing(tmp_path: Path) -> None:
    tree = {
        "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n",
        "web.yaml": workload(),
        "patch.yaml": service("gone", "gone", "own") + custom(HELM, "HelmRelease"),
    }
    assert read(tmp_path, tree).ask(HiddenPods) == {}


OVERLAYS: Files = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": workload(),
    "dev/kustomization.yaml": "namespace: dev\nresources: [../base, ns.yaml]\npatches: [{path: patch.yaml}]\n",
    "dev/patch.yaml": thing("web", "Deployment", None, "spec: {template: {spec: {hostNetwork: true}}}\n"),
    "dev/ns.yaml": thing("dev", "Namespace"),
    "live/kustomization.yaml": "namespace: live\nresources: [../base, ns.yaml]\n",
    "live/ns.yaml": thing("live", "Namespace"),
}
BOTH = {"all/kustomization.yaml": "resources: [../dev, ../live]\n"}
RENAMED = {"all/kustomization.yaml": "namespace: all\nresources: [../dev]\n"}


@pytest.mark.parametrize(
    ("more", "levels"),
    [
        ({}, {"dev": "privileged", "live": "baseline", "all": "baseline"}),
        # One build of both: what patches it there is not told apart, so the worst holds for both.
        (BOTH, {"dev": "privileged", "live": "privileged", "all": "baseline"}),
        (RENAMED, {"dev": "baseline", "live": "baseline", "all": "privileged"}),
    ],
)
def test_the_level_of_a_pod_in_each_namespace(more: Files, levels: dict[str, str], tmp_path: Path) -> None:
    workspace = read(tmp_path, OVERLAYS | more)
    (pod,) = (pod for pod in workspace.pod_templates if "patch" not in pod.object.classes)
    assert {name: level_of(pod, name) for name in levels} == levels
    assert {name: level_of(pod, name) for name in levels} == levels  # as remembered


@pytest.mark.parametrize(
    ("agent", "meshes"),
    [
        (workload("istio-cni-node", kind="DaemonSet", namespace="istio-system"), {"istio"}),
        (workload(kind="DaemonSet").replace("image: i", "image: 'cr.l5d.io/linkerd/cni-plugin:v1'"), {"linkerd"}),
        (workload("cni", kind="Deployment").replace("image: i", "image: 'istio/install-cni:1'"), set()),
        (custom("install.istio.io/v1alpha1", "IstioOperator", "{components: {cni: {enabled: true}}}"), {"istio"}),
        (custom("install.istio.io/v1alpha1", "IstioOperator", "{components: {cni: {enabled: false}}}"), set()),
        (custom("install.istio.io/v1alpha1", "IstioOperator", "{values: {cni: {enabled: true}}}"), {"istio"}),
        (custom("install.istio.io/v1alpha1", "IstioOperator", "[cni]"), set()),
        (custom("sailoperator.io/v1", "IstioCNI"), {"istio"}),
        (custom("sailoperator.io/v1", "Istio"), set()),
        (custom("maistra.io/v2", "ServiceMeshControlPlane"), {"istio"}),
        (custom(HELM, "HelmRelease", "{chart: {spec: {chart: cni}}}"), {"istio"}),
        (custom(HELM, "HelmRelease", "{values: {pilot: {cni: {enabled: true}}}}"), {"istio"}),
        (custom(HELM, "HelmRelease", "{chart: {spec: {chart: linkerd-control-plane}}}"), set()),
        (custom("helm.cattle.io/v1", "HelmChart", "{chart: linkerd2-cni}"), {"linkerd"}),
        (custom(ARGO, "Application", "{source: {chart: cni, repoURL: 'https://example.com'}}"), {"istio"}),
        (custom(ARGO, "Application", "{source: {path: cni}}"), set()),
    ],
)
def test_signs_of_cni_mode(agent: str, meshes: set[str], tmp_path: Path) -> None:
    assert set(read(tmp_path, {"it.yaml": agent}).ask(CniMeshes)) == meshes


def annotated(kind: str, annotations: str) -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: it, annotations: {annotations}}}\n"


def entry(name: str) -> str:
    return custom("networking.k8s.io/v1", "Ingress", f"{{ingressClassName: {name}}}")


@pytest.mark.parametrize(
    ("document", "platforms"),
    [
        (custom("route.openshift.io/v1", "Route"), ["OpenShift"]),
        (annotated("ServiceAccount", "{eks.amazonaws.com/role-arn: x}"), ["EKS"]),
        (annotated("ServiceAccount", "{iam.gke.io/gcp-service-account: x}"), ["GKE"]),
        (annotated("Service", "{service.beta.kubernetes.io/azure-load-balancer-internal: 'true'}"), ["AKS"]),
        (annotated("Service", "{service.beta.kubernetes.io/other: x}"), []),
        (annotated("ServiceAccount", "[eks.amazonaws.com/role-arn]"), []),
        (entry("alb"), ["EKS"]),
        (entry("[alb]"), []),
        (custom("storage.k8s.io/v1", "StorageClass").replace("spec: {}", "provisioner: disk.csi.azure.com"), ["AKS"]),
    ],
)
def test_signs_of_a_platform(document: str, platforms: list[str], tmp_path: Path) -> None:
    assert list(read(tmp_path, {"it.yaml": document}).ask(Platforms).signs) == platforms


@pytest.mark.parametrize(
    ("config", "head"),
    [
        ("", "Kubernetes 1.36, OpenShift (Route/it), GKE (Route/it), evidence"),
        (
            "platform: kubernetes\n",
            "Kubernetes 1.36, no OpenShift (as the configuration says), GKE (Route/it), evidence",
        ),
        ("platform: openshift\n", "Kubernetes 1.36, OpenShift (as the configuration says), GKE (Route/it), evidence"),
    ],
)
def test_the_platform_is_printed(config: str, head: str, tmp_path: Path, harden: Harden) -> None:
    route = custom("route.openshift.io/v1", "Route").replace("namespace: own", "annotations: {networking.gke.io/x: y}")
    write(tmp_path, {"route.yaml": route, ".harden.yaml": config})
    commit(tmp_path)
    assert head in harden("diff", ".").all.splitlines()[0]
    report = json.loads(harden("diff", "--format", "json", ".").out)
    assert report["platform"] == ("kubernetes" if "kubernetes" in config else "openshift")
    assert report["platformSigns"]["GKE"] == {
        "file": "route.yaml",
        "object": {"apiVersion": "route.openshift.io/v1", "kind": "Route", "namespace": None, "name": "it"},
    }


def test_findings_that_repeat_are_one_line(tmp_path: Path, harden: Harden) -> None:
    names = ("a", "b", "c", "d")
    releases = {f"{name}.yaml": custom(FLUX, "Kustomization", name=name, namespace=name) for name in names}
    spaces = {f"{name}/ns.yaml": thing(name, "Namespace") for name in names}
    write(tmp_path, releases | spaces)
    commit(tmp_path)
    lines = harden("diff", ".").all.splitlines()
    title = lines.index("Needs manual work: 12 findings (12 low)")
    left = lines[title + 1 : lines.index("", title)]
    assert [line.strip().partition(":")[0] for line in left] == [
        "low renders-elsewhere  4 Kustomizations whose workloads this tree does not show",
        "low K05 netpol-default-deny x 4  Namespace/a, Namespace/b, Namespace/c, Namespace/d (-v names them)",
        "for example",
        "low K04 namespace-pss-labels x 4  Namespace/a, Namespace/b, Namespace/c, Namespace/d (-v names them)",
        "for example",
    ]
    full = harden("diff", "-v", ".").all
    for name in names:
        assert f"Kustomization {name} is rendered into workloads" in full
        assert f"namespace {name} enforces no Pod Security level: Kustomization/{name} renders workloads" in full
    # No label refuses a pod, and no policy closes a namespace, of which the tree shows no pod.
    changes = json.loads(harden("diff", "--format", "json", ".").out)["changes"]
    assert {change["path"][-1].partition("/")[2] for change in changes} == {
        "warn", "warn-version", "audit", "audit-version",
    }  # fmt: skip


def test_a_large_tree_of_releases_is_quick(tmp_path: Path) -> None:
    """Every look-up is one: asking each namespace for what points at it does not read what points elsewhere."""
    number = 2_000
    text = "---\n".join(
        thing(f"n{i}", "Namespace") + "---\n" + custom(HELM, "HelmRelease", name=f"r{i}", namespace=f"n{i}")
        for i in range(number)
    )
    workspace = Tree.from_text(text, Settings())
    spaces = [space for space in workspace.ask(Namespaces).values() if space.declared]
    assert len(spaces) == number
    assert all(len(unseen_sources(space)) == 1 for space in spaces)
