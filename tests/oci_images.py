"""Images as bytes, made by the test and pushed by plain HTTP: no image tool is needed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def digest(self) -> str:
        return sha256(self.body)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


def blob(content: Any, media_type: str) -> Blob:
    return Blob(json.dumps(content).encode(), media_type)


@dataclass
class Image:
    """A manifest, the config and layers that it names, and, for an index, the images that it names."""

    manifest: Blob
    config: Blob | None = None
    members: tuple[Image, ...] = ()
    layers: tuple[Blob, ...] = ()

    @property
    def digest(self) -> str:
        return self.manifest.digest


def image(
    config: dict[str, Any] | None = None,
    architecture: str = "amd64",
    media_type: str = OCI_MANIFEST,
    created: str = "2026-11-01T00:00:00Z",
    layers: tuple[Blob, ...] = (),
    history: tuple[str, ...] = (),
) -> Image:
    """An image of one platform."""
    rootfs = {"type": "layers", "diff_ids": []}
    said: dict[str, Any] = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": config or {},
        "rootfs": rootfs,
    }
    if history:
        said["history"] = [{"created_by": step} for step in history]
    made = blob(said, _CONFIGS[media_type])
    content = {"schemaVersion": 2, "mediaType": media_type, "config": made.descriptor}
    content["layers"] = [layer.descriptor for layer in layers]
    return Image(blob(content, media_type), made, layers=layers)


# Layers.

LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass
class File:
    """A member of a layer. ``target``: of a link; ``hard`` tells which. ``capability``: the xattr. A name that ends in
    a slash is a folder."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    owner: tuple[int, int] = (0, 0)
    target: str = ""
    hard: bool = False
    capability: bytes = b""


def tar(*files: File, format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for file in files:
            info = tarfile.TarInfo(file.name)
            folder = file.name.endswith("/")
            info.mode = 0o755 if folder and file.mode == 0o644 else file.mode
            info.uid, info.gid = file.owner
            info.type = tarfile.DIRTYPE if folder else info.type
            if file.target:
                info.type, info.linkname = (tarfile.LNKTYPE if file.hard else tarfile.SYMTYPE), file.target
            if file.capability:
                raw = file.capability.decode("latin-1").encode("utf-8", "surrogateescape")
                assert raw == file.capability, "tarfile writes texts; keep the bytes below 128"
                info.pax_headers = {"SCHILY.xattr.security.capability": raw.decode()}
            info.size = len(file.content)
            archive.addfile(info, io.BytesIO(file.content))
    return out.getvalue()


def layer(*files: File, pack: str = "gzip") -> Blob:
    """A layer: ``pack`` is gzip, zstd or "" for none."""
    body = tar(*files)
    if pack == "gzip":
        body = gzip.compress(body, mtime=0)
    elif pack == "zstd":
        from backports import zstd

        body = zstd.compress(body)
    return Blob(body, f"{LAYER}+{pack}" if pack else LAYER)


def capability(*numbers: int, effective: bool = True, version: int = 2, root: int = 0) -> bytes:
    """The xattr security.capability, with the capabilities of these numbers permitted; 10 is NET_BIND_SERVICE."""
    bits = sum(1 << number for number in numbers)
    words = (bits & 0xFFFFFFFF, 0, bits >> 32, 0)
    head = struct.pack("<I", version << 24 | effective)
    return head + struct.pack("<4I", *words) + (struct.pack("<I", root) if version == 3 else b"")


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
    for one in (*([image.config] if image.config is not None else ()), *image.layers):
        place = http.post(f"/v2/{repository}/blobs/uploads/").raise_for_status().headers["location"]
        joint = "&" if "?" in place else "?"
        kind = {"Content-Type": "application/octet-stream"}
        http.put(f"{place}{joint}digest={one.digest}", content=one.body, headers=kind).raise_for_status()
    for member in image.members:
        _push(http, repository, member.digest, member)
    http.put(
        f"/v2/{repository}/manifests/{name}",
        content=image.manifest.body,
        headers={"Content-Type": image.manifest.media_type},
    ).raise_for_status()
