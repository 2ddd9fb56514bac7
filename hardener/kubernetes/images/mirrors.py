"""Which public repository stands behind the name of a mirror or of a proxy: the rows about images are of the former.

Two kinds are told apart. A mirror that is named by its host, or by a path that only a proxy has, serves what its
upstream has. A registry with a path by which people name a proxy (`registry.example.com/dockerhub/library/redis`) may
hold anything under it, so that nothing is sure then. A registry with a well-known name alone says nothing.

Sources: cloud.google.com/artifact-registry/docs/pull-cached-dockerhub-images (mirror.gcr.io);
docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-working-pulling.html (the namespaces that its console
proposes); docs.gitlab.com/user/packages/dependency_proxy; goharbor.io/docs/main/administration/configure-proxy-cache
(projects with names of their own); jfrog.com/help (remote repositories: docker-remote);
kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from hardener.kubernetes.images.reference import normalize
from hardener.support.late_pattern import late_pattern

_HUB = "docker.io"
# What begins so is served as what stands behind it.
_COPIES = {
    "mirror.gcr.io/": f"{_HUB}/",
    "public.ecr.aws/docker/": f"{_HUB}/",
    "k8s.gcr.io/": "registry.k8s.io/",
    f"{_HUB}/bitnamilegacy/": f"{_HUB}/bitnami/",  # the archive of its publisher
}
_DEPENDENCY_PROXY = "/dependency_proxy/containers/"  # of GitLab, which has Docker Hub alone behind it
# How people name a folder that is a proxy: as what is behind it, by its host or by a short name beside such a word.
_HOSTS = ("docker.io", "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io", "mcr.microsoft.com", "public.ecr.aws")
_SHORT = {"docker": _HUB, "quay": "quay.io", "ghcr": "ghcr.io", "gcr": "gcr.io", "k8s": "registry.k8s.io"}
_HUBS = (
    "docker-hub",
    "docker_hub",
    "dockerhub",
    "docker-io",
    "hub.docker.com",
    "registry-1.docker.io",
    "mirror.gcr.io",
)
_WORD = "(proxy|cache|mirror|remote)"
_FOLDER = late_pattern(
    rf"({_WORD}[-_.])?(?P<hub>{'|'.join(map(re.escape, _HUBS))})([-_.]{_WORD})?"
    rf"|({_WORD}[-_.])?(?P<host>{'|'.join(map(re.escape, _HOSTS))})([-_.]{_WORD})?"
    rf"|(?P<short>{'|'.join(_SHORT)})[-_.]{_WORD}"
)
_PULL_THROUGH = {
    "docker-hub": _HUB, "ecr-public": "public.ecr.aws", "quay": "quay.io", "kubernetes": "registry.k8s.io",
    "github": "ghcr.io",
}  # fmt: skip
_ECR = late_pattern(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
# Whose first folder is the name of a user, who may be called as he likes.
_PUBLIC = frozenset(
    {_HUB, "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io", "mcr.microsoft.com", "lscr.io", "registry.gitlab.com"}
    | {"public.ecr.aws", "codeberg.org"}
)


class Published(NamedTuple):
    """The public repository behind a name, normalised. ``sure``: nobody else can have put something there."""

    repository: str
    sure: bool = True


@lru_cache(maxsize=4096)
def published(repository: str) -> Published:
    """What stands behind ``repository``, which is normalised; itself where it is no mirror."""
    for start, behind in _COPIES.items():
        if repository.startswith(start):
            return Published(normalize(f"{behind}{repository.removeprefix(start)}"))
    _, proxy, behind = repository.partition(_DEPENDENCY_PROXY)
    if proxy and behind:
        return Published(normalize(f"{_HUB}/{behind}"))
    found = _by_folder(repository)
    return Published(repository) if found is None else Published(published(normalize(found)).repository, sure=False)


def _by_folder(repository: str) -> str | None:
    """What the first folder that names an upstream makes of it."""
    registry, *folders, name = repository.split("/")
    if registry in _PUBLIC:
        return None
    if _ECR.fullmatch(registry) and folders and folders[0] in _PULL_THROUGH:
        return "/".join((_PULL_THROUGH[folders[0]], *folders[1:], name))
    for index, folder in enumerate(folders):
        if found := _FOLDER.fullmatch(folder):
            behind = _HUB if found["hub"] else found["host"] or _SHORT[found["short"]]
            return "/".join((behind, *folders[index + 1 :], name))
    return None
