"""Names of images as build files and manifests write them, and whether two of them may be one image."""

import re

from msgspec import Struct

from hardener.kubernetes.images.reference import ImageReference, normalize

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
