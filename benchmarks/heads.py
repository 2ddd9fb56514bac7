"""The baseline of ``harden lock``: a HEAD for the manifest of each image that standard input names, at most 16 at once.

It learns the digest and nothing else; the config, which the lock holds too, is a second request and another file.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2

_ACCEPT = ", ".join((
    "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
))  # fmt: skip
_CONNECTIONS = 16


def main(images: list[str]) -> None:
    """Ask for ``images``, ``host/repository:tag`` each. Raises where one is not there."""
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    with httpx2.Client(headers={"Accept": _ACCEPT}, limits=limits) as http, ThreadPoolExecutor(_CONNECTIONS) as pool:

        def digest(image: str) -> str:
            repository, _, tag = image.rpartition(":")
            host, _, path = repository.partition("/")
            answer = http.head(f"http://{host}/v2/{path}/manifests/{tag}").raise_for_status()
            return str(answer.headers["docker-content-digest"])

        list(pool.map(digest, images))


if __name__ == "__main__":
    main(sys.stdin.read().split())
