"""What files of settings show of use of the Kubernetes API."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.pods.api_settings import api_settings

SHOWN = [
    ("scrape_configs:\n- kubernetes_sd_configs:\n  - role: pod\n", "kubernetes_sd_configs"),
    ("url = https://kubernetes.default.svc/api", "kubernetes.default"),
    ("cluster:\n  in_cluster: true\n", "in-cluster"),
    ('inCluster = "true"', "in-cluster"),
    ('{"inClusterConfig": true}', "in-cluster"),
    ("receivers:\n  k8s_cluster:\n    auth_type: serviceAccount\n", "auth_type serviceAccount"),
    ("processors:\n  k8sattributes:\n", "OpenTelemetry k8s"),
    ("receivers:\n  kubeletstats:\n", "OpenTelemetry kubeletstats"),
    (".:53 {\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n    }\n}\n", "CoreDNS kubernetes"),
    ("providers:\n  kubernetesCRD: {}\n", "Traefik kubernetes provider"),
    ("[FILTER]\n    Name   kubernetes\n    Match  kube.*\n", "Fluent Bit kubernetes filter"),
    ("filters:\n  - name: kubernetes\n", "Fluent Bit kubernetes filter"),
    ("<filter kubernetes.**>\n  @type kubernetes_metadata\n</filter>\n", "Fluentd kubernetes_metadata"),
    ("sources:\n  pods:\n    type: kubernetes_logs\n", "Vector kubernetes_logs"),
    ("[[inputs.kube_inventory]]\n", "Telegraf kubernetes input"),
    ("spark.master k8s://https://kubernetes:443", "k8s://"),
    ("#!/bin/sh\nset -e\nready=$(kubectl get pod -o name)\n", "kubectl"),
]
NOT_SHOWN: list[Any] = [
    "server { listen 80; }",
    "in_cluster: false",
    "# kubectl get pods shows them",
    "name: kubernetes-dashboard-proxy",
    "title: Kubernetes / Compute Resources",
    "cluster.name: in-cluster",
    "",
    None,
    7,
    ["kubernetes_sd_configs"],
]


@pytest.mark.parametrize(("text", "sign"), SHOWN, ids=[sign for _, sign in SHOWN])
def test_a_client_of_the_api_is_known_by_its_settings(text: str, sign: str) -> None:
    assert sign in api_settings(text)


@pytest.mark.parametrize("text", NOT_SHOWN, ids=repr)
def test_other_settings_show_nothing(text: Any) -> None:
    assert api_settings(text) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", ["kubectl ", "name: ", "in-cluster", "\n", " ", "kubernetes\t", "auth_type "])
def test_the_cost_grows_with_the_text(part: str) -> None:
    # A pattern that backs up over it would not end.
    tail = "kubernetes cluster auth kubectl"
    assert api_settings(part * 200_000 + tail) == api_settings(part * 2 + tail)
