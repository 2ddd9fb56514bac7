"""Images as bytes, made by the test and pushed by plain HTTP: no image tool is needed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import httpx2

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIGS = {
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
}


def sha256(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


@dataclass
class Blob:
    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return sha256(self.body)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


def blob(content: Any, media_type: str) -> Blob:
    return Blob(json.dumps(content).encode(), media_type)


@dataclass
class Image:
    """A manifest, the config that it names, and, for an index, the images that it names."""

    manifest: Blob
    config: Blob | None = None
    members: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return self.manifest.digest


def image(
    config: dict[str, Any] | None = None,
    architecture: str = "amd64",
    media_type: str = OCI_MANIFEST,
    created: str = "2026-11-01T00:00:00Z",
) -> Image:
    """An image of one platform, without layers."""
    rootfs = {"type": "layers", "diff_ids": []}
    said = {"architecture": architecture, "os": "linux", "created": created, "config": config or {}, "rootfs": rootfs}
    made = blob(said, _CONFIGS[media_type])
    content = {"schemaVersion": 2, "mediaType": media_type, "config": made.descriptor, "layers": []}
    return Image(blob(content, media_type), made)


def index(images: dict[str, Image], media_type: str = OCI_INDEX) -> Image:
    """An index of images by architecture; "unknown" is an attestation."""
    entries = []
    for name, one in images.items():
        platform = {"architecture": name, "os": "unknown" if name == "unknown" else "linux"}
        entries.append(one.manifest.descriptor | {"platform": platform})
    content = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return Image(blob(content, media_type), None, tuple(images.values()))


def push(base: str, repository: str, tag: str, image: Image, headers: dict[str, str] | None = None) -> str:
    """Push an image to the registry at ``base``; its digest."""
    with httpx2.Client(base_url=base, headers=headers, trust_env=False) as http:
        _push(http, repository, tag, image)
    return image.digest


def _push(http: httpx2.Client, repository: str, name: str, image: Image) -> None:
    if image.config is not None:
        place = http.post(f"/v2/{repository}/blobs/uploads/").raise_for_status().headers["location"]
        joint = "&" if "?" in place else "?"
        kind = {"Content-Type": "application/octet-stream"}
        http.put(
            f"{place}{joint}digest={image.config.digest}", content=image.config.body, headers=kind
        ).raise_for_status()
    for member in image.members:
        _push(http, repository, member.digest, member)
    http.put(
        f"/v2/{repository}/manifests/{name}",
        content=image.manifest.body,
        headers={"Content-Type": image.manifest.media_type},
    ).raise_for_status()
