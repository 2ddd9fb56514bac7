"""Charts as archives, and where they are: a repository with an index on loopback, a registry, trees that name both."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import yaml

from . import oci_images as made
from .charts.release_trees import CHART
from .registries import BASIC, Asked, Reply, answering

CONFIG = "application/vnd.cncf.helm.config.v1+json"
ARCHIVE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def archive(name: str, version: str, *, more: Mapping[str, str] | None = None, app: str = "9.9") -> bytes:
    """The small chart of the releases under another name, with the files ``more``."""
    head = f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '{app}'\n"
    files = {path.removeprefix("charts/app/"): text for path, text in CHART.items()}
    return packed({f"{name}/{path}": text for path, text in {**files, "Chart.yaml": head, **(more or {})}.items()})


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """``files`` as a ``.tgz`` that is the same each time."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tarball:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tarball.addfile(info, io.BytesIO(body))
    return out.getvalue()


def of_folder(folder: Path) -> bytes:
    """The chart in ``folder``, packed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return packed({f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths})


def known(content: bytes) -> tuple[str, str]:
    """Name and version of a packed chart."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tarball:
        name = next(name for name in tarball.getnames() if name.count("/") == 1 and name.endswith("/Chart.yaml"))
        member = tarball.extractfile(name)
        assert member is not None
        said = yaml.safe_load(member.read())
    return said["name"], str(said["version"])


@dataclass
class Repository:
    """A repository with an index. ``files`` by path; ``asked`` are the paths that were asked for."""

    host: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}/charts"

    def add(self, *charts: bytes) -> None:
        """Take ``charts`` in, and write the index anew."""
        for content in charts:
            self.files["/charts/{}-{}.tgz".format(*known(content))] = content
        entries: dict[str, list[dict[str, object]]] = {}
        for path, content in self.files.items():
            if path.endswith(".tgz"):
                name, version = known(content)
                entries.setdefault(name, []).append({
                    "apiVersion": "v2", "annotations": {"about": "a text\nof two lines - version: 9.9.9\n"},
                    "name": name, "version": version, "digest": made.sha256(content).removeprefix("sha256:"),
                    "urls": [path.removeprefix("/charts/")],
                })  # fmt: skip
        self.files["/charts/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        path = unquote(asked.path)
        if path in self.replies:
            return self.replies[path]
        return Reply(200, self.files[path]) if path in self.files else Reply(404)


@contextmanager
def repository(*charts: bytes) -> Iterator[Repository]:
    found = Repository()
    with answering(found.answer) as host:
        found.host = host
        found.add(*charts)
        yield found


def push_with_login(registry: str, repository: str, content: bytes) -> str:
    """The same as ``push`` for a registry with passwords."""
    return push(registry, repository, content, headers={"Authorization": BASIC})


def push(
    registry: str, repository: str, content: bytes, tag: str | None = None, headers: dict[str, str] | None = None
) -> str:
    """Push a packed chart to a registry; the digest of its manifest."""
    name, version = known(content)
    config = made.blob({"name": name, "version": version, "apiVersion": "v2"}, CONFIG)
    layer = made.Blob(content, ARCHIVE)
    manifest = {"schemaVersion": 2, "mediaType": made.OCI_MANIFEST, "config": config.descriptor}
    image = made.Image(
        made.Blob(json.dumps({**manifest, "layers": [layer.descriptor]}).encode(), made.OCI_MANIFEST), config,
        layers=(layer,),
    )  # fmt: skip
    made.push(f"http://{registry}", repository, tag or version.replace("+", "_"), image, headers)
    return image.digest
