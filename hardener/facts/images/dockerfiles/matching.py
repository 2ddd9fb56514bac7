"""Which of the builds of a repository makes an image that a manifest names.

The rule, the first that holds:

1. A build file names exactly this repository.
2. A build file names it up to what it does not know, or under another registry: the last component is the same, only
   one Dockerfile is built under it, and the image is not known to be somebody else's, or the last two are.
3. A service of a build file has its name, and the image is one of this tree's own.
4. The folder of one Dockerfile, or its suffix, has its name, and the image is one of this tree's own.

Behind the name of 3 and 4 may stand that of a distribution or a platform: `web-service/alpine` is built as, or in,
`web-service`.

An image is somebody else's that has the name of an official image of Docker Hub (`redis`, `bitnami/redis`), that has
the name of its organisation (`grafana/grafana`), or that the image table knows, unless build files of this tree build
each image of its prefix, or it has a folder with a Dockerfile for each and no row is one by hand, and there are two at
least: then this is where they are made. It is not where rule 1 holds, or
a build file of this tree names an image with the same prefix. Any other is this tree's own where

- it is one word, or in a registry of the own machine or network (`localhost:5000/web`),
- a build file names an image with the same prefix,
- at least two images of its prefix have a Dockerfile of their name here,
- or it has no registry, and each image of its organisation has a Dockerfile of its name here.

Where builds write different tags, those count that write the tag of the manifest, else those that do not write a tag.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from hardener.facts.images.dockerfiles.builds import Build, suffix_of
from hardener.facts.images.dockerfiles.model import Rank, Said
from hardener.kubernetes.images.reference import ImageReference, normalize
from hardener.kubernetes.images.table import is_kept_by_hand, lookup

_HOLE = re.compile(
    r"\$\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}|\$[A-Za-z_]\w*|%[A-Za-z_]+%|<[A-Za-z_ -]+>|`[^`]*`"
)
_MARK = "\ue000"
_LONGEST = 4096
_COMPONENT = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")

# Docker Hub's official images: github.com/docker-library/official-images, the files of `library/`.
OFFICIAL = frozenset(
    {"adminer", "aerospike", "almalinux", "alpine", "amazoncorretto", "amazonlinux", "api-firewall", "arangodb"}
    | {"archlinux", "backdrop", "bash", "bonita", "buildpack-deps", "busybox", "caddy", "cassandra", "centos"}
    | {"chronograf", "cirros", "clearlinux", "clefos", "clickhouse", "clojure", "composer", "consul", "convertigo"}
    | {"couchbase", "couchdb", "crate", "crux", "dart", "debian", "docker", "drupal", "eclipse-mosquitto"}
    | {"eclipse-temurin", "eggdrop", "elasticsearch", "elixir", "emqx", "erlang", "fedora", "flink", "fluentd"}
    | {"friendica", "gazebo", "gcc", "geonetwork", "ghost", "golang", "gradle", "groovy", "haproxy", "haskell"}
    | {"haxe", "hello-world", "hitch", "httpd", "hylang", "ibm-semeru-runtimes", "ibmjava", "influxdb", "irssi"}
    | {"jetty", "joomla", "jruby", "julia", "kapacitor", "kibana", "kong", "krakend", "lightstreamer", "liquibase"}
    | {"logstash", "mageia", "mariadb", "matomo", "maven", "mediawiki", "memcached", "mongo", "mongo-express"}
    | {"monica", "mysql", "nats", "nats-streaming", "neo4j", "neurodebian", "nextcloud", "nginx", "node", "notary"}
    | {"odoo", "open-liberty", "openjdk", "opensuse", "oraclelinux", "orientdb", "percona", "perl", "photon", "php"}
    | {"php-zendserver", "phpmyadmin", "plone", "postfixadmin", "postgres", "pypy", "python", "r-base", "rabbitmq"}
    | {"rakudo-star", "redis", "redmine", "registry", "rethinkdb", "rocket.chat", "rockylinux", "ros", "ruby", "rust"}
    | {"sapmachine", "satosa", "scratch", "sl", "solr", "sonarqube", "sourcemage", "spark", "spiped", "storm"}
    | {"swarm", "swift", "swipl", "teamspeak", "telegraf", "thrift", "tomcat", "tomee", "traefik", "ubuntu", "unit"}
    | {"varnish", "vault", "websphere-liberty", "wordpress", "xwiki", "yourls", "znc", "zookeeper"}
)


class Name(Struct, frozen=True):
    """A name without tag and digest.

    - ``whole``: the normalized repository; None where an expression stands in it.
    - ``parts``: the last components that are known, without a registry; the last one is the name itself.
    - ``prefix``: what stands before the last component, normalized; None where it is not known.
    - ``tag``: as written; None where none is, or an expression stands in it.
    """

    whole: str | None
    parts: tuple[str, ...]
    prefix: str | None
    tag: str | None = None

    @property
    def last(self) -> str:
        return self.parts[-1]

    @property
    def is_bare(self) -> bool:
        """Whether it is one component, without a registry or an organisation."""
        return self.whole is not None and self.prefix == "docker.io/library"


def read(text: str) -> Name | None:
    """The name in ``text``, as a person writes it for an image; None where its last component is not known."""
    if not text or len(text) > _LONGEST or _MARK in text:
        return None
    skeleton = _HOLE.sub(_MARK, text.strip().strip("\"'"))
    head = skeleton.partition("@")[0]
    start, slash, last = head.rpartition("/")
    last, _, tag = last.partition(":")
    components = [*start.split("/"), last] if slash else [last]
    parts: list[str] = []
    for component in reversed(components):
        if not _COMPONENT.fullmatch(component.lower()):
            break
        parts.insert(0, component.lower())
    if not parts:
        return None
    known = tag if tag and _MARK not in tag else None
    if len(parts) < len(components) - 1 or _MARK in start:
        return Name(None, tuple(parts), None, known)
    repository = f"{start}/{last}" if slash else last
    whole = normalize(repository)
    _, _, path = whole.partition("/")
    return Name(whole, tuple(path.split("/")), whole.rpartition("/")[0], known)


def of_reference(reference: ImageReference) -> Name | None:
    """The name of an image that a manifest names."""
    if reference.normalized is None:
        return read(reference.text)
    whole = reference.normalized
    return Name(whole, tuple(whole.split("/")[1:]), whole.rpartition("/")[0], reference.tag)


def alike(text: str) -> str:
    """A component in one spelling: `store_front` and `store-front` are one word."""
    return re.sub(r"[._-]+", "-", text.lower())


# Folders that say how a program is packed, and not what it is called.
_PACKING = frozenset({"src", "docker", "build", "container", "image", "images", "deploy", "app", "package", ".docker"})
# Suffixes of a Dockerfile that say for what it is built.
_PURPOSES = frozenset({"dev", "debug", "development", "prod", "production", "test", "tests", "local", "ci", "release"})

# Last components that say what an image is made for or from, and not what it is.
_VARIANTS = frozenset(
    {"alpine", "amazonlinux", "amd64", "arm64", "bookworm", "bullseye", "buster", "busybox", "centos", "debian"}
    | {
        "distroless",
        "fedora",
        "linux",
        "linux-amd64",
        "linux-arm64",
        "scratch",
        "slim",
        "ubi",
        "ubi8",
        "ubi9",
        "ubuntu",
    }
)

_NOWHERE = Said("no build file names it; its folder has the name", "", 0)

Match = tuple[Rank, list[Build]]


class Matching:
    """The builds of a repository by the names of their images.

    - ``dockerfiles``: real paths. ``root``: the folder of the repository, whose own name says nothing.
    - ``images``: those that the manifests of the tree name, to see which prefixes are its own.
    """

    def __init__(
        self, builds: Iterable[Build], dockerfiles: Sequence[str], root: str, images: Iterable[ImageReference]
    ) -> None:
        self._exact: dict[str, list[Build]] = {}
        self._last: dict[str, list[tuple[Name, Build]]] = {}
        self._services: dict[str, list[Build]] = {}
        self._prefixes: set[str] = set()  # of images that build files name
        for build in builds:
            name = read(build.image)
            if name is None:
                continue
            if name.whole is not None:
                self._exact.setdefault(name.whole, []).append(build)
            if build.rank == "named":
                self._last.setdefault(alike(name.last), []).append((name, build))
                if name.prefix not in (None, "docker.io/library"):
                    self._prefixes.add(str(name.prefix))
            elif name.is_bare:
                self._services.setdefault(alike(name.last), []).append(build)
        self._folders = _by_folder(dockerfiles, root)
        self._of_prefix: dict[str, dict[str, ImageReference]] = {}
        for image in images:
            found = of_reference(image)
            if found is not None and found.prefix is not None:
                self._of_prefix.setdefault(found.prefix, {})[found.last] = image
        self._placed: dict[str, tuple[int, int]] = {}  # images with a Dockerfile of their name, and all, by prefix
        self._counts: dict[str, Counter[str]] = {}  # images of each project of Compose, by prefix

    def of(self, reference: ImageReference) -> Match | None:
        """How the image is built: the best rank, and the builds that have it; None where none makes it."""
        name = of_reference(reference)
        if name is None:
            return None
        exact = self._exact.get(name.whole or "", ())
        foreign = self._is_foreign(name, reference)
        if named := [build for build in exact if build.rank == "named"] or self._by_last(name, foreign=foreign):
            return "named", _of_tag(named, name.tag)
        if exact and (not foreign or not (_is_official(name) or is_kept_by_hand(reference))):
            return "service", list(exact)
        plain = _without_variant(name, reference)
        if plain is not None and (match := self._by_place(plain)) is not None:
            return match
        return self._by_place(name) if self._is_own(name, reference, foreign) else None

    def _by_place(self, name: Name) -> Match | None:
        """The builds of the service, or the Dockerfiles of the folder, that have the name of an own image."""
        last = alike(name.last)
        if last in self._services:
            return "service", self._services[last]
        files = self._folders.get(last, ())
        if not files:
            services = self._by_project(name)
            return ("service", services) if services else None
        return "folder", [Build(name.last, _NOWHERE, path, context, rank="folder") for path, context in files]

    def base(self, reference: ImageReference) -> tuple[Rank, Build] | None:
        """The one build of an image that a FROM names, and how it is known; None for an image that is known from
        elsewhere."""
        name = of_reference(reference)
        if name is None:
            return None
        if _without_variant(name, reference) is None and name.whole is not None and self._is_foreign(name, reference):
            return None
        match = self.of(reference)
        if match is None:
            return None
        rank, found = match
        return (rank, found[0]) if len({(build.dockerfile, build.target) for build in found}) == 1 else None

    def _is_foreign(self, name: Name, reference: ImageReference) -> bool:
        if name.prefix is not None and name.prefix in self._prefixes:
            return False
        if _is_official(name):
            return True
        if lookup(reference) is None:
            return False
        placed, of_prefix = self._placed_of(name.prefix)
        return placed < 2 or placed < of_prefix

    def _by_last(self, name: Name, *, foreign: bool) -> list[Build]:
        """The builds under the last component of ``name``, where they are of one Dockerfile. Of a ``foreign`` image
        only those that share its last two, which are no chance."""
        found = self._last.get(alike(name.last), [])
        same = [build for other, build in found if len(other.parts) > 1 and name.parts[-2:] == other.parts[-2:]]
        chosen = same or ([] if foreign else [build for _, build in found])
        return chosen if len({build.dockerfile for build in chosen}) == 1 else []

    def _by_project(self, name: Name) -> list[Build]:
        """The builds of the service that Compose calls `PROJECT_SERVICE`, or `PROJECT-SERVICE`, where at least two
        images of the tree are of that project."""
        prefix = name.prefix or ""
        if prefix not in self._counts:
            images = self._of_prefix.get(prefix, ())
            self._counts[prefix] = Counter(project for last in images for project, _ in self._projects(last))
        for project, service in self._projects(name.last):
            if self._counts[prefix][project] > 1:
                return self._services[service]
        return []

    def _projects(self, last: str) -> list[tuple[str, str]]:
        """(project, service) that ``last`` may be made of."""
        words = alike(last).split("-")
        pairs = (("-".join(words[:at]), "-".join(words[at:])) for at in range(1, min(len(words), 20)))
        return [(project, service) for project, service in pairs if service in self._services]

    def _is_own(self, name: Name, reference: ImageReference, foreign: bool) -> bool:
        if name.whole is None or name.prefix is None:
            return True  # the manifest leaves the registry to this tree's own settings
        if foreign:
            return False
        if name.is_bare or name.prefix in self._prefixes or _is_local(reference.registry):
            return True
        placed, images_of_it = self._placed_of(name.prefix)
        is_organisation = reference.registry is None and name.prefix.count("/") == 1
        return placed >= 2 or (is_organisation and placed == images_of_it)

    def _placed_of(self, prefix: str | None) -> tuple[int, int]:
        """How many images of ``prefix`` have a build, or a Dockerfile, of their name here, and how many there are.

        Where the image table knows one of them, the name of a folder says nothing.
        """
        if prefix is None:
            return 0, 0
        if prefix not in self._placed:
            images = self._of_prefix.get(prefix, {})
            known = any(map(is_kept_by_hand, images.values()))
            placed = [last for last in images if self._is_built(last) or (not known and alike(last) in self._folders)]
            self._placed[prefix] = len(placed), len(images)
        return self._placed[prefix]

    def _is_built(self, last: str) -> bool:
        """Whether a build file builds something of this name."""
        word = alike(last)
        return word in self._last or word in self._services or bool(self._projects(last))


def _is_official(name: Name) -> bool:
    """Whether it is one of Docker Hub's official images by its name, or has that of its organisation."""
    product = len(name.parts) > 1 and alike(name.parts[-2]) == alike(name.last)
    return name.last in OFFICIAL or product


def _without_variant(name: Name, reference: ImageReference) -> Name | None:
    """The name before the one of a distribution or a platform, as in `web-service/alpine`; None without such a one."""
    has_one = name.last in _VARIANTS and len(name.parts) > 1 and name.parts[-2] not in OFFICIAL
    is_organisation = len(name.parts) == 2 and reference.registry is not None and not _is_local(reference.registry)
    if not has_one or is_organisation or lookup(reference) is not None:
        return None
    prefix = name.prefix.rpartition("/")[0] if name.prefix is not None else None
    return Name(name.prefix, name.parts[:-1], prefix or None, name.tag)


def _of_tag(builds: list[Build], tag: str | None) -> list[Build]:
    """Those of ``builds`` that may have made the tag: the ones that write it, else those that do not write another."""
    tags = [name.tag if (name := read(build.image)) is not None else None for build in builds]
    same = [build for build, written in zip(builds, tags, strict=True) if tag is not None and written == tag]
    other = [build for build, written in zip(builds, tags, strict=True) if written is None]
    return same or other or builds


def _is_local(registry: str | None) -> bool:
    """Whether a registry is one of the machine or the network of who built the tree; nobody publishes there."""
    host = (registry or "").partition(":")[0].lower()
    return (
        host in ("localhost", "127.0.0.1")
        or host.endswith((".local", ".localhost", ".internal"))
        or (":" in (registry or "") and "." not in host)
    )


def _by_folder(dockerfiles: Sequence[str], root: str) -> dict[str, list[tuple[str, str]]]:
    """(Dockerfile, its context) by the name that its folder or its suffix gives it."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    in_folder: dict[str, list[str]] = {}
    for path in dockerfiles:
        in_folder.setdefault(posixpath.dirname(path), []).append(path)
    for folder, paths in in_folder.items():
        plain = [path for path in paths if not suffix_of(path)] or (paths if len(paths) == 1 else [])
        name = _name_of(folder, root)
        for path in plain if name is not None else ():
            found.setdefault(alike(name or ""), {})[path, folder] = None
        for path in paths:
            suffix = suffix_of(path)
            if suffix and suffix not in _PURPOSES:
                found.setdefault(alike(suffix), {})[path, folder] = None
    return {name: list(files) for name, files in found.items()}


def _name_of(folder: str, root: str) -> str | None:
    """The name of ``folder``, or of the one around it where it only says that images are made there (`docker`); None
    for the root."""
    while folder != root and posixpath.basename(folder).lower() in _PACKING:
        if posixpath.dirname(folder) in (root, folder):
            break
        folder = posixpath.dirname(folder)
    return posixpath.basename(folder) if folder not in (root, posixpath.dirname(folder)) else None
