"""Well-known products that an image may hold under a name of its own, by what a manifest shows of them: what they need,
and never a number, which each of their images chooses.

Sources: Dockerfiles and entrypoints of docker-library/{redis,postgres,mysql,mariadb,mongo,rabbitmq,cassandra,influxdb,
zookeeper,ghost,wordpress}, valkey-io/valkey-container, elastic/elasticsearch, opensearch-project/docker-images,
grafana/grafana, ClickHouse/ClickHouse, jenkinsci/docker, and the rows of the image table; `pgsql` is the folder of
Red Hat's images, `bitnami` that of Bitnami's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from hardener.support.late_pattern import late_pattern


class Product(Struct, frozen=True):
    """What is known of a product.

    - `name`: for people. `names`: how tags and images call it.
    - `servers`: its programs, when a command starts them. `clients`: programs by which a probe asks it.
    - `folders`: where its images keep its data. `usual`: folders that others keep data in as well, which are its own
      where something else names it.
    - `starts_as_root`: the entrypoint of its images starts as root, to give these folders to their user.
    """

    name: str
    names: frozenset[str]
    servers: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    starts_as_root: bool = True


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


PRODUCTS: tuple[Product, ...] = (
    Product(
        "Redis",
        _of("redis valkey keydb"),
        servers=_of("redis-server redis-sentinel valkey-server keydb-server"),
        clients=_of("redis-cli valkey-cli keydb-cli"),
        folders=("/var/lib/redis", "/var/lib/valkey"),
        usual=("/data",),
    ),
    Product(
        "PostgreSQL",
        _of("postgres postgresql postgis pgvector timescaledb"),
        servers=_of("postgres postmaster"),
        clients=_of("pg_isready"),
        folders=("/var/lib/postgresql", "/var/lib/pgsql"),
    ),
    Product(
        "MySQL",
        _of("mysql mariadb percona"),
        servers=_of("mysqld mariadbd"),
        clients=_of("mysqladmin mariadb-admin"),
        folders=("/var/lib/mysql",),
    ),
    Product(
        "MongoDB",
        _of("mongo mongodb"),
        servers=_of("mongod mongos"),
        clients=_of("mongo mongosh"),
        folders=("/data/db", "/data/configdb", "/var/lib/mongo", "/var/lib/mongodb"),
    ),
    Product(
        "RabbitMQ",
        _of("rabbitmq"),
        servers=_of("rabbitmq-server"),
        clients=_of("rabbitmqctl rabbitmq-diagnostics"),
        folders=("/var/lib/rabbitmq",),
    ),
    Product(
        "Cassandra",
        _of("cassandra"),
        servers=_of("cassandra"),
        clients=_of("nodetool cqlsh"),
        folders=("/var/lib/cassandra",),
    ),
    Product("ZooKeeper", _of("zookeeper"), folders=("/datalog",), usual=("/data",)),
    Product("InfluxDB", _of("influxdb"), servers=_of("influxd"), folders=("/var/lib/influxdb", "/var/lib/influxdb2")),
    Product(
        "ClickHouse",
        _of("clickhouse"),
        servers=_of("clickhouse-server"),
        clients=_of("clickhouse-client"),
        folders=("/var/lib/clickhouse",),
    ),
    Product("Ghost", _of("ghost"), folders=("/var/lib/ghost",)),
    Product("a web server with PHP", _of("wordpress nextcloud drupal"), folders=("/var/www/html",)),
    Product(
        "Elasticsearch",
        _of("elasticsearch opensearch"),
        folders=("/usr/share/elasticsearch/data", "/usr/share/opensearch/data"),
        starts_as_root=False,
    ),
    Product("Grafana", _of("grafana"), folders=("/var/lib/grafana",), starts_as_root=False),
    Product("Prometheus", _of("prometheus"), folders=("/prometheus",), starts_as_root=False),
    Product("Jenkins", _of("jenkins"), folders=("/var/jenkins_home",), starts_as_root=False),
    Product("an image of Bitnami", frozenset(), folders=("/bitnami",), starts_as_root=False),
)

_SEPARATORS = late_pattern(r"[^a-z0-9]+")
_EXPRESSION = re.compile(r"\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}")
_LONGEST = 512


def kept_at(path: str) -> Product | None:
    """The product whose data a volume at ``path`` holds; None where it may be that of anything."""
    for product in PRODUCTS:
        if any(path == folder or path.startswith(f"{folder}/") for folder in product.folders):
            return product
    return None


def named_by(name: str | None, tag: str | None) -> Product | None:
    """The product that an image says it is: by its whole name, or by the first word of its tag (`redis-7-alpine`)."""
    first = _SEPARATORS.split(tag[:_LONGEST].lower())[0] if tag else ""
    return next((each for each in PRODUCTS if (name or "") in each.names or first in each.names), None)


def tag_as_written(image: str) -> str | None:
    """The tag in the text of an image of which expressions are parts, up to the first of them; None without one."""
    _, colon, tag = _EXPRESSION.sub("\0", image.partition("@")[0]).rpartition(":")
    return tag.partition("\0")[0] or None if colon and "/" not in tag else None


def started_by(programs: Iterable[str]) -> Product | None:
    """The product that is one of the ``programs`` which a command starts."""
    started = frozenset(programs)
    return next((each for each in PRODUCTS if each.servers & started), None)


def asked_by(programs: Iterable[str]) -> Product | None:
    """The product that one of the ``programs`` of a probe asks."""
    asking = frozenset(programs)
    return next((each for each in PRODUCTS if (each.clients | each.servers) & asking), None)
