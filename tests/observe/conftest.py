from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..podman import ready
from ..registries import running
from .ground import Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A podman and a registry with the images of the proving ground; skips where no container runs."""
    folder = tmp_path_factory.mktemp("ground")
    with (
        running(folder) as host,
        ready({"r.example": f"{host}/all", "docker.io": f"{host}/all"}) as podman,
    ):
        found = Ground(host, podman, folder)
        found.try_out()
        yield found
