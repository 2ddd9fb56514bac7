"""Facts about images."""

import re
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from hardener.kubernetes import image_table
from hardener.kubernetes.image_reference import normalize, parse
from hardener.kubernetes.image_table import ImageRow, lookup, rows
from hardener.sources.yaml import parse as yaml_parse

DIGEST = "sha256:" + "0" * 64


def row(text: str) -> ImageRow | None:
    reference = parse(text)
    assert reference is not None
    return lookup(reference)


@pytest.mark.parametrize(
    ("image", "uid", "gid"),
    [
        ("nginx", 101, 101),
        ("nginx:1.27-alpine", 101, 101),
        ("docker.io/library/nginx:1", 101, 101),
        ("public.ecr.aws/docker/library/redis:8.10.1-alpine", 999, 1000),
        ("mirror.gcr.io/library/redis:7", 999, 999),
        ("redis", 999, 999),
        ("redis:alpine", 999, 1000),
        (f"redis:7.2@{DIGEST}", 999, 999),
        ("postgres:16", 999, 999),
        ("postgres:16-alpine3.20", 70, 70),
        ("mysql:8.4", 999, 999),
        ("mongo:8", 999, 999),
        ("rabbitmq:4-management", 999, 999),
        ("rabbitmq:4-management-alpine", 100, 101),
        ("memcached:1.6", 11211, 11211),
        ("httpd:2.4", 33, 33),
        ("httpd:2.4-alpine", 82, 82),
        ("wordpress:6-apache", 33, 33),
        ("gcr.io/distroless/static:nonroot", 65532, 65532),
        ("gcr.io/distroless/java21-debian12:nonroot-amd64", 65532, 65532),
        ("registry.k8s.io/ingress-nginx/controller:v1.12.0", 101, 82),
        ("quay.io/prometheus/prometheus:v3", 65534, None),
        ("prom/alertmanager", 65534, None),
        ("grafana/grafana:11.0.0", 472, None),
        ("quay.io/argoproj/argocd:latest", 999, None),
        ("haproxy", 99, 99),
        ("haproxy:2.9-alpine", 99, 99),
        ("mariadb:11.4", 999, 999),
        ("cassandra:5", 999, 999),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.15.0", 1000, None),
        ("elasticsearch:9.0.1", 1000, None),
        ("mcr.microsoft.com/mssql/server:2022-latest", 10001, None),
        ("jenkins/jenkins:lts", 1000, 1000),
        ("sonarqube:community", 1000, None),
        ("quay.io/keycloak/keycloak:26.0", 1000, None),
    ],
)
def test_ids(image: str, uid: int, gid: int | None) -> None:
    found = row(image)
    assert found is not None
    assert (found.uid, found.gid) == (uid, gid)


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/nginx",  # a private registry may keep anything under a known name
        "registry.example.com/library/nginx",
        "bitnami/nginx",
        "nginx-exporter",
        "acme/redis:7",
        "mongo:windowsservercore",
        "gcr.io/distroless/static",  # root
        "gcr.io/distroless/static:latest",
        "caddy:2-rootless",
        "wordpress:fpm",
        "docker:27-cli",
        "docker:27-dind-rootless",
        "moby/buildkit:rootless",
        "haproxy:1.8",
        "elasticsearch:7.17.0",
        "mcr.microsoft.com/mssql/server:2017-latest",
        "gitlab/gitlab-runner",
        "{{ .Values.image }}",
    ],
)
def test_nothing_is_known(image: str) -> None:
    assert row(image) is None


@pytest.mark.parametrize("image", ["redis:${TAG}", "redis:{{ .Values.tag }}", f"redis@{DIGEST}"])
def test_an_unknown_tag_gets_what_all_rows_say(image: str) -> None:
    found = row(image)
    assert found is not None
    assert (found.uid, found.gid, found.writable) == (999, None, ("/data",))


def test_an_unknown_tag_is_not_taken_for_its_neighbour() -> None:
    assert row("gcr.io/distroless/static:${TAG}") is None
    assert row("docker:${TAG}") is None
    postgres = row("postgres:${TAG}")
    assert postgres is not None
    assert (postgres.user, postgres.uid, postgres.writable) == ("root", None, ())


def test_the_volume_of_postgres_moved_with_18() -> None:
    paths = {}
    for tag in ("9.6", "17", "17.5-alpine", "18", "18.1-alpine3.22", "latest", "alpine", "bookworm"):
        found = row(f"postgres:{tag}")
        assert found is not None
        paths[tag] = found.writable[-1]
    old, new = "/var/lib/postgresql/data", "/var/lib/postgresql"
    assert paths == {"9.6": old, "17": old, "17.5-alpine": old} | dict.fromkeys(
        ("18", "18.1-alpine3.22", "latest", "alpine", "bookworm"), new
    )


def test_facts_of_the_kinds_that_rules_ask_for() -> None:
    caddy, argocd, dind = row("caddy:2"), row("quay.io/argoproj/argocd"), row("docker:dind")
    assert caddy is not None and argocd is not None and dind is not None
    assert caddy.file_caps == ("NET_BIND_SERVICE",)
    assert (dind.root, dind.seccomp) == ("required", "sensitive")
    assert argocd.api == "needed"
    assert any(fnmatchcase("argocd-repo-server", glob) for glob in argocd.api_except)
    exporter = row("quay.io/prometheus/node-exporter:v1")
    assert exporter is not None
    assert exporter.class_ == "node-agent"


def test_every_row_is_well_formed() -> None:
    for found in rows():
        text = (found.match, found.tags)
        assert normalize(found.match) == normalize(normalize(found.match)), text
        if found.tags is not None:
            re.compile(found.tags)
        assert all(path.startswith("/") for path in (*found.writable, *found.empty)), text
        assert all(0 < port < 65536 for port in found.ports), text
        assert all(cap == cap.upper() and not cap.startswith("CAP_") for cap in found.file_caps), text
        assert found.rofs in (None, "ok", "no"), text
        assert found.tmp in (None, "no"), text
        assert found.pvc in (None, "ok"), text
        assert found.root in (None, "required"), text
        assert found.seccomp in (None, "sensitive"), text
        assert found.api in (None, "needed", "no", "optional"), text
        assert found.source or found == ImageRow(found.match, tags=found.tags), text
        assert not (found.verified and found.source is None), text
        # A named user is useless without its number: the kubelet cannot tell whether it is root.
        assert found.user in (None, "root") or found.uid or not found.verified, text


def test_a_row_is_a_value() -> None:
    found = row("nginx")
    assert found is not None
    assert replace(found, uid=1) != found


def test_the_table_is_the_whole_file() -> None:
    # It is read entry by entry; this is the file read as one document.
    entries = yaml_parse(image_table._DATA.read_text(encoding="utf-8")).documents[0]["images"]
    assert [image_table._row(entry) for entry in sorted(entries, key=_first_of_its_match(entries))] == list(rows())


def _first_of_its_match(entries: list[dict[str, Any]]) -> Callable[[dict[str, Any]], int]:
    matches = [normalize(entry["match"]) for entry in entries]
    return lambda entry: matches.index(normalize(entry["match"]))
