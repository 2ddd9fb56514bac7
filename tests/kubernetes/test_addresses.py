"""Addresses of Services in all kinds of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.kubernetes.network.addresses import Form, find, is_address_key
from hardener.kubernetes.network.service_names import BLANK, Named, is_outside, meanings

SERVICES = {"redis", "db", "web", "kafka-0", "kafka", "mongo", "api", "auth", "redis-cart", "x2"}
NAMESPACES = {"shop", "infra"}


def hosts(text: str, key: str = "", form: Form = Form.VALUE) -> set[tuple[str, int | None]]:
    return {(a.host, a.port) for a in find(text, SERVICES, NAMESPACES, key=key, form=form) if a.known}


def strangers(text: str, key: str = "", form: Form = Form.VALUE) -> set[tuple[str, int | None]]:
    found = find(text, SERVICES, NAMESPACES, key=key, form=form, strangers=True)
    return {(a.host, a.port) for a in found if not a.known}


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("REDIS_ADDR", "redis:6379", {("redis", 6379)}),
        ("REDIS_HOST", "redis", {("redis", None)}),
        ("CACHE", "redis", {("redis", None)}),
        ("URL", "redis://redis:6379/0", {("redis", 6379)}),
        ("URL", "redis://db", {("db", None)}),
        ("URL", "redis://user:secret@redis:6379/0", {("redis", 6379)}),
        ("URL", "redis://:secret@redis:6379/0", {("redis", 6379)}),
        ("NODES", "redis://u:p@redis:6379/0,redis://u:p@db:6380/1", {("redis", 6379), ("db", 6380)}),
        ("URL", "redis://u:p@redis:6379,db:6380,web/0", {("redis", 6379), ("db", 6380), ("web", None)}),
        ("MONGO", "mongodb://u:p@mongo,db/app?replicaSet=rs0", {("mongo", None), ("db", None)}),
        ("MONGO", "mongodb+srv://mongo.shop.svc.cluster.local/app", {("mongo.shop.svc.cluster.local", None)}),
        ("JDBC", "jdbc:postgresql://db:5432/web", {("db", 5432)}),
        ("JDBC", "jdbc:postgresql://db/redis", {("db", None)}),
        ("JDBC", "jdbc:oracle:thin:@db:1521/XE", {("db", 1521)}),
        ("JDBC", "jdbc:sqlserver://db;databaseName=api", {("db", None)}),
        ("JDBC", "jdbc:mysql:loadbalance://db:3306,web:3306/x", {("db", 3306), ("web", 3306)}),
        ("JDBC", "jdbc:mysql://address=(host=db)(port=3306)/x", {("db", None)}),
        ("ConnectionStrings__Default", "Server=tcp:db,1433;Database=api;User Id=web", {("db", None)}),
        ("ConnectionStrings__Default", "Server=db;Database=api", {("db", None)}),
        ("DSN", "host=db port=5432 user=web dbname=api", {("db", None)}),
        ("AMQP_URL", "amqp://web:web@api:5672/kafka", {("api", 5672)}),
        ("BROKERS", "kafka:9092,kafka-0:9092", {("kafka", 9092), ("kafka-0", 9092)}),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka, kafka-0", {("kafka", None), ("kafka-0", None)}),
        ("LISTENERS", "PLAINTEXT://kafka:9092,SSL://kafka-0:9093", {("kafka", 9092), ("kafka-0", 9093)}),
        ("X", "tcp://redis:6379", {("redis", 6379)}),
        ("X", "dns:///api:50051", {("api", 50051)}),
        ("X", "dns:api:50051", {("api", 50051)}),
        ("X", "redis.shop:6379", {("redis.shop", 6379)}),
        ("X", "redis.shop", {("redis.shop", None)}),
        ("X", "redis.other:6379", {("redis.other", 6379)}),
        ("X", "redis.shop.svc", {("redis.shop.svc", None)}),
        ("X", "redis.shop.svc:6379", {("redis.shop.svc", 6379)}),
        ("X", "redis.shop.svc.cluster.local", {("redis.shop.svc.cluster.local", None)}),
        ("X", "redis.shop.svc.k8s.example.com:6379", {("redis.shop.svc.k8s.example.com", 6379)}),
        ("X", "redis.shop.svc.cluster.local.:6379", {("redis.shop.svc.cluster.local", 6379)}),
        ("X", "mongo-0.mongo:27017", {("mongo-0.mongo", 27017)}),
        ("X", "mongo-0.mongo,mongo-1.mongo", {("mongo-0.mongo", None), ("mongo-1.mongo", None)}),
        ("X", "mongo-0.mongo.shop.svc.cluster.local", {("mongo-0.mongo.shop.svc.cluster.local", None)}),
        ("X", "http://$(POD_NAME).mongo:80/", {(f"{BLANK}.mongo", 80)}),
        ("X", "http://${POD}.mongo.${NS}.svc:80/", {(f"{BLANK}.mongo.{BLANK}.svc", 80)}),
        ("X", "http://api.$(NAMESPACE):80/", {(f"api.{BLANK}", 80)}),
        ("X", "redis:$(REDIS_PORT)", {("redis", None)}),
        ("X", "jdbc:postgresql://${DB_HOST:db}:${DB_PORT:5432}/app", {("db", 5432)}),
        ("REDIS_HOST", "${REDIS_HOST:-redis}", {("redis", None)}),
        ("REDIS_HOST", "${REDIS_HOST:?redis}", set()),
        ("X", "URL=$(curl -s http://api:8080/url) && run", {("api", 8080)}),
        ("X", "http://API:8080", {("api", 8080)}),
        ("X", '{"host": "redis", "name": "db"}', {("redis", None)}),
        ("X", r'{"conf": "a=1\\nredis_host=redis\\ndb:5432"}', {("redis", None), ("db", 5432)}),
        ("X", "lb://API", {("api", None)}),
        ("X", "lb://NOPE", set()),
        ("X", '{"servers":["kafka","kafka-0:9092"]}', {("kafka", None), ("kafka-0", 9092)}),
        # What is not an address.
        ("X", "redis is what we use", set()),
        ("DB_TYPE", "redis", set()),
        ("OTEL_SERVICE_NAME", "web", set()),
        ("KAFKA_SERVICE_NAME", "kafka", {("kafka", None)}),
        ("POSTGRES_DB", "api", set()),
        ("DB_USER", "web", set()),
        ("WEB_ACCESS_KEY", "web", set()),
        ("REDIS_URL", "redis://nowhere:6379", set()),
        ("IMAGE", "redis:7", set()),
        ("IMAGE", "example.com/redis:7", set()),
        ("X", "docker.io/library/redis:6379", set()),
        ("X", "redis:7-alpine", set()),
        ("X", "redis:7.2", set()),
        ("X", "redis:alpine", set()),
        ("X", "postgres://redis:db@nowhere/x", set()),
        ("X", "redis@nowhere", set()),
        ("X", "/etc/redis/redis.conf", set()),
        ("X", "redis.conf", set()),
        ("X", "redis_host", set()),
        ("X", "my-redis:6379", set()),
        ("X", "redis-$(N):6379", set()),
        ("X", "service.name=web,service.version=1", set()),
        ("X", "redis:0", set()),
        ("X", "redis:70000", set()),
        ("X", "redis://", set()),
        ("X", "", set()),
    ],
)
def test_values(key: str, text: str, expected: set[tuple[str, int | None]]) -> None:
    assert hosts(text, key) == expected


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("", "--redis-addr=redis:6379", {("redis", 6379)}),
        ("", "--redis=redis", {("redis", None)}),
        ("", "--redis-host=redis", {("redis", None)}),
        ("--redis-host", "redis", {("redis", None)}),
        ("-h", "redis", {("redis", None)}),
        ("", "redis", {("redis", None)}),
        ("", "until nc -z redis 6379; do sleep 1; done", {("redis", 6379)}),
        ("", "until nslookup db; do echo waiting for web; sleep 2; done;", {("db", None)}),
        ("", "until redis-cli -h redis ping; do :; done", {("redis", None)}),
        ("", "curl -s api/health && wget -q http://web:80", {("api", None), ("web", 80)}),
        ("", "psql -h db -U web", {("db", None), ("web", None)}),
        ("", "exec /bin/app --db=$DB --cache redis:6379", {("redis", 6379)}),
        ("", "kubectl rollout restart deployment web", set()),
        ("", "echo redis", set()),
        ("", "cd web && ./redis", set()),
        ("", "# redis:6379\ntrue", set()),
        ("", "redis --port 1", set()),
        ("", "http://minio-{0...3}.api.default.svc.cluster.local/data", {("api.default.svc.cluster.local", None)}),
    ],
)
def test_words_of_commands(before: str, text: str, expected: set[tuple[str, int | None]]) -> None:
    assert hosts(text, before, Form.WORD) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upstream a {\n  server redis;\n  server db:80 weight=5;\n}", {("redis", None), ("db", 80)}),
        ("location / {\n  proxy_pass http://web/;\n}", {("web", None)}),
        ("location / {\n  fastcgi_pass web:9000;\n}", {("web", 9000)}),
        ("backend b\n  server s1 redis:6379 check\n", {("redis", 6379)}),
        ("redis:\n  host: redis\n  port: 6379\n", {("redis", None)}),
        ("redis:\n  hosts:\n  - redis\n  - db\nname: web\n", {("redis", None), ("db", None)}),
        ("names:\n- redis\n", set()),
        ("spring.redis.host=redis\nspring.application.name=web\n", {("redis", None)}),
        ("[db]\nhost = db\nname = web\n", {("db", None)}),
        ('{"cache": {"address": "redis"}, "app": "web"}', {("redis", None)}),
        ("targets: ['redis:9121', 'db:9187']", {("redis", 9121), ("db", 9187)}),
        ("socket_address: {address: redis, port_value: 6379}", {("redis", None)}),
        ("<endpoint>redis</endpoint><name>web</name>", {("redis", None)}),
        ("We keep sessions in redis and rows in db.\nSee the web page.\n", set()),
        ("# redis:6379 was here\nhost: db\n", {("db", None)}),
        ("image: redis:7\n", set()),
        ("time: 12:30\nredis: 6379\n", set()),
        ("see redis.shop.svc.cluster.local for that", {("redis.shop.svc.cluster.local", None)}),
        ("file: redis.conf\n", set()),
        ("[program:x]\ncommand=app --db db:5432\n", {("db", 5432)}),
    ],
)
def test_files(text: str, expected: set[tuple[str, int | None]]) -> None:
    assert hosts(text, "app.conf") == expected or hosts(text, "app.conf", Form.TEXT) == expected
    assert hosts(text, "app.conf", Form.TEXT) == expected


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("ADDR", "shoppingassistant:80", {("shoppingassistant", 80)}),
        ("X", "unknown:8080", {("unknown", 8080)}),
        ("X", "http://unknown", {("unknown", None)}),
        ("SMTP", "smtp.example.com:587", {("smtp.example.com", 587)}),
        ("SMTP_HOST", "smtp.example.com", {("smtp.example.com", None)}),
        ("X", "https://s3.eu-west-1.amazonaws.com/b", {("s3.eu-west-1.amazonaws.com", None)}),
        ("X", "postgres://u:p@10.0.0.7:5432/x", {("10.0.0.7", 5432)}),
        ("X", "gone.other.svc.cluster.local:80", {("gone.other.svc.cluster.local", 80)}),
        ("X", "http://localhost:8080,http://127.0.0.1:80,0.0.0.0:90", set()),
        ("X", "12:30", set()),
        ("X", "app:v1", set()),
        ("IMAGE", "nginx:8080", set()),
        ("LEVEL", "debug", set()),
        ("X", "words and more", set()),
        ("X", "unix:///run/x.sock", set()),
        ("X", "config.json", set()),
        ("X", "1.2.3", set()),
        ("X", "0.5", set()),
        ("X", "info:3", set()),
        ("DB_PASSWORD", "hunter:2222", set()),
        ("API_TOKEN", "https://abcdef:8080", set()),
        ("X", "postgres://u:1234/part@db.example.com/x", {("db.example.com", None)}),
        ("X", "user:2222@gone:80", set()),
    ],
)
def test_hosts_that_are_no_service(key: str, text: str, expected: set[tuple[str, int | None]]) -> None:
    assert strangers(text, key) == expected


def test_a_file_names_strangers_only_as_values_of_keys() -> None:
    text = "# https://docs.example.com\nsee https://docs.example.com\nsmtp_host: smtp.example.com:25\nlog: a.b.c\n"
    assert strangers(text, "app.yaml", Form.TEXT) == {("smtp.example.com", 25)}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("redis", [Named("redis", None)]),
        ("redis.shop", [Named("redis", "shop"), Named("shop", None)]),
        ("redis.shop.svc", [Named("redis", "shop")]),
        ("redis.shop.svc.cluster.local", [Named("redis", "shop")]),
        ("redis-0.redis.shop.svc.cluster.local", [Named("redis", "shop")]),
        ("redis-0.redis.shop", [Named("redis", "shop")]),
        (f"redis.{BLANK}.svc", [Named("redis", None)]),
        ("redis.svc", [Named("redis", None)]),
        ("www.example.com", []),
    ],
)
def test_what_a_host_means(host: str, expected: list[Named]) -> None:
    assert meanings(host) == expected


@pytest.mark.parametrize(
    ("host", "outside"),
    [
        ("smtp.example.com", True), ("example.com", True), ("10.0.0.1", True), ("unknown", False),
        ("a.b.svc", False), ("a.b.svc.cluster.local", False), ("prometheus.monitoring", False), ("a.my-team", False),
        ("a.shop", False),
    ],
)  # fmt: skip
def test_outside(host: str, outside: bool) -> None:
    assert is_outside(host, NAMESPACES) is outside


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("REDIS_HOST", True), ("redisHost", True), ("spring.redis.host", True), ("bootstrap.servers", True),
        ("DATABASE_URL", True), ("REDISHOST", True), ("ES_HOSTS_0", True), ("REDIS_NAME", False),
        ("GHOSTWRITER", False), ("", False), ("DATABASE", False), ("x" * 10_000, False),
    ],
)  # fmt: skip
def test_keys_of_addresses(key: str, expected: bool) -> None:
    assert is_address_key(key) is expected


_PIECES = ["redis", "db", "x.y", ".svc", "shop", ":", "//", "@", "6379", "$(A)", "${", "{{", ",", "=", "\n", " ", "-"]


@given(st.lists(st.one_of(st.sampled_from([*_PIECES, "#", "host", '"', "/", "\0", "\\n"]), st.text(max_size=3))))
def test_any_text_is_read(pieces: list[str]) -> None:
    for form in Form:
        for found in find("".join(pieces), SERVICES, NAMESPACES, key="host", form=form, strangers=True):
            assert found.port is None or 0 < found.port < 65536
            assert found.host == found.host.lower() and len(found.host) <= 253


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "redis ", "redis,", "redis:", "redis.", "redis:6379,", "a.", "-", "$(", "${a", "{{", "://", "@", "redis@",
        ":1@", "- redis\n", "host: redis\n", "a=redis,", '"', "\\", "(redis", "http://x.y:80 ", "x", "redis:6379@",
        "redis=",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", list(Form))
def test_hostile_text_is_read_to_its_end(unit: str, form: Form) -> None:
    """Its cost is linear: a quadratic one would take a minute here."""
    text = unit * (100_000 // len(unit))
    found = find(text, SERVICES, NAMESPACES, key="HOST", form=form, strangers=True)
    assert {address.host for address in found} <= {"redis", "x.y"}
