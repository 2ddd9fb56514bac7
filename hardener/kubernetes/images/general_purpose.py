"""Images that do nothing by themselves: they hold a shell or a tool, and ``command`` and ``args`` say what it does.

Sources: the files of `library/` in github.com/docker-library/official-images, and the Dockerfile of each of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hardener.kubernetes.images.mirrors import published
from hardener.kubernetes.images.reference import ImageReference

_OFFICIAL = "docker.io/library/"


class _Entry(Struct, frozen=True):
    """The ``program`` that arguments are for; ``unless_named``: it may also be the first of them."""

    program: str | None = None
    unless_named: bool = False


_NO_ENTRYPOINT = _Entry()
_KUBECTL = _Entry("kubectl")
_CURL = _Entry("curl", unless_named=True)

_GENERAL_PURPOSE = {
    **dict.fromkeys(
        (
            f"{_OFFICIAL}{name}"
            for name in """almalinux alpine amazonlinux archlinux buildpack-deps busybox centos debian fedora
            oraclelinux photon rockylinux ubuntu""".split()
        ),
        _NO_ENTRYPOINT,
    ),
    **dict.fromkeys(
        (
            "cgr.dev/chainguard/busybox", "docker.io/alpine/k8s", "docker.io/bitnami/minideb",
            "docker.io/bitnami/os-shell", "docker.io/prom/busybox", "docker.io/rockylinux/rockylinux",
            "gcr.io/google-containers/busybox", "ghcr.io/home-operations/busybox",
            "public.ecr.aws/amazonlinux/amazonlinux", "quay.io/centos/centos", "quay.io/fedora/fedora",
            "quay.io/prometheus/busybox", "quay.io/rockylinux/rockylinux", "registry.fedoraproject.org/fedora",
            "registry.k8s.io/busybox", "registry.k8s.io/e2e-test-images/busybox",
        ),
        _NO_ENTRYPOINT,
    ),
    f"{_OFFICIAL}bash": _Entry("bash", unless_named=True),
    **dict.fromkeys(("docker.io/alpine/curl", "docker.io/curlimages/curl", "quay.io/curl/curl"), _CURL),
    **dict.fromkeys(
        ("docker.io/bitnami/kubectl", "docker.io/rancher/kubectl", "registry.k8s.io/kubectl"), _KUBECTL
    ),
    "docker.io/mikefarah/yq": _Entry("yq"),
    **dict.fromkeys(("docker.io/wait4x/wait4x", "ghcr.io/wait4x/wait4x"), _Entry("wait4x")),
}  # fmt: skip


def is_general_purpose(image: ImageReference) -> bool:
    """Whether ``image`` does nothing by itself."""
    return _repository(image) in _GENERAL_PURPOSE


def _repository(image: ImageReference) -> str:
    """The public repository behind the name of ``image``; "" where that is not known."""
    return published(image.normalized).repository if image.normalized is not None else ""


def started_with(image: ImageReference, command: Sequence[str], args: Sequence[str]) -> tuple[str, ...]:
    """All words of what ``image``, one that does nothing by itself, is told to run; () where it is told nothing."""
    entry = _GENERAL_PURPOSE.get(_repository(image), _NO_ENTRYPOINT)
    if command or not args:
        return (*command, *args) if command else ()
    if entry.program is None or (entry.unless_named and not args[0].startswith("-")):
        return tuple(args)
    return (entry.program, *args)
