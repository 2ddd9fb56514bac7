"""Images as an engine of this machine describes them (``docker inspect``, ``podman inspect``, ``nerdctl inspect``), as
their config says (``crane config``), and what stands in them (bills of materials in SPDX and CycloneDX).

Source: docs.docker.com/reference/api/engine, ImageInspect; opencontainers/image-spec v1.1 config.md; SPDX 2.3
(spdx.github.io) as syft and trivy write it; CycloneDX 1.6 (cyclonedx.org/docs/1.6/json). An image that was
only built here has no digest of a registry, and nothing is kept of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.model import Holds, ImageConfig
from hardener.exports.shapes import entries, mapping, text, texts
from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock.oci.image import config_facts, platform_name
from hardener.lock.oci.registry_error import RegistryError


def is_inspected(document: dict[str, Any]) -> bool:
    """Whether it describes an image."""
    return isinstance(document.get("RepoTags"), list) and isinstance(document.get("RepoDigests"), list)


def read_inspected(document: dict[str, Any], into: Collector) -> None:
    """Put in the config of the image under each of its tags, with the digest that its repository has for it."""
    digests = dict(_parts(said) for said in texts(document, "RepoDigests"))
    blob = {"config": mapping(document, "Config"), "created": text(document, "Created")}
    try:
        config = config_facts("docker inspect", blob)
    except RegistryError:
        return
    named = {"os": text(document, "Os"), "architecture": text(document, "Architecture")}
    for tag in texts(document, "RepoTags"):
        digest = digests.get(tag.rpartition(":")[0], "")
        if is_digest(digest) and parse_image(tag) is not None:
            into.put_locked(tag, {"digest": digest, "platforms": [platform_name(named)], "config": config})


def _parts(said: str) -> tuple[str, str]:
    name, _, digest = said.partition("@")
    return name, digest


def is_config(document: dict[str, Any]) -> bool:
    """Whether it is the config of an image."""
    return isinstance(document.get("rootfs"), dict) and isinstance(document.get("config"), dict)


def read_config(document: dict[str, Any], into: Collector) -> None:
    """Put in a config, which does not name its image: the file does, see ``import_evidence``. No command is kept, and
    no variable."""
    try:
        facts = config_facts("crane config", document)
    except RegistryError:
        return
    key = into.source("crane config", text(document, "created"))
    config = ImageConfig(
        "", facts["user"], tuple(facts["exposedPorts"]), tuple(facts["volumes"]), facts.get("workingDir", "")
    )
    into.configs[os.path.splitext(into.file)[0]] = (config, key)


# What runs programs of another language, and what answers on the network or keeps data, by the names of packages of
# Debian, Alpine, Red Hat and of the language itself. The first group is what it is called.
_RUNTIMES = re.compile(
    r"(?P<java>openjdk-?\d*.*|temurin-.*|java-\d.*|jdk|jre|openjdk\d+.*|zulu\d+.*|corretto.*)"
    r"|(?P<node>node|nodejs\d*)|(?P<python>python3?(?:\.\d+)?(?:-minimal)?|cpython)|(?P<ruby>ruby\d*(?:\.\d+)?)"
    r"|(?P<php>php\d*(?:\.\d+)?(?:-fpm|-cli)?)|(?P<dotnet>dotnet-runtime.*|aspnetcore-runtime.*|microsoft.netcore.app)"
    r"|(?P<erlang>erlang(?:-base)?)"
)
_SERVERS = re.compile(
    r"(?P<nginx>nginx(?:-core)?)|(?P<httpd>apache2|httpd)|(?P<postgresql>postgresql-?\d*(?:-server)?)"
    r"|(?P<mysql>mysql-(?:community-)?server.*|mysql)|(?P<mariadb>mariadb-server.*|mariadb)"
    r"|(?P<redis>redis(?:-server)?)|(?P<valkey>valkey(?:-server)?)|(?P<mongodb>mongodb-org-server|mongodb)"
    r"|(?P<rabbitmq>rabbitmq-server)|(?P<memcached>memcached)|(?P<elasticsearch>elasticsearch)|(?P<haproxy>haproxy)"
    r"|(?P<envoy>envoy)|(?P<traefik>traefik)|(?P<caddy>caddy)|(?P<kafka>kafka(?:_2\.1[23])?)"
)
_VERSION = re.compile(r"(?:\d+:)?(\d+(?:\.\d+){0,3})")
_MOST = 12


def is_bill(document: dict[str, Any]) -> bool:
    """Whether it is a bill of materials."""
    return document.get("bomFormat") == "CycloneDX" or text(document, "spdxVersion").startswith("SPDX-2")


def read_bill(document: dict[str, Any], into: Collector) -> None:
    """Put in the runtimes and servers of an image; nothing of a bill that is not of one."""
    is_cyclone = document.get("bomFormat") == "CycloneDX"
    image = _of_cyclone(document) if is_cyclone else _of_spdx(document)
    packages = _components(document) if is_cyclone else _packages(document)
    runtimes, servers = _held(packages)
    created = text(document, "metadata", "timestamp") or text(document, "creationInfo", "created")
    if image and (runtimes or servers):
        key = into.source("CycloneDX" if is_cyclone else "SPDX", created)
        into.put_image_fact(image, "holds", lambda by: Holds(by, runtimes, servers), key)


def _of_cyclone(document: dict[str, Any]) -> str:
    subject = mapping(document, "metadata", "component")
    return text(subject, "name").partition("@")[0] if text(subject, "type") == "container" else ""


def _components(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((text(each, "name"), text(each, "version")) for each in entries(document, "components"))


def _of_spdx(document: dict[str, Any]) -> str:
    """The image: the package that is a container, else the name of the document where it has a tag."""
    for package in entries(document, "packages"):
        if text(package, "primaryPackagePurpose") == "CONTAINER":
            name = text(package, "name")
            tag = "" if ":" in name.rpartition("/")[2] else _tag(package)
            return f"{name}:{tag}" if tag else name.partition("@")[0]
    name = text(document, "name")
    return name if ":" in name.rpartition("/")[2] else ""


def _tag(package: dict[str, Any]) -> str:
    """The tag that a package URL of an image has: pkg:oci/web@sha256:...?tag=1.2."""
    for reference in entries(package, "externalRefs"):
        found = re.search(r"[?&]tag=([\w.-]+)", text(reference, "referenceLocator"))
        if found:
            return found[1]
    return ""


def _packages(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for each in entries(document, "packages"):
        if text(each, "primaryPackagePurpose") != "CONTAINER":
            yield text(each, "name"), text(each, "versionInfo")


def _held(packages: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: tuple[dict[str, str], dict[str, str]] = {}, {}
    for name, version in packages:
        for kind, pattern in enumerate((_RUNTIMES, _SERVERS)):
            match = pattern.fullmatch(name.lower())
            if match is not None and match.lastgroup:
                number = _VERSION.match(version)
                found[kind].setdefault(match.lastgroup, number[1] if number else "")
    runtimes, servers = (tuple(sorted(f"{name} {of}".strip() for name, of in each.items()))[:_MOST] for each in found)
    return runtimes, servers
