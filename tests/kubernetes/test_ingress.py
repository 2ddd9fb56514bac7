"""What leads from outside the cluster to Services, and what its annotations tell."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hardener.kubernetes.components.component import switched_off
from hardener.kubernetes.network.ingress import backends, guards, hosts, only_redirects, parents
from hardener.kubernetes.network.ingress_annotations import ends_tls, narrows, needs_node_port, signs_in
from hardener.kubernetes.network.load_balancer import is_internal, names_way_in, shapes_load_balancer
from hardener.kubernetes.objects.interest import is_interesting

# API version, kind, spec; the backends as (name, namespace, port), the hosts.
ROUTES: list[tuple[str, str, str, list[tuple[str, str | None, int | str | None]], list[str]]] = [
    (
        "networking.k8s.io/v1", "Ingress",
        "{defaultBackend: {service: {name: a, port: {number: 80}}}, rules: [{host: x.org, http: {paths: ["
        "{path: /, backend: {service: {name: b, port: {name: http}}}}, {backend: {resource: {kind: Bucket}}}]}}]}",
        [("a", None, 80), ("b", None, "http")], ["x.org"],
    ),
    (
        "extensions/v1beta1", "Ingress",
        "{backend: {serviceName: a, servicePort: 80}, rules: [{http: {paths: [{backend: {serviceName: b}}]}}]}",
        [("a", None, 80), ("b", None, None)], [],
    ),
    (
        "gateway.networking.k8s.io/v1", "HTTPRoute",
        "{hostnames: [x.org, y.org], parentRefs: [{name: g}], rules: [{backendRefs: [{name: a, port: 80},"
        " {name: b, namespace: other, port: 81}, {kind: Bucket, name: c}]}]}",
        [("a", None, 80), ("b", "other", 81)], ["x.org", "y.org"],
    ),
    ("gateway.networking.k8s.io/v1", "GRPCRoute", "{rules: [{backendRefs: [{name: a}]}]}", [("a", None, None)], []),
    (
        "gateway.networking.k8s.io/v1", "HTTPRoute",
        "{parentRefs: [{kind: Service, name: a}], rules: [{backendRefs: [{name: a, port: 80}]}]}", [], [],
    ),
    (
        "route.openshift.io/v1", "Route", "{host: x.org, to: {name: a}, alternateBackends: [{kind: Service, name: b}]}",
        [("a", None, None), ("b", None, None)], ["x.org"],
    ),
    (
        "networking.istio.io/v1", "VirtualService",
        "{hosts: [x.org], gateways: [mesh, outer], http: [{route: [{destination: {host: a.ns.svc.cluster.local,"
        " port: {number: 80}}}, {destination: {host: b}}]}]}",
        [("a", "ns", 80), ("b", None, None)], ["x.org"],
    ),
    ("networking.istio.io/v1", "VirtualService", "{http: [{route: [{destination: {host: a}}]}]}", [], []),
    (
        "traefik.io/v1alpha1", "IngressRoute",
        '{routes: [{match: "Host(`x.org`, `y.org`) && PathPrefix(`/a`)", services: [{name: a, namespace: n, port: 80},'
        " {kind: TraefikService, name: b}]}]}",
        [("a", "n", 80)], ["x.org", "y.org"],
    ),
    (
        "projectcontour.io/v1", "HTTPProxy",
        "{virtualhost: {fqdn: x.org}, routes: [{services: [{name: a, port: 80}]}], tcpproxy: {services: [{name: b}]}}",
        [("a", None, 80), ("b", None, None)], ["x.org"],
    ),
    ("serving.knative.dev/v1", "Route", "{to: {name: a}}", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("version", "kind", "spec", "found", "names"), ROUTES)
def test_where_it_leads(
    version: str, kind: str, spec: str, found: list[tuple[str, str | None, int | str | None]], names: list[str]
) -> None:
    document: dict[str, Any] = {"apiVersion": version, "kind": kind, "spec": yaml.safe_load(spec)}
    led = list(backends(version.rpartition("/")[0], kind, document))
    assert [backend[:3] for backend in led] == found
    assert hosts(document) == names
    for backend in led:
        value: Any = document
        for part in backend.path:
            value = value[part]
        assert backend.name in (value if isinstance(value, str) else value["name"]), backend
    assert is_interesting(yaml.safe_dump(document))


WEIRD: tuple[Any, ...] = (None, 1, "x", [], {}, ["x"], [None], {"x": 1}, True)


@pytest.mark.parametrize(("version", "kind", "spec"), [row[:3] for row in ROUTES])
def test_wrong_shapes_lead_nowhere(version: str, kind: str, spec: str) -> None:
    def spoilt(value: Any) -> list[Any]:
        found = list(WEIRD)
        for key, child in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            for other in spoilt(child):
                copy = dict(value) if isinstance(value, dict) else list(value)
                copy[key] = other
                found.append(copy)
        return found

    group = version.rpartition("/")[0]
    for other in spoilt(yaml.safe_load(spec)):
        document = {"spec": other}
        list(backends(group, kind, document))
        list(parents(group, kind, document))
        list(guards(document))
        hosts(document)
        only_redirects(document)


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        ("[{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]", True),
        ("[{filters: [{type: RequestRedirect, requestRedirect: {scheme: http}}]}]", False),
        ("[{filters: [{requestRedirect: {scheme: https}}]}, {backendRefs: [{name: a}]}]", False),
        ("[]", False),
    ],
)
def test_a_route_that_only_redirects(rules: str, answer: bool) -> None:
    assert only_redirects({"spec": {"rules": yaml.safe_load(rules)}}) is answer


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("{routes: [{middlewares: [{name: basic-auth}, {name: gzip}]}]}", ["basic-auth", "gzip"]),
        ("{rules: [{filters: [{type: ExtensionRef, extensionRef: {kind: SnippetsFilter, name: sso}}]}]}", ["sso"]),
        ("{virtualhost: {authorization: {extensionRef: {name: oidc}}}}", ["authorization", "oidc"]),
        ("{rules: []}", []),
    ],
)
def test_what_stands_before_the_backends(spec: str, names: list[str]) -> None:
    assert sorted(guards({"spec": yaml.safe_load(spec)})) == sorted(names)


ALB = "alb.ingress.kubernetes.io"
NGINX = "nginx.ingress.kubernetes.io"


@pytest.mark.parametrize(
    ("named", "annotations", "answer"),
    [
        (None, {}, False),
        ("nginx", {}, False),
        ("tailscale", {}, True),
        (None, {f"{ALB}/certificate-arn": "arn:aws:acm:eu-west-1:1:certificate/1"}, True),
        (None, {f"{ALB}/listen-ports": '[{"HTTPS":443}]'}, True),
        (None, {f"{ALB}/listen-ports": '[{"HTTP":80}]'}, False),
        (None, {f"{ALB}/ssl-redirect": "443"}, True),
        (None, {"networking.gke.io/managed-certificates": "shop"}, True),
        (None, {"ingress.gcp.kubernetes.io/pre-shared-cert": "shop"}, True),
        (None, {"kubernetes.io/ingress.allow-http": "false"}, True),
        (None, {"appgw.ingress.kubernetes.io/appgw-ssl-certificate": "shop"}, True),
        (None, {f"{NGINX}/ssl-redirect": "true"}, True),
        (None, {f"{NGINX}/ssl-redirect": "false"}, False),
        (None, {f"{NGINX}/ssl-passthrough": "true"}, True),
        (None, {"traefik.ingress.kubernetes.io/router.tls": "true"}, True),
        (None, {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}, True),
        (None, {"traefik.ingress.kubernetes.io/router.entrypoints": "web,websecure"}, False),
        (None, {"konghq.com/protocols": "https"}, True),
        # cert-manager makes a certificate for what stands in tls, which is not there.
        (None, {"cert-manager.io/cluster-issuer": "letsencrypt"}, False),
    ],
)
def test_where_tls_ends(named: str | None, annotations: dict[str, str], answer: bool) -> None:
    assert ends_tls(named, annotations) is answer


@pytest.mark.parametrize(
    ("annotations", "key"),
    [
        ({f"{NGINX}/auth-url": "https://login.example.com"}, f"{NGINX}/auth-url"),
        ({f"{NGINX}/auth-type": "basic"}, f"{NGINX}/auth-type"),
        ({f"{NGINX}/auth-tls-secret": "default/ca"}, f"{NGINX}/auth-tls-secret"),
        ({f"{ALB}/auth-type": "none"}, None),
        ({f"{ALB}/auth-type": "cognito"}, f"{ALB}/auth-type"),
        (
            {"traefik.ingress.kubernetes.io/router.middlewares": "default-basic-auth@kubernetescrd"},
            "traefik.ingress.kubernetes.io/router.middlewares",
        ),
        ({"traefik.ingress.kubernetes.io/router.middlewares": "default-gzip@kubernetescrd"}, None),
        ({"konghq.com/plugins": "rate-limit, key-auth"}, "konghq.com/plugins"),
        ({"haproxy.org/auth-type": "basic-auth"}, "haproxy.org/auth-type"),
        ({f"{NGINX}/auth-snippet": "x", f"{NGINX}/whitelist-source-range": "192.0.2.0/24"}, None),
    ],
)
def test_who_signs_in(annotations: dict[str, str], key: str | None) -> None:
    assert signs_in(annotations) == key


@pytest.mark.parametrize(
    ("annotations", "key"),
    [
        ({f"{NGINX}/whitelist-source-range": "192.0.2.0/24"}, f"{NGINX}/whitelist-source-range"),
        ({f"{ALB}/inbound-cidrs": "192.0.2.0/24"}, f"{ALB}/inbound-cidrs"),
        ({f"{ALB}/inbound-cidrs": "0.0.0.0/0"}, None),
        ({}, None),
    ],
)
def test_who_is_let_near(annotations: dict[str, str], key: str | None) -> None:
    assert narrows(annotations) == key


NEG = "cloud.google.com/neg"


@pytest.mark.parametrize(
    ("named", "ingress", "service", "answer"),
    [
        ("nginx", {}, {}, False),
        (None, {}, {}, False),
        ("gce", {}, {}, True),
        (None, {"kubernetes.io/ingress.class": "gce-internal"}, {}, True),
        (None, {"networking.gke.io/managed-certificates": "shop"}, {}, True),
        ("gce", {}, {NEG: '{"ingress": true}'}, False),
        ("gce", {}, {NEG: '{"exposed_ports": {"80": {}}}'}, True),
        ("alb", {}, {}, True),
        ("alb", {f"{ALB}/target-type": "ip"}, {}, False),
        ("alb", {f"{ALB}/target-type": "ip"}, {f"{ALB}/target-type": "instance"}, True),
        ("internal", {f"{ALB}/scheme": "internal"}, {}, True),
        ("qcloud", {}, {}, True),
    ],
)
def test_who_needs_node_ports(
    named: str | None, ingress: dict[str, str], service: dict[str, str], answer: bool
) -> None:
    assert needs_node_port(named, ingress, service) is answer


WAYS_IN = """\
service.beta.kubernetes.io/aws-load-balancer-type service.beta.kubernetes.io/load-balancer-source-ranges
service.beta.kubernetes.io/azure-pip-name service.beta.kubernetes.io/azure-allowed-ip-ranges cloud.google.com/l4-rbs
service.beta.kubernetes.io/do-loadbalancer-name networking.gke.io/load-balancer-type cloud.google.com/network-tier
networking.gke.io/load-balancer-ip-addresses load-balancer.hetzner.cloud/location kubernetes.io/elb.class
loadbalancer.openstack.org/floating-network-id oci-network-load-balancer.oraclecloud.com/subnet
service.kubernetes.io/qcloud-loadbalancer-internal-subnetid yandex.cloud/load-balancer-type metallb.io/loadBalancerIPs
metallb.universe.tf/address-pool lbipam.cilium.io/ips io.cilium/lb-ipam-ips kube-vip.io/loadbalancerIPs
purelb.io/service-group projectcalico.org/loadBalancerIPs projectcalico.org/ipv4pools
service.antrea.io/external-ip-pool kubernetes.civo.com/firewall-id kubernetes.digitalocean.com/load-balancer-id
"""
NAMES_IN = """\
external-dns.alpha.kubernetes.io/hostname dns.gardener.cloud/dnsnames dns.alpha.kubernetes.io/external
tailscale.com/expose example.com/static-ip
"""
OTHERS = """\
prometheus.io/scrape team description kubectl.kubernetes.io/last-applied-configuration meta.helm.sh/release-name
cloud.google.com/neg cloud.google.com/backend-config cloud.google.com/app-protocols service.kubernetes.io/topology-mode
service.alpha.kubernetes.io/tolerate-unready-endpoints field.cattle.io/publicEndpoints konghq.com/plugins
traefik.ingress.kubernetes.io/service.serverstransport networking.istio.io/exportTo getambassador.io/config
argocd.argoproj.io/sync-wave config.linkerd.io/opaque-ports alb.ingress.kubernetes.io/healthcheck-path
service.cilium.io/global projectcontour.io/upstream-protocol.h2c hardener.dev/expose
"""


@pytest.mark.parametrize("key", WAYS_IN.split())
def test_annotations_of_a_load_balancer(key: str) -> None:
    assert shapes_load_balancer(key) and names_way_in(key)


@pytest.mark.parametrize("key", NAMES_IN.split())
def test_annotations_of_an_address_or_a_name(key: str) -> None:
    assert not shapes_load_balancer(key) and names_way_in(key)


@pytest.mark.parametrize("key", OTHERS.split())
def test_annotations_about_something_else(key: str) -> None:
    assert not names_way_in(key)


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("service.beta.kubernetes.io/aws-load-balancer-internal", "true", True),
        ("service.beta.kubernetes.io/aws-load-balancer-internal", "0.0.0.0/0", True),
        ("service.beta.kubernetes.io/aws-load-balancer-internal", "false", False),
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal", True),
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing", False),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", "true", True),
        ("networking.gke.io/load-balancer-type", "Internal", True),
        ("service.beta.kubernetes.io/openstack-internal-load-balancer", "true", True),
        ("prometheus.io/scrape", "true", False),
    ],
)
def test_internal_addresses(key: str, value: str, answer: bool) -> None:
    assert is_internal(key, value) is answer


@pytest.mark.parametrize(
    ("words", "env", "found"),
    [
        (["argocd-server", "--disable-auth"], {}, "--disable-auth"),
        (["--enable-skip-login=true"], {}, "--enable-skip-login=true"),
        (["server", "--auth-mode=server"], {}, "--auth-mode=server"),
        (["server", "--auth-mode=client"], {}, None),
        ([], {"GF_AUTH_ANONYMOUS_ENABLED": "True"}, "GF_AUTH_ANONYMOUS_ENABLED"),
        ([], {"GF_AUTH_ANONYMOUS_ENABLED": "false"}, None),
        ([], {}, None),
    ],
)
def test_sign_ins_that_are_off(words: list[str], env: dict[str, str], found: str | None) -> None:
    assert switched_off(words, env) == found
