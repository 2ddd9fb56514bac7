"""Images that run, made of packages of Debian as its mirror has them: layers as bytes, for ``oci_images`` to push.

What the scripts of packages would do (users, folders, the first database) nobody does: the layer of an image's own
files holds it, laid out as the image that is meant has it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from . import oci_images as made
from . import wheels

# Each set is a layer on top of that of "base". A release of Debian has one version of each; names with a number in
# them are looked up.
SETS: dict[str, tuple[str, ...]] = {
    "base": ("base-files", "busybox-static", "gosu"),
    "web-and-store": ("nginx", "redis-server"),
    "apache": ("apache2-bin",),
    "memcached": ("memcached",),
    "postgresql": (r"postgresql-[0-9]+", r"postgresql-client-[0-9]+", "tzdata"),
    "mariadb": ("mariadb-server-core", "mariadb-client-core"),
    "java": (r"openjdk-[0-9]+-jre-headless",),
    "python": ("python3-minimal", "python3"),
    "node": ("nodejs",),
    # What applications with a Dockerfile of their own bring along.
    "flask": ("python3", "python3-flask", "gunicorn", "python3-redis"),
    "python-clients": ("python3", "python3-redis", "python3-psycopg2"),
    "grpc": ("python3", "python3-grpcio"),
    "locust": ("python3", "python3-locust", "python3-fake-factory"),
    "express": ("nodejs", "node-express", "node-async", "node-pg", "node-cookie-parser", "tini"),
    "npm": ("npm",),
    "dash": ("dash",),
    "sudo": ("sudo", "libpam-modules"),
}
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_LEFT_OUT = (
    "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/perl", "usr/share/lintian/",
    "usr/include/", "usr/share/bash-completion/",
)  # fmt: skip
# What scripts of packages need, and no program of a set does.
_PACKAGES_LEFT_OUT = re.compile(
    r"adduser|apt(-.*)?|debconf|dpkg|galera-.*|init-system-helpers|lib(llvm|perl|z3-|systemd-shared|kmod|cryptsetup).*|"
    r"libapt-.*|libargon2-.*|locales.*|logsave|mount|passwd|perl.*|postgresql-(client-)?common|sensible-utils|ssl-cert|systemd.*|ucf|udev"
)
_FORM = 1  # of the layers that are kept; another one makes them anew
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


def packages(name: str) -> bytes:
    """The layer with the packages of the set ``name`` and what they need, beside those of "base". It is made when it is
    asked for first, and kept in the cache folder of the tests under the versions of its packages. Skips where apt has
    none of it to give."""
    content: bytes = _kept(name).read_bytes()
    return content


@cache
def _kept(name: str) -> Path:
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: the images are made of packages of Debian")
    wanted = _needed(SETS[name])
    if name != "base":
        base = _needed(SETS["base"])
        wanted = {package: version for package, version in wanted.items() if package not in base}
    told = json.dumps([_FORM, _LEFT_OUT, _PACKAGES_LEFT_OUT.pattern, sorted(wanted.items())])
    folder = _folder()
    kept = folder / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.tar"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=folder) as place:
            made = Path(place) / "layer.tar"
            with open(made, "wb") as file:
                _merge(_downloaded(wanted, Path(place)), file, links=name == "base")
            os.replace(made, kept)  # whole or not at all: tests run side by side
        for old in folder.glob(f"{name}-*.tar"):
            if old != kept:
                old.unlink(missing_ok=True)
    return kept


@cache
def _named(pattern: str) -> str:
    """The package of the release whose whole name ``pattern`` is; the highest number in it wins."""
    if pattern.replace("-", "").isalnum():
        return pattern
    done = _apt(["apt-cache", "search", "--names-only", f"^{pattern}$"])
    names = [line.split()[0] for line in done.stdout.splitlines()]
    if not names:
        pytest.skip(f"apt-cache has no {pattern} (apt-get update may be what it lacks)")
    return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


@cache
def _needed(names: tuple[str, ...]) -> dict[str, str]:
    """The packages ``names`` and what they need, each with its version. apt takes seconds to say so, and every worker
    asks: its answer is kept for as long as its lists are the same."""
    told = repr((names, _state_of_apt())).encode()
    kept = _folder() / f"needed-{hashlib.sha256(told).hexdigest()[:16]}.json"
    if not kept.exists():
        found = json.dumps(_asked(names))
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
            file.write(found)
        os.replace(file.name, kept)
    answer: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
    return answer


def _folder() -> Path:
    folder = wheels.cache_folder() / "debian-layers"
    folder.mkdir(exist_ok=True)
    return folder


def _state_of_apt() -> list[tuple[str, int, int]]:
    """What apt reads before it answers: its settings, and its lists of packages."""
    found = [path for place in ("/etc/apt", "/var/lib/apt/lists") for path in Path(place).rglob("*") if path.is_file()]
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(found)]


def _asked(names: tuple[str, ...]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as place:
        asked = [_named(name) for name in names]
        done = _apt(["apt-get", "-s", *_options(Path(place)), "install", *asked], asked)
    found = re.findall(r"^Inst (\S+) \((\S+) ", done.stdout, re.M)
    return {name: version for name, version in found if not _PACKAGES_LEFT_OUT.fullmatch(name)}


def _downloaded(wanted: Mapping[str, str], folder: Path) -> list[Path]:
    asked = [f"{name}={version}" for name, version in wanted.items()]
    # They are taken one by one: what they need stands in the list already.
    words = ["apt-get", "-qq", *_options(folder), "download", *asked]
    _apt(words, asked, folder)
    return sorted(folder.glob("*.deb"))


def _options(folder: Path) -> list[str]:
    for name in ("archives/partial", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()  # nothing is installed there, so that what a package needs comes along
    settings = {
        "Dir::State::status": folder / "status", "Dir::Cache::archives": folder / "archives",
        "Dir::Log": folder / "log",
        "APT::Install-Recommends": "false", "APT::Sandbox::User": "root", "Debug::NoLocking": "true",
    }  # fmt: skip
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _apt(words: list[str], asked: Iterable[str] = (), folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C"}, cwd=folder
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        pytest.skip(f"apt-get has no {', '.join(asked)} to give (apt-get update may be what it lacks): {last}")
    return done


def _merge(packages: Iterable[Path], into: IO[bytes], *, links: bool) -> None:
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
        for name, target in _LINKS.items() if links else ():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            layer.addfile(link)


def _place(name: str) -> str:
    name = name.removeprefix("./").rstrip("/")
    return f"usr/{name}" if name.partition("/")[0] in _MERGED and "/" in name else name


def layer(files: Mapping[str, File], below: Iterable[bytes]) -> bytes:
    """A layer with ``files`` by their absolute paths; programs come from the layers ``below``."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as found:
        for path, file in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.mode, member.uid, member.gid = file.mode, file.owner, file.owner
            content = file.content.encode()
            if file.program is not None:
                content = _program(file.program.lstrip("/"), below)
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


def _program(name: str, layers: Iterable[bytes]) -> bytes:
    for each in layers:
        with tarfile.open(fileobj=io.BytesIO(each)) as files:
            source = files.extractfile(files.getmember(name)) if name in files.getnames() else None
            if source is not None:
                return source.read()
    raise AssertionError(f"no package has {name}")


_pushed: dict[tuple[str, str], str] = {}  # the first repository of a registry that holds a blob


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
            known = _pushed.setdefault((base, blob.digest), repository)
            mount = {"mount": blob.digest, "from": known} if known != repository else {}
            begun = http.post(f"/v2/{repository}/blobs/uploads/", params=mount).raise_for_status()
            if begun.status_code == 201:  # it has it from there
                continue
            place = begun.headers["location"]
            joint = "&" if "?" in place else "?"
            kind = {"Content-Type": "application/octet-stream"}
            http.put(f"{place}{joint}digest={blob.digest}", content=blob.body, headers=kind).raise_for_status()
        kind = {"Content-Type": manifest.media_type}
        http.put(f"/v2/{repository}/manifests/{tag}", content=manifest.body, headers=kind).raise_for_status()
