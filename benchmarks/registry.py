"""A registry on loopback with made-up images: Debian's ``docker-registry``, set up as Debian ships it."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

PROGRAM = "docker-registry"
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_SETTINGS = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


def missing() -> str | None:
    """Why there is no registry to be had; None where there is one."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM}, a package of Debian, is not installed"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A registry that keeps its images in ``folder``; its host and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(_SETTINGS.format(folder=folder / "images", address=address), encoding="utf-8")
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", str(settings)], stdout=log, stderr=log)
    try:
        host, _, port = address.partition(":")
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def fill(address: str, part: str, count: int, platforms: int) -> list[str]:
    """Push ``count`` images, each with a config of its own for each platform; their names. With one platform it is a
    plain manifest, else an index."""
    names = []
    with httpx2.Client(base_url=f"http://{address}", trust_env=False) as http:
        for number in range(count):
            repository = f"{part}/app-{number}"
            entries = []
            for architecture in ("amd64", "arm64", "s390x", "ppc64le")[:platforms]:
                last = platforms == 1
                entry = _image(http, repository, "1" if last else None, number, architecture)
                entries.append(entry | {"platform": {"os": "linux", "architecture": architecture}})
            if platforms > 1:
                _put(http, repository, "1", {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries})
            names.append(f"{address}/{repository}:1")
    return names


def _image(http: httpx2.Client, repository: str, tag: str | None, number: int, architecture: str) -> dict[str, Any]:
    said = {
        "User": str(1000 + number), "ExposedPorts": {"8080/tcp": {}}, "Cmd": ["serve", "--verbose"],
        "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], "WorkingDir": "/srv", "Labels": {"team": "shop"},
    }  # fmt: skip
    config = {
        "architecture": architecture, "os": "linux", "created": "2026-11-01T00:00:00Z", "config": said,
        "rootfs": {"type": "layers", "diff_ids": []},
    }  # fmt: skip
    body = json.dumps(config).encode()
    place = http.post(f"/v2/{repository}/blobs/uploads/").raise_for_status().headers["location"]
    joint = "&" if "?" in place else "?"
    kind = {"Content-Type": "application/octet-stream"}
    http.put(f"{place}{joint}digest={_digest(body)}", content=body, headers=kind).raise_for_status()
    layers = {"config": {"mediaType": _CONFIG, "digest": _digest(body), "size": len(body)}, "layers": []}
    return _put(http, repository, tag, {"schemaVersion": 2, "mediaType": _MANIFEST, **layers})


def _put(http: httpx2.Client, repository: str, tag: str | None, content: dict[str, Any]) -> dict[str, Any]:
    body, kind = json.dumps(content).encode(), content["mediaType"]
    place = f"/v2/{repository}/manifests/{tag or _digest(body)}"
    http.put(place, content=body, headers={"Content-Type": kind}).raise_for_status()
    return {"mediaType": kind, "digest": _digest(body), "size": len(body)}


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
