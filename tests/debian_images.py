"""Images that run, made of packages of Debian as its mirror has them: layers as bytes, for ``oci_images`` to push."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from . import oci_images as made

PACKAGES = ("base-files", "busybox-static", "gosu", "nginx", "redis-server")
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_LEFT_OUT = ("usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/perl5/")
# Folders that were merged into those below /usr; packages of older releases still name them.
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Made by the scripts of packages, which nobody runs here.
_LINKS = {name: f"usr/{name}" for name in _MERGED} | {"usr/bin/sh": "busybox", "var/run": "/run"}
_XATTR = "SCHILY.xattr."


@dataclass(frozen=True)
class File:
    """A file of a layer, or a folder, or a symbolic link to ``link``. ``program``: where the packages have its content;
    ``capability``: its attribute security.capability."""

    content: str = ""
    mode: int = 0o644
    owner: int = 0
    folder: bool = False
    link: str | None = None
    program: str | None = None
    capability: bytes | None = None


def root_of_packages(folder: Path) -> bytes:
    """A layer with nginx, redis, gosu, busybox, and what they need. Skips where apt has none of it to give."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("needs apt-get and dpkg-deb: the images are made of packages of Debian")
    for name in ("archives/partial", "log"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()  # nothing is installed there, so that what a package needs comes along
    settings = {
        "Dir::State::status": folder / "status", "Dir::Cache::archives": folder / "archives",
        "Dir::Log": folder / "log",
        "APT::Install-Recommends": "false", "APT::Sandbox::User": "root", "Debug::NoLocking": "true",
    }  # fmt: skip
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    done = subprocess.run(
        ["apt-get", "-qq", "-y", *options, "--download-only", "install", *PACKAGES],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        pytest.skip(f"apt-get has no {', '.join(PACKAGES)} to give (apt-get update may be what it lacks): {last}")
    return _merged(sorted((folder / "archives").glob("*.deb")))


def _merged(packages: Iterable[Path]) -> bytes:
    into = io.BytesIO()
    seen = {"", ".", *_LINKS}
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for package in packages:
            content = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True).stdout
            with tarfile.open(fileobj=io.BytesIO(content)) as files:
                for member in files:
                    member.name = _place(member.name)
                    if member.islnk():
                        member.linkname = _place(member.linkname)
                    if member.name not in seen and not member.name.startswith(_LEFT_OUT):
                        seen.add(member.name)
                        layer.addfile(member, files.extractfile(member) if member.isreg() else None)
        for name, target in _LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            layer.addfile(link)
    return into.getvalue()


def _place(name: str) -> str:
    name = name.removeprefix("./").rstrip("/")
    return f"usr/{name}" if name.partition("/")[0] in _MERGED and "/" in name else name


def layer(files: Mapping[str, File], packages: bytes) -> bytes:
    """A layer with ``files`` by their absolute paths; programs come from the layer ``packages``."""
    into = io.BytesIO()
    with (
        tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as found,
        tarfile.open(fileobj=io.BytesIO(packages)) as known,
    ):
        for path, file in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.mode, member.uid, member.gid = file.mode, file.owner, file.owner
            content = file.content.encode()
            if file.program is not None:
                source = known.extractfile(file.program.lstrip("/"))
                assert source is not None
                content = source.read()
            if file.folder:
                member.type = tarfile.DIRTYPE
            elif file.link is not None:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            else:
                member.size = len(content)
            if file.capability is not None:
                member.pax_headers = {f"{_XATTR}security.capability": file.capability.decode("ascii")}
            found.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return into.getvalue()


def push(base: str, repository: str, tag: str, layers: list[bytes], config: dict[str, Any]) -> None:
    """Push an image of this machine's architecture with ``layers`` to the registry at ``base``."""
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout
    plain = made.image(config, architecture.strip())
    assert plain.config is not None
    blobs = [made.Blob(body, _LAYER) for body in layers]
    rootfs = {"type": "layers", "diff_ids": [blob.digest for blob in blobs]}
    described = made.blob(json.loads(plain.config.body) | {"rootfs": rootfs}, plain.config.media_type)
    parts = {"config": described.descriptor, "layers": [blob.descriptor for blob in blobs]}
    manifest = made.blob(json.loads(plain.manifest.body) | parts, plain.manifest.media_type)
    with httpx2.Client(base_url=base, trust_env=False, timeout=60) as http:
        for blob in (*blobs, described):
            place = http.post(f"/v2/{repository}/blobs/uploads/").raise_for_status().headers["location"]
            joint = "&" if "?" in place else "?"
            kind = {"Content-Type": "application/octet-stream"}
            http.put(f"{place}{joint}digest={blob.digest}", content=blob.body, headers=kind).raise_for_status()
        kind = {"Content-Type": manifest.media_type}
        http.put(f"/v2/{repository}/manifests/{tag}", content=manifest.body, headers=kind).raise_for_status()
