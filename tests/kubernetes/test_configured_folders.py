"""Folders that a file of settings names to write to."""

from __future__ import annotations

import pytest

from hardener.kubernetes.pods.configured_folders import written_folders

TEXTS: dict[str, tuple[str, list[str]]] = {
    "a plain key below one that says so": (
        "storage:\n  trace:\n    local:\n      path: /var/tempo/blocks\n    wal:\n      path: /var/tempo/wal\n",
        ["/var/tempo/blocks", "/var/tempo/wal"],
    ),
    "in a mapping of one line": ("wal: {path: /var/tempo/wal, sync: true}\n", ["/var/tempo/wal"]),
    "the key itself": ("data_dir: /var/lib/vector\n", ["/var/lib/vector"]),
    "another spelling": ("dataDir: /srv/d\nlog-dir: /srv/l\n", ["/srv/d", "/srv/l"]),
    "in a list": ("stores:\n- cache_dir: /srv/cache\n", ["/srv/cache"]),
    "JSON": ('{"server": {"storage": {"path": "/srv/s"}}}', ["/srv/s"]),
    "INI": ("[paths]\ndata = /srv/grafana\nplugins = /srv/plugins\n", ["/srv/grafana"]),
    "properties": ("log.dirs=/srv/kafka\nssl.key.location=/srv/key.pem\n", ["/srv/kafka"]),
    "a key and a path": (
        "persistence_location /mosquitto/data/\npid /srv/run/x.pid;\n",
        ["/mosquitto/data", "/srv/run"],
    ),
    "of a file its folder": (
        "access_log /srv/logs/access.log main;\nlog_file: /srv/l/a.log\n",
        ["/srv/logs", "/srv/l"],
    ),
    "below another key": ("storage:\n  class: x\nserver:\n  path: /metrics\n", []),
    "what is read": ("template_dir: /srv/t\ncert: /srv/c.pem\nstorage:\n  tls:\n    ca: /srv/ca.pem\n", []),
    "a path of settings": ("storage:\n  path: /etc/tempo\n", []),
    "a comment": ("# data_dir: /srv/d\n", []),
    "an expression": ("data_dir: ${DIR}/x\n", []),
    "a text": ("message: the data is at /srv/d\n", []),
    "a URL": ("storage: {path: http://x/y}\n", []),
    "no path": ("data_dir: data\n", []),
}


@pytest.mark.parametrize("text,folders", TEXTS.values(), ids=TEXTS)
def test_folders_that_settings_name(text: str, folders: list[str]) -> None:
    assert list(written_folders(text)) == folders


@pytest.mark.parametrize("text", ["a: " * 100_000, "[" * 100_000 + "/", "- " * 100_000 + "/x", "a:\n " * 50_000 + "/x"])
def test_odd_texts_cost_little(text: str) -> None:
    assert written_folders(text) == ()
