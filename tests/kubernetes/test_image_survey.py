"""The maker of the table of surveyed images: what becomes a value, what a comment, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hardener.kubernetes.images import table as image_table
from tests.conftest import shared
from tests.image_survey import Row, Survey, mapped, root_class, written

BASE = {"image": "r.example/a", "source": ["a Dockerfile", "a entrypoint.sh"], "read": "dockerfile", "kind": "app"}


def survey(*entries: dict[str, Any]) -> Survey:
    return mapped([BASE | entry for entry in entries])


def facts(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.facts.items() if key not in ("source", "read")}


# What a row of the survey says, the facts that come out, and the comments beside them.
VALUES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "no USER is root": ({"user": ""}, {"user": "root"}, []),
    "0 is root, and nobody's own number": ({"user": "0:0", "uid": 0, "gid": 0}, {"user": "root"}, []),
    "the name of a group is left out": ({"user": "app:app", "uid": 7}, {"user": "app", "uid": 7}, []),
    "the number of a group is kept": ({"user": "7:8"}, {"user": "7", "uid": 7, "gid": 8}, []),
    "a group without a user says nothing": ({"gid": 8}, {}, []),
    "any number": ({"runs_as_any_uid": True}, {"any-user": True}, []),
    "paths": (
        {"writable": ["/tmp", "/data/"], "volumes": ["/v"]}, {"writable": ["/tmp", "/data"], "volumes": ["/v"]}, [],
    ),
    "a remark in brackets": ({"writable": ["/tmp (socket)"]}, {"writable": ["/tmp"]}, ["writable: /tmp (socket)"]),
    "a condition": ({"writable": ["/git (or --root)"]}, {}, ["writable: /git (or --root)"]),
    "a condition without brackets": ({"writable": ["/b when set"]}, {}, ["writable: /b when set"]),
    "no path": ({"writable": ["the cache"]}, {}, ["writable: the cache"]),
    "ports": ({"ports": [443, 80, "53/udp"]}, {"ports": [80, 443]}, ["ports: 53/udp"]),
    "capabilities": ({"capabilities": ["CHOWN"]}, {"capabilities": ["CHOWN"]}, []),
    "file capabilities": (
        {"capabilities": ["NET_RAW (file capability on ping)"]},
        {"file-caps": ["NET_RAW"]}, ["capabilities: NET_RAW (file capability on ping)"],
    ),
    "file capabilities, by the note": (
        {"capabilities": ["NET_RAW"], "note": "file capability cap_net_raw+ep"},
        {"file-caps": ["NET_RAW"]}, ["file capability cap_net_raw+ep"],
    ),
    "a capability in one case only": (
        {"capabilities": ["NET_RAW when non-root"]}, {}, ["capabilities: NET_RAW when non-root"],
    ),
    "a read-only root with a setting": (
        {"rofs": "ok only with SKIP_SETCAP"},
        {"rofs": "no", "rofs-ok-with": ["SKIP_SETCAP=?*"]}, ["rofs: only with SKIP_SETCAP"],
    ),
    "a read-only root without a setting": (
        {"rofs": "ok without settings"}, {}, ["rofs: without settings"],
    ),
    "a read-only root": ({"rofs": "no (rewrites /etc)"}, {"rofs": "no"}, ["rofs: rewrites /etc"]),
    "root": ({"needs_root": "mounts on the host"}, {"root": "required"}, ["root: mounts on the host"]),
    "root to start": (
        {"needs_root": "fails without root"}, {"root-start": "required"}, ["root: fails without root"],
    ),
    "a start that was read": (
        {"root_start": "required", "root_start_unless": ["A=*", "SKIP_SETCAP=*"]},
        {"root-start": "required", "root-start-unless": ["A=*", "SKIP_SETCAP=?*"]}, [],
    ),
    "a start that copes": (
        {"root_start": "copes", "copes_unless": ["PUID=*"]},
        {"root-start": "copes", "root-start-required-with": ["PUID=*"]}, [],
    ),
    "a start of work on the node": (
        {"needs_root": "mounts on the host", "root_start": "required"},
        {"root": "required"}, ["root: mounts on the host"],
    ),
    "what it writes and holds": (
        {"writes_complete": True, "filled": ["/opt/a"]}, {"writes-complete": True, "filled": ["/opt/a"]}, [],
    ),
    "a base": (
        {"behaves_as": "docker.io/library/php", "behaves_as_tag": "apache"},
        {"behaves-as": "docker.io/library/php:apache"}, [],
    ),
    "a base whose version decides": (
        {"behaves_as": "docker.io/library/postgres", "behaves_as_tag": "alpine"},
        {"behaves-as": "docker.io/library/postgres"}, [],
    ),
    "a base with its version": (
        {"behaves_as": "docker.io/library/postgres", "behaves_as_tag": "alpine", "note": "FROM postgres:16-alpine"},
        {"behaves-as": "docker.io/library/postgres:16-alpine"}, ["FROM postgres:16-alpine"],
    ),
    "what maintainers set": ({"shipped_uid": 7, "shipped_gid": 0}, {"shipped-uid": 7}, []),
    "a day of a source of which the entrypoint was read": (
        {"note": "snapshot 2026-03-02.", "read": "dockerfile+entrypoint"},
        {"verified": "2026-03-02, the newest snapshot of its source"}, ["snapshot 2026-03-02."],
    ),
    "a day alone": ({"note": "snapshot 2026-03-02."}, {}, ["snapshot 2026-03-02."]),
    "root, but it copes": ({"needs_root": "no: chowns"}, {}, ["root: no: chowns"]),
    "memory": ({"memory": "2Gi baseline"}, {"memory": "2Gi"}, ["memory: 2Gi baseline"]),
    "a heap is not the memory": ({"memory": "512M heap by default"}, {}, ["memory: 512M heap by default"]),
    "a runtime": ({"memory": "jvm"}, {"runtime": "jvm"}, []),
    "the kind": ({"kind": "node-agent", "api": "yes"}, {"class": "node-agent", "api": "needed"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "expected", "comments"), VALUES.values(), ids=VALUES)
def test_what_becomes_a_value(entry: dict[str, Any], expected: dict[str, Any], comments: list[str]) -> None:
    (row,) = survey(entry).rows
    assert facts(row) == expected
    assert row.comments == comments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("starts as root to chown its data and step down; copes with a non-root start (id -u check)", "copes"),
        ("no: php-fpm starts non-root too", "copes"),
        ("root start chowns /app and drops with gosu; non-root start goes on directly", "copes"),
        ("entrypoint drops with gosu to UID:GID; no branch for a non-root start", "required to start"),
        ("edits iptables rules of the pod (NET_ADMIN)", "required"),
        ("installs CNI binaries and kubeconfig into host directories", "required"),
        ("Docker daemon in a container: privileged, loads modules, iptables", "required"),
        ("node plugin formats and mounts disks; controller reads /etc/kubernetes/azure.json of the host", "sometimes"),
        ("only the topology-updater (chart sets runAsUser 0); master, worker and gc run non-root", "sometimes"),
        ("s6-overlay init as root (ENTRYPOINT /init)", "not said"),
        ("publisher chart runs it as uid 0", "not said"),
    ],
)
def test_what_a_text_says_about_root(text: str, expected: str) -> None:
    assert root_class(text) == expected


def test_two_rows_of_a_name_are_one() -> None:
    found = survey({"user": "app", "uid": 7, "ports": [80]}, {"user": "app", "uid": 8, "rofs": "ok", "read": "docs"})
    (row,) = found.rows
    assert facts(row) == {"user": "app", "ports": [80], "rofs": "ok"}
    assert row.facts["read"] == "docs"
    assert found.counts["two rows disagree: uid"] == 1


def test_two_who_read_saw_what_each_of_them_saw() -> None:
    one = {"user": "7", "uid": 7, "writable": ["/a"], "writes_complete": True}
    (row,) = survey(one, {"user": "app", "uid": 7, "writable": ["/b"], "filled": ["/c"]}).rows
    assert facts(row) == {"user": "app", "uid": 7, "writable": ["/a", "/b"], "filled": ["/c"]}
    (row,) = survey(one, {"writable": ["/tmp", "/a"]}).rows
    assert facts(row) == {"user": "7", "uid": 7, "writable": ["/a", "/tmp"], "writes-complete": True}


def test_a_row_for_all_tags_is_for_those_that_no_other_names() -> None:
    tags = {row.tags: facts(row) for row in survey({"uid": 7}, {"uid": 8, "tags": "alpine"}).rows}
    assert tags == {"^(?!.*alpine)": {"uid": 7}, "alpine": {"uid": 8}}


def test_tags_that_no_row_speaks_of_know_nothing() -> None:
    tags = {row.tags: facts(row) for row in survey({"uid": 7, "tags": "^1"}, {"uid": 8, "tags": "-dev$"}).rows}
    assert tags == {"^1": {"uid": 7}, "-dev$": {"uid": 8}, "^(?!.*(^1|-dev$))": {}}


# Fields that were read for rows that are there, and the rows that come out, by their tags.
NOT_0 = r"^(?!0\.)"
FIELDS: dict[str, tuple[list[dict[str, Any]], dict[str | None, dict[str, Any]]]] = {
    "for all tags": ([{"filled": ["/a"]}], {None: {"user": "app", "uid": 7, "filled": ["/a"]}}),
    "for some tags, beside what the row says": (
        [{"tags": "ubi", "filled": ["/a"]}],
        {"ubi": {"user": "app", "uid": 7, "filled": ["/a"]}, "^(?!.*ubi)": {"user": "app", "uid": 7}},
    ),
    "for some tags, with a user of their own": (
        [{"tags": r"^0\.", "user": "root"}],
        {r"^0\.": {"user": "root"}, r"^(?!.*^0\.)": {"user": "app", "uid": 7, "version-unknown": True}},
    ),
    "for both halves of the tags": (
        [{"tags": NOT_0, "checked": "its Dockerfile"}, {"tags": r"^0\.", "user": "root"}],
        {r"^0\.": {"user": "root"}, NOT_0: {"user": "app", "uid": 7, "verified": "read again: its Dockerfile"}},
    ),
    "two that disagree": ([{"uid": 8}], {None: {"user": "app"}}),
    "what was read again wins": (
        [{"uid": 8, "checked": "its Dockerfile"}],
        {None: {"user": "app", "uid": 8, "verified": "read again: its Dockerfile"}},
    ),
    "data is written to": ([{"data": ["/d"]}], {None: {"user": "app", "uid": 7, "writable": ["/d"]}}),
    "what is written with a setting alone": (
        [{"writable": ["/d"], "writes_only_with": ["A=*"]}], {None: {"user": "app", "uid": 7}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), FIELDS.values(), ids=FIELDS)
def test_fields_are_added_to_rows(fields: list[dict[str, Any]], expected: dict[str | None, dict[str, Any]]) -> None:
    added = [{"match": ["r.example/a"], "why": "it was read", **each} for each in fields]
    found = mapped([BASE | {"user": "app", "uid": 7}, *added])
    assert {row.tags: facts(row) for row in found.rows} == expected


def test_a_number_of_a_family_is_no_number_of_one_of_it() -> None:
    found = mapped([{"match": ["r.example/*"], "why": "most of them", "shipped_uid": 911, "filled": ["/a"]}])
    assert [facts(row) for row in found.rows] == [{"filled": ["/a"]}]


@pytest.mark.parametrize(
    ("image", "source", "verified"),
    [
        ("python", "docker-library/python 3.13/slim-trixie/Dockerfile", "of version 3.13"),
        ("ubuntu", "docker-library/repo-info repos/ubuntu/remote/24.04.md", "of version 24.04"),
        ("busybox", "docker-library/busybox latest/glibc/amd64/image-config.json", "of version latest"),
        ("consul", "hashicorp/docker-consul 0.X/docker-entrypoint.sh", None),
        ("acme/python", "acme/python 3.13/slim-trixie/Dockerfile", None),  # a fork may be as old as it likes
    ],
)
def test_the_source_of_an_official_image_shows_its_version(image: str, source: str, verified: str | None) -> None:
    (row,) = survey({"image": image, "source": [source]}).rows
    assert row.facts.get("verified") == verified


@pytest.mark.parametrize(("one", "other"), [("alpine", "^(?!.*alpine)"), ("^(a|b)", "^(?!a|b)")])
def test_tags_of_which_one_leaves_out_the_other_are_all(one: str, other: str) -> None:
    assert len(survey({"uid": 7, "tags": one}, {"uid": 8, "tags": other}).rows) == 2


def test_rows_that_are_alike_stand_once_and_the_text_is_yaml() -> None:
    found = survey(
        {"image": ["nginx", "quay.io/b"], "uid": 7}, {"image": "ko://a/b"}, {"image": "c", "tags": r"^3\.[1-9]"}
    )
    text = written(found.rows)
    assert text == written(reversed(found.rows))
    entries = yaml.safe_load(text)["images"]
    assert [(entry["match"], entry.get("tags")) for entry in entries] == [
        (["docker.io/library/c"], r"^(?!.*^3\.[1-9])"),
        (["docker.io/library/c"], r"^3\.[1-9]"),
        (["docker.io/library/nginx", "quay.io/b"], None),
    ]
    assert found.counts["name: no reference of an image (ko://)"] == 1


def test_a_value_that_the_table_does_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match="a quote stands in it"):
        written(survey({"source": ['a "quoted" place']}).rows)


@pytest.mark.slow
def test_the_table_is_what_the_survey_makes() -> None:
    files = (shared("images") / name for name in ("controllers.yaml", "official.yaml", "more.yaml", "fields.yaml"))
    entries = [entry for file in files for entry in yaml.safe_load(file.read_text("utf-8"))]
    assert written(mapped(entries).rows) == image_table._SURVEYED.read_text(encoding="utf-8")
