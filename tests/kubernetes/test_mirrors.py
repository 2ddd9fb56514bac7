"""Which public repository stands behind the name of a mirror or of a proxy."""

from __future__ import annotations

import pytest

from hardener.kubernetes.images.mirrors import published
from hardener.kubernetes.images.reference import normalize, parse
from hardener.kubernetes.images.table import ImageRow, OwnRows, lookup

REDIS, GRAFANA = "docker.io/library/redis", "docker.io/grafana/grafana"
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
MIRRORS = {
    "mirror.gcr.io/redis": REDIS,
    "mirror.gcr.io/library/redis": REDIS,
    "mirror.gcr.io/grafana/grafana": GRAFANA,
    "public.ecr.aws/docker/library/redis": REDIS,
    "k8s.gcr.io/pause": "registry.k8s.io/pause",
    "bitnamilegacy/redis": "docker.io/bitnami/redis",
    "gitlab.example.com/group/dependency_proxy/containers/redis": REDIS,
    "gitlab.example.com/a/b/dependency_proxy/containers/grafana/grafana": GRAFANA,
}
PROXIES = {
    "registry.example.com/dockerhub/library/redis": REDIS,
    "registry.example.com/dockerhub/redis": REDIS,
    "registry.example.com:5000/docker-hub/grafana/grafana": GRAFANA,
    "registry.example.com/docker.io/library/redis": REDIS,
    "registry.example.com/team/proxy/docker.io/library/redis": REDIS,
    "registry.example.com/dockerhub-proxy/library/redis": REDIS,
    "registry.example.com/proxy-docker.io/library/redis": REDIS,
    "example.jfrog.io/docker-remote/library/redis": REDIS,
    "europe-docker.pkg.dev/project/docker-hub-remote/library/redis": REDIS,
    "registry.example.com/quay.io/prometheus/prometheus": "quay.io/prometheus/prometheus",
    "registry.example.com/ghcr-proxy/dexidp/dex": "ghcr.io/dexidp/dex",
    "registry.example.com/ghcr.io/dexidp/dex": "ghcr.io/dexidp/dex",
    "registry.example.com/mirror.gcr.io/redis": REDIS,
    f"{ECR}/docker-hub/library/redis": REDIS,
    f"{ECR}/ecr-public/docker/library/redis": REDIS,
    f"{ECR}/kubernetes/pause": "registry.k8s.io/pause",
    f"{ECR}/quay/prometheus/prometheus": "quay.io/prometheus/prometheus",
    f"{ECR}/shop/redis": None,
    # A well-known name alone says nothing, and on a public registry a folder is the name of a user.
    "registry.example.com/redis": None,
    "registry.example.com/library/redis": None,
    "registry.example.com/mirror/redis": None,
    "registry.example.com/docker/redis": None,
    "registry.example.com/kubernetes/pause": None,
    "ghcr.io/dockerhub/redis": None,
    "dockerhub/redis": None,
    "registry.example.com/shop/docker-hub": None,
}


@pytest.mark.parametrize(("name", "behind"), MIRRORS.items(), ids=MIRRORS)
def test_a_mirror_has_what_is_behind_it(name: str, behind: str) -> None:
    assert published(normalize(name)) == (behind, True)


@pytest.mark.parametrize(("name", "behind"), PROXIES.items(), ids=PROXIES)
def test_a_folder_names_what_is_behind_it(name: str, behind: str | None) -> None:
    assert published(normalize(name)) == ((behind, False) if behind else (normalize(name), True))


def found(image: str, *rows: ImageRow) -> ImageRow | None:
    reference = parse(image)
    assert reference is not None
    return lookup(reference, OwnRows(rows))


def test_what_is_known_by_a_folder_is_not_sure() -> None:
    mirror, proxy = found("mirror.gcr.io/postgres:17"), found("registry.example.com/dockerhub/library/postgres:17")
    assert mirror is not None and proxy is not None
    assert (mirror.uid, mirror.sure_of("uid")) == (999, True)
    assert (proxy.uid, proxy.sure_of("uid")) == (999, False)


def test_a_mirror_may_have_a_row_of_its_own() -> None:
    known, other = found("bitnamilegacy/redis:7"), found("bitnamilegacy/of-another-time:1")
    assert known is not None and known.class_ == "cache" and "/bitnami/redis/data" in known.writable
    assert other is not None and (other.uid, other.writable) == (1001, ())


def test_a_row_of_the_user_may_name_the_mirror_or_what_is_behind_it() -> None:
    image = "registry.example.com/dockerhub/library/redis:7"
    for name in ("registry.example.com/dockerhub/library/redis", "redis"):
        row = found(image, ImageRow(name, uid=4711))
        assert row is not None and (row.uid, row.writable) == (4711, ("/data",))


@pytest.mark.parametrize("image", ["${PREFIX}/redis:7", "{{ .Values.registry }}/redis:7", "$(REGISTRY)/redis"])
def test_a_name_behind_an_expression_is_not_known(image: str) -> None:
    assert found(image) is None
