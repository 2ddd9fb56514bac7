"""Facts about images."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hardener.kubernetes.images import table as image_table
from hardener.kubernetes.images.reference import normalize, parse
from hardener.kubernetes.images.row_schema import mistakes
from hardener.kubernetes.images.table import ImageRow, OwnRows, lookup, row_of, rows
from hardener.sources.yaml import parse as yaml_parse

DIGEST = "sha256:" + "0" * 64


def row(text: str) -> ImageRow | None:
    reference = parse(text)
    assert reference is not None
    return lookup(reference)


@pytest.mark.parametrize(
    ("image", "uid", "gid"),
    [
        ("nginx", 101, 101),
        ("nginx:1.27-alpine", 101, 101),
        ("docker.io/library/nginx:1", 101, 101),
        ("public.ecr.aws/docker/library/redis:8.10.1-alpine", 999, 1000),
        ("mirror.gcr.io/library/redis:7", 999, 999),
        ("redis", 999, 999),
        ("redis:alpine", 999, 1000),
        (f"redis:7.2@{DIGEST}", 999, 999),
        ("postgres:16", 999, 999),
        ("postgres:16-alpine3.20", 70, 70),
        ("mysql:8.4", 999, 999),
        ("mongo:8", 999, 999),
        ("rabbitmq:4-management", 999, 999),
        ("rabbitmq:4-management-alpine", 100, 101),
        ("memcached:1.6", 11211, 11211),
        ("httpd:2.4", 33, 33),
        ("httpd:2.4-alpine", 82, 82),
        ("wordpress:6-apache", 33, 33),
        ("gcr.io/distroless/static:nonroot", 65532, 65532),
        ("gcr.io/distroless/java21-debian12:nonroot-amd64", 65532, 65532),
        ("registry.k8s.io/ingress-nginx/controller:v1.12.0", 101, 82),
        ("quay.io/prometheus/prometheus:v3", 65534, 65534),
        ("prom/alertmanager", 65534, 65534),
        ("grafana/grafana:11.0.0", 472, None),
        ("quay.io/argoproj/argocd:latest", 999, 999),
        ("haproxy", 99, 99),
        ("haproxy:2.9-alpine", 99, 99),
        ("mariadb:11.4", 999, 999),
        ("cassandra:5", 999, 999),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.15.0", 1000, None),
        ("elasticsearch:9.0.1", 1000, None),
        ("mcr.microsoft.com/mssql/server:2022-latest", 10001, None),
        ("jenkins/jenkins:lts", 1000, 1000),
        ("sonarqube:community", 1000, None),
        ("quay.io/keycloak/keycloak:26.0", 1000, None),
    ],
)
def test_ids(image: str, uid: int, gid: int | None) -> None:
    found = row(image)
    assert found is not None
    assert (found.uid, found.gid) == (uid, gid)


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/nginx",  # a private registry may keep anything under a known name
        "registry.example.com/library/nginx",
        "nginx-exporter",
        "acme/redis:7",
        "mongo:windowsservercore",
        "caddy:2-rootless",
        "hashicorp/vault:1.20-ubi",
        "haproxy:1.8",
        "elasticsearch:7.17.0",
        "mcr.microsoft.com/mssql/server:2017-latest",
        "gitlab/gitlab-runner:alpine",
        "{{ .Values.image }}",
    ],
)
def test_nothing_is_known(image: str) -> None:
    assert row(image) is None


@pytest.mark.parametrize("image", ["redis:${TAG}", "redis:{{ .Values.tag }}", f"redis@{DIGEST}"])
def test_an_unknown_tag_gets_what_all_rows_say(image: str) -> None:
    found = row(image)
    assert found is not None
    assert (found.uid, found.gid, found.writable) == (999, None, ("/data",))


def test_an_unknown_tag_is_not_taken_for_its_neighbour() -> None:
    assert row("gcr.io/distroless/static:${TAG}") is None
    assert row("docker:${TAG}") is None
    postgres = row("postgres:${TAG}")
    assert postgres is not None
    assert (postgres.user, postgres.uid, postgres.writable) == ("root", None, ("/var/run/postgresql", "/tmp"))
    assert not postgres.sure_of("writable")  # each of them writes elsewhere, too


def test_the_volume_of_postgres_moved_with_18() -> None:
    paths = {}
    for tag in ("9.6", "17", "17.5-alpine", "18", "18.1-alpine3.22", "latest", "alpine", "bookworm"):
        found = row(f"postgres:{tag}")
        assert found is not None
        paths[tag] = found.writable[-1]
    old, new = "/var/lib/postgresql/data", "/var/lib/postgresql"
    assert paths == {"9.6": old, "17": old, "17.5-alpine": old} | dict.fromkeys(
        ("18", "18.1-alpine3.22", "latest", "alpine", "bookworm"), new
    )


def test_facts_of_the_kinds_that_rules_ask_for() -> None:
    caddy, argocd, dind = row("caddy:2"), row("quay.io/argoproj/argocd"), row("docker:dind")
    assert caddy is not None and argocd is not None and dind is not None
    assert caddy.file_caps == ("NET_BIND_SERVICE",)
    assert (dind.root, dind.seccomp) == ("required", "sensitive")
    assert argocd.api == "needed"
    assert any(fnmatchcase("argocd-repo-server", glob) for glob in argocd.api_except)
    exporter = row("quay.io/prometheus/node-exporter:v1")
    assert exporter is not None
    assert exporter.class_ == "node-agent"


def test_a_row_is_a_value() -> None:
    found = row("nginx")
    assert found is not None
    assert replace(found, uid=1) != found


def test_the_table_is_both_files() -> None:
    # They are read entry by entry, and the second without the YAML engine; this is each of them read as one document.
    for file, parsed in zip((image_table._BY_HAND, image_table._SURVEYED), _by_file(), strict=True):
        entries = yaml_parse(file.read_text(encoding="utf-8")).documents[0]["images"]
        expected: dict[str, list[ImageRow]] = {}
        for entry in entries:
            for name in [entry["match"]] if isinstance(entry["match"], str) else entry["match"]:
                expected.setdefault(normalize(name), []).append(row_of({**entry, "match": full(entry, name)}))
        assert [found for group in expected.values() for found in group] == parsed


def full(entry: dict[str, Any], name: str) -> str:
    return name if isinstance(entry["match"], str) else normalize(name)


def _by_file() -> list[list[ImageRow]]:
    by_hand = sum(len(image_table._rows_at(False, glob)) for glob in image_table._table(False))
    return [list(rows()[:by_hand]), list(rows()[by_hand:])]


@pytest.mark.parametrize("file", [image_table._BY_HAND, image_table._SURVEYED], ids=lambda file: str(file.name))
def test_every_entry_fits_the_schema(file: Path) -> None:
    for entry in yaml_parse(file.read_text(encoding="utf-8")).documents[0]["images"]:
        assert list(mistakes(entry)) == [], entry
        says_something = not row_of({**entry, "match": "x"}).says_nothing
        assert says_something == ("source" in entry), entry
        assert "read" in entry or "verified" not in entry, entry
        names = [entry["match"]] if isinstance(entry["match"], str) else entry["match"]
        for name in names:
            assert normalize(normalize(name)) == normalize(name)
            if file == image_table._SURVEYED:
                assert normalize(name) == name


def test_every_row_makes_sense() -> None:
    for found in rows():
        text = (found.match, found.tags)
        assert "design notes" not in (found.source or ""), text
        # 0 is the number of root, and nobody's own; a group says nothing without its user.
        assert found.uid != 0 and found.gid != 0, text
        assert found.gid is None or found.uid is not None, text
        if found.user is not None and found.user.isdecimal():
            assert found.uid == int(found.user), text
        # A named user is useless without its number: the kubelet cannot tell whether it is root.
        checked = found.verified is not None and not found.verified.startswith("of version")
        assert found.user in (None, "root") or found.uid or not checked, text


MISTAKES: dict[str, dict[str, Any]] = {
    "match is missing": {"user": "root"},
    "match is the name of an image without its tag": {"match": "nginx:1"},
    "tags is a regular expression": {"match": "a", "tags": "("},
    "user is the name of a user, or a number in quotes": {"match": "a", "user": 1000},
    "user is the name of a user, or a number in quotes, without a group": {"match": "a", "user": "node:node"},
    "uid is a number": {"match": "a", "uid": "1000"},
    "gid is a number": {"match": "a", "gid": True},
    "writable is a list of absolute paths": {"match": "a", "writable": ["/tmp (socket)"]},
    "volumes is a list of absolute paths": {"match": "a", "volumes": ["/data/"]},
    "empty is a list of absolute paths": {"match": "a", "empty": ["/a/../b"]},
    "ports is a list of ports": {"match": "a", "ports": ["53/udp"]},
    "capabilities is a list of capabilities, without CAP_": {"match": "a", "capabilities": ["CAP_CHOWN"]},
    "file-caps is a list of capabilities": {"match": "a", "file-caps": ["NET_BIND"]},
    "rofs is ok or no (in quotes)": {"match": "a", "rofs": False},
    "class is ": {"match": "a", "class": "node agent"},
    "memory is a quantity": {"match": "a", "memory": "jvm, -Xmx200m"},
    "source is a line of text": {"match": "a", "source": ""},
    "read is docs or dockerfile": {"match": "a", "read": "readme"},
    "behaves-as is an image, with or without its tag": {"match": "a", "behaves-as": "a:$TAG"},
    "root-start is required or copes": {"match": "a", "root-start": "needed"},
    "root-start-unless is a list of settings": {"match": "a", "root-start-unless": ["SKIP SETCAP"]},
    "filled is a list of absolute paths": {"match": "a", "filled": ["home"]},
    "gid_ is no key of a row about an image": {"match": "a", "gid_": 1},
}


@pytest.mark.parametrize(("text", "entry"), MISTAKES.items(), ids=MISTAKES)
def test_the_schema_says_what_is_wrong(text: str, entry: dict[str, Any]) -> None:
    found = [f"{key} {what}" if key else what for key, what in mistakes(entry)]
    assert len(found) == 1 and found[0].startswith(text), found


def test_a_version_that_is_not_known_is_never_sure() -> None:
    assert not ImageRow("a", read="dockerfile+entrypoint", version_unknown=True).sure_of("user")


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        ({}, False),
        ({"tags": "alpine"}, False),
        ({"tags": r"^[6-9]\."}, True),
        ({"verified": "2026-11-28, by reading the Dockerfile"}, True),
        ({"tags": r"^[6-9]\.", "version-unknown": True}, False),
    ],
)
def test_a_row_of_the_table_shows_its_version(entry: dict[str, Any], known: bool) -> None:
    assert row_of({"match": "a", "read": "dockerfile", **entry}).sure_of("user") == known
    assert row_of({"match": "a", "read": "dockerfile"}, origin=".harden.yaml").sure_of("user")  # who has it knows


OWN = OwnRows(
    [
        ImageRow("web", behaves_as="nginx:1.27", read="dockerfile"),
        ImageRow("old", behaves_as="nginx:1.27", read="dockerfile", version_unknown=True),
        ImageRow("data", behaves_as="postgres", writable=("/backup",), read="dockerfile"),
        ImageRow("other", behaves_as="nginx:1.27", user="app", uid=7, read="dockerfile"),
        ImageRow("round", behaves_as="round", uid=7),
    ]
)


@pytest.mark.parametrize(
    ("image", "facts", "sure"),
    [
        ("web:2", {"user": "root", "uid": 101, "class_": "web", "root_start": "copes"}, {"user", "uid", "root_start"}),
        ("old:2", {"user": "root", "uid": 101}, set()),
        # Its version is not known, so its data may be in either place; what it writes besides is its own.
        ("data:2", {"uid": None, "writable": ("/backup", "/var/run/postgresql", "/tmp")}, {"user"}),
        ("other:2", {"user": "app", "uid": 7, "gid": None, "writable": ("/var/cache/nginx", "/run", "/tmp")}, {"uid"}),
        ("round", {"uid": 7}, set()),
    ],
)
def test_a_row_inherits_from_what_it_behaves_as(image: str, facts: dict[str, Any], sure: set[str]) -> None:
    reference = parse(image)
    assert reference is not None
    found = lookup(reference, OWN)
    assert found is not None
    assert {name: getattr(found, name) for name in facts} == facts
    assert {name for name in ("user", "uid", "root_start", "writable") if found.sure_of(name)} >= sure
    assert not found.sure_of("writable") or image in ("web:2", "other:2")
    assert (found.api, found.writes_complete) == (None, False)  # which are its own


def test_images_that_are_known_by_their_base() -> None:
    mysql = row("registry.istio.io/release/examples-bookinfo-mysqldb:1.20.3")
    assert mysql is not None and (mysql.user, mysql.uid, mysql.class_) == ("root", 999, "data-store")
    assert "/var/run/mysqld" in mysql.writable and not mysql.sure_of("uid")
    postgres = row("us-central1-docker.pkg.dev/bank-of-anthos-ci/bank-of-anthos/accounts-db:v0.6.10")
    assert postgres is not None and postgres.uid == 70
    assert postgres.writable == ("/var/run/postgresql", "/tmp", "/var/lib/postgresql/data")


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("confluentinc/cp-kafka:5.5.2", "root"),
        ("confluentinc/cp-kafka:7.6.0", "1000"),
        ("grafana/tempo:2.3.0", "root"),
        ("grafana/tempo:2.5.0", "10001"),
        ("n8nio/n8n:0.200.0", "root"),
        ("n8nio/n8n:1.50.0", "node"),
    ],
)
def test_a_row_holds_for_its_versions(image: str, user: str) -> None:
    found = row(image)
    assert found is not None and found.user == user


SURE = {
    None: set(),
    "docs": set(),
    "dockerfile": {"user", "uid", "gid", "ports", "volumes"},
    "dockerfile+entrypoint": {
        "user", "uid", "gid", "ports", "volumes", "writable", "rofs", "capabilities", "file_caps", "setuid", "root",
    },
}  # fmt: skip


@pytest.mark.parametrize(("read", "facts"), SURE.items())
def test_what_was_read_shows(read: str | None, facts: set[str]) -> None:
    found = ImageRow("a", read=read)
    assert {fact for fact in SURE["dockerfile+entrypoint"] if found.sure_of(fact)} == facts


def test_only_facts_are_sure() -> None:
    with pytest.raises(ValueError, match="verify is no fact of an image"):
        ImageRow("a").sure_of("verify")


def test_a_verified_row_wins_and_is_completed() -> None:
    found = row("nginx:1.27")
    assert found is not None and found.verified is not None
    assert (found.writable, found.class_) == (("/var/cache/nginx", "/run", "/tmp"), "web")
    assert found.sure_of("writable")


def test_a_row_without_facts_keeps_the_survey_out() -> None:
    assert row("caddy:2-rootless") is None


READ_BOTH = "dockerfile+entrypoint"
BY_HAND = ImageRow("a", user="root", writable=("/a",), read="dockerfile", verified="2026-11-28, by reading it")
GUESS = ImageRow("a", user="root")
# What a row by hand and one of the survey say together: their facts, and those of them that are sure.
JOINED: dict[str, tuple[ImageRow, ImageRow, dict[str, Any], set[str]]] = {
    "what is not known by hand comes from the survey": (
        BY_HAND, ImageRow("a", ports=(80,), rofs="ok", read=READ_BOTH),
        {"user": "root", "writable": ("/a",), "ports": (80,), "rofs": "ok"}, {"user", "writable", "ports", "rofs"},
    ),
    "what was read by hand wins": (
        BY_HAND, ImageRow("a", user="app", uid=7, read=READ_BOTH),
        {"user": "root", "writable": ("/a",)}, {"user"},
    ),
    "a number goes with its user, a group with its number": (
        ImageRow("a", uid=8, read="dockerfile"), ImageRow("a", user="app", uid=7, gid=7, read="dockerfile"),
        {"user": "app", "uid": 8}, {"user", "uid"},
    ),
    "what the survey read, too, is as sure as there": (
        BY_HAND, ImageRow("a", writable=("/a",), read=READ_BOTH),
        {"user": "root", "writable": ("/a",)}, {"user", "writable"},
    ),
    "all that is known to be written, and more, is as sure": (
        ImageRow("a", writable=("/a", "/b"), read="dockerfile", verified="2026-11-28, by reading it"),
        ImageRow("a", writable=("/a",), volumes=("/b",), read=READ_BOTH),
        {"writable": ("/a", "/b"), "volumes": ("/b",)}, {"writable", "volumes"},
    ),
    "less than is known to be written is not": (
        ImageRow("a", writable=("/a",), read="dockerfile", verified="2026-11-28, by reading it"),
        ImageRow("a", writable=("/a", "/b"), read=READ_BOTH), {"writable": ("/a",)}, set(),
    ),
    "what is written in spite of its files is no place that a volume hides": (
        BY_HAND, ImageRow("a", filled=("/a", "/b"), read=READ_BOTH),
        {"user": "root", "writable": ("/a",), "filled": ("/b",)}, {"user"},
    ),
    "documentation does not become a Dockerfile": (
        BY_HAND, ImageRow("a", ports=(80,), read="docs"),
        {"user": "root", "writable": ("/a",), "ports": (80,)}, {"user"},
    ),
    "what nobody read gives way": (GUESS, ImageRow("a", user="app", read="dockerfile"), {"user": "app"}, {"user"}),
    "two guesses have to agree": (GUESS, ImageRow("a", user="app", uid=7, read="docs"), {}, set()),
}  # fmt: skip


@pytest.mark.parametrize(("by_hand", "surveyed", "facts", "sure"), JOINED.values(), ids=JOINED)
def test_rows_are_joined(by_hand: ImageRow, surveyed: ImageRow, facts: dict[str, Any], sure: set[str]) -> None:
    found = image_table._over(by_hand, surveyed)
    known = {name: value for name in image_table._FACTS if (value := getattr(found, name)) != image_table._FACTS[name]}
    assert known == facts
    assert {name for name in known if found.sure_of(name)} == sure


def test_rows_of_the_user_win() -> None:
    reference = parse("nginx:1.27")
    assert reference is not None
    own = OwnRows(
        [
            ImageRow("*", uid=4000),
            ImageRow("nginx", uid=5000, tags="^1"),
            ImageRow("nginx", uid=6000, tags="^2"),
            ImageRow("registry.example.com/*", uid=7000),
        ]
    )
    found = lookup(reference, own)
    assert found is not None
    assert (found.uid, found.user, found.sure_of("uid")) == (5000, "root", False)
    private = parse("registry.example.com/shop/web:1")
    assert private is not None
    found = lookup(private, own)
    assert found is not None and found.uid == 7000
