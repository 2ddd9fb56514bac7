"""Exports that are cut off, deep, large or of another cluster: one line each, and nothing of the others is lost."""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.errors import InputError
from hardener.exports import collector, kept_file
from hardener.exports.model import Recorded
from hardener.tree.tree import Tree
from tests.conftest import ROOT, Harden, write
from tests.test_import import CALICO, DEPLOYMENT, HUBBLE, POD, TOOLS, everywhere, read, written

_JSON = [tool for tool in TOOLS if not isinstance(TOOLS[tool][0], str)]
_DEEP = '{"a": ' + "[" * 30_000 + "]" * 30_000 + "}"
_MOST_MEMORY = 200 << 20
ALL = os.environ.get("HARDEN_CASES") == "all"


def lines(content: Any) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in (content if isinstance(content, list) else [content]))


def facts(found: Recorded) -> tuple[Any, ...]:
    return found.containers, found.peers, found.images, found.accounts, found.cluster, found.workloads


@pytest.mark.parametrize("tool", _JSON)
def test_what_is_cut_off_or_deep_loses_nothing_of_the_rest(tool: str, tmp_path: Path) -> None:
    good = lines(TOOLS[tool][0])
    last = good.rstrip("\n").rpartition("\n")[2]
    path = tmp_path / "export"
    path.write_text(good)
    whole, _ = read(path)
    path.write_text(good + last[: len(last) // 2] + "\n" + _DEEP + "\n")
    found, (outcome,) = read(path)
    assert facts(found) == facts(whole)
    assert outcome.problem is None and outcome.broken + outcome.other >= 2
    path.write_text(last[: len(last) // 2])
    _, (outcome,) = read(path)
    assert outcome.problem is not None and "\n" not in outcome.problem and not outcome.told


ONE_LINE = {
    "a bomb of aliases": "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghi")),
    "deep YAML": "a: " + "[" * 5_000,
    "a key that is a mapping": "? {a: 1}\n: 2\n",
    "a tag that runs something": "!!python/object/apply:os.system [id]\n",
    "a table of another tool": "Namespace,Name,Container\nshop,web,web\n",
    "advice without a profile": "// web\nnothing\n",
    "advice with a broken profile": "// web\n{\n  \"syscalls\": [\n}\n",
    "a log of lines": '{"level": "info", "message": "started"}\n' * 3,
    "an audit log of nothing": '{"kind": "Event", "apiVersion": "audit.k8s.io/v1"}\n',
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_LINE)
def test_what_is_wrong_is_one_line_and_the_other_files_are_read(case: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"bad": ONE_LINE[case], "web.yaml": json.dumps(DEPLOYMENT)})
    done = harden("import", "bad", str(written(tmp_path, [POD, DEPLOYMENT])))
    assert done.status == 1
    (said,) = (line for line in done.out.splitlines() if line.startswith("bad: "))
    assert "Traceback" not in done.out and said
    assert "export.lines: 2 read" in done.out and "of 1 source" in done.out


def test_what_another_cluster_runs_is_counted_and_named(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": json.dumps(DEPLOYMENT)})
    other = json.dumps([POD, DEPLOYMENT, *HUBBLE]).replace('"shop"', '"elsewhere"')
    done = harden("import", str(written(tmp_path, json.loads(other))))
    assert (
        "2 workloads fit no object of this tree, or several: Deployment/elsewhere/web, StatefulSet/elsewhere/api"
        in done.out
    )


WHOLE = """\
version: 1
sources:
  a1: {tool: kubectl, file: pods.json, to: "2026-11-30"}
  a2: {tool: audit log, file: audit.log, from: "2026-11-01", to: "2026-11-30", events: 2, reads: 1}
cluster:
- {kind: Node, name: v1.30.1 containerd, said: {os: Debian}, by: a1}
- {kind: Namespace, name: shop, said: {enforce: baseline}, by: a1}
images:
  nginx:1.27:
  - config: {user: "101", ports: [80/tcp], volumes: [/data], folder: /srv, by: a1}
  - holds: {runtimes: [java 21], servers: [redis 7], by: a1}
containers:
  Deployment/shop/web/web:
  - image: {name: "nginx:1.27", digest: "sha256:%s", by: a1}
  - ran: {uid: 101, gid: 101, byImage: true, by: a1}
  - wrote: {folders: [/var/x], files: [/etc/x], by: a1}
  - capabilities: {used: [CHOWN], by: a1}
  - used: {cpu: 35m, cpuMost: "1", memory: 50Mi, memoryMost: 120Mi, oomKilled: 1, restarts: 1, throttled: 5m, by: a1}
  - calls: {refused: [bpf], by: a1}
  - programs: {setuid: [/bin/su], by: a1}
workloads:
  Deployment/shop/web: {release: eu, labels: {app: web}, by: a1}
injected:
  Deployment/shop/web: [istio-proxy]
peers:
- {from: Deployment/shop/web, to: Deployment/shop/api, port: 80, by: a1}
- {from: outside, to: Deployment/shop/web, port: 80, protocol: UDP, by: a1}
- {from: Deployment/shop/web, to: Service/shop/api, port: 80, by: a1}
accounts:
  shop/web:
  - by: a2
    events: 2
    did:
    - {verbs: [get], resource: configmaps, namespace: shop, names: [x]}
""" % ("a" * 64)
_TYPED: tuple[Any, ...] = (
    None,
    -1,
    1 << 70,
    "",
    "x",
    "/",
    "a/b/c",
    "../..",
    [],
    {},
    [None],
    True,
    1.5,
    "2026-02-31",
    "\x1b[31m",
)


def test_whatever_stands_in_the_kept_file_is_read_or_refused(tmp_path: Path) -> None:
    """Who writes it by hand gets one line, or a run."""
    whole = yaml.safe_load(WHOLE)
    write(
        tmp_path,
        {"web.yaml": json.dumps(DEPLOYMENT).replace('"name": "web"}]', '"name": "web", "image": "nginx:1.27"}]')},
    )
    rng, refused, read = random.Random(38), 0, 0
    places = len(list(everywhere(whole)))
    for place in range(places) if ALL else rng.sample(range(places), 40):
        changed = copy.deepcopy(whole)
        holder, key = list(everywhere(changed))[place]
        holder[key] = rng.choice(_TYPED)
        (tmp_path / kept_file.NAME).write_text(yaml.safe_dump(changed))
        try:
            found = kept_file.load(str(tmp_path))
        except InputError as error:
            assert "\n" not in str(error) and kept_file.NAME in str(error)
            refused += 1
            continue
        tree = Tree.read([str(tmp_path)], root=str(tmp_path))
        tree.recorded = found
        assert pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.BREAKING)).changes
        read += 1
    assert refused > 5 and read > 5


_READ = """
import json, sys
from hardener.exports import kept_file, reading
from hardener.exports.collector import Collector
into = Collector("2026-12-01")
outcome = reading.read_file(sys.argv[1], into)
found = into.result()
# Not ru_maxrss, in which Linux counts the process that starts a program.
most = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
print(json.dumps([outcome.told, outcome.broken, outcome.other, outcome.problem, len(found.peers), most << 10,
                  len(kept_file.written(found))]))
"""


def measured(path: Path) -> list[Any]:
    """What a process of its own reads in the file, and the most memory that it takes."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def flows(path: Path, count: int) -> None:
    """Flows of 500 workloads, three pods of each, which talk to 10 others each."""

    def side(number: int, pod: int) -> dict[str, Any]:
        name = f"svc{number}"
        return {
            "namespace": f"ns{number % 20}", "pod_name": f"{name}-6d4cf56db6-{'bcd'[pod] * 5}", "labels": ["x"] * 8,
            "workloads": [{"kind": "Deployment", "name": name}],
        }  # fmt: skip

    made = []
    for number in range(5000):
        client = number % 500
        flow = HUBBLE[0]["flow"] | {
            "source": side(client, number % 3), "destination": side((client * 7 + number // 500) % 500, number % 3),
        }  # fmt: skip
        made.append(json.dumps({"flow": flow}) + "\n")
    with path.open("w") as out:
        for _ in range(count // len(made)):
            out.writelines(made)


def _flow(client: str, port: int) -> dict[str, Any]:
    flow = json.loads(json.dumps(HUBBLE[0]).replace('"web', f'"{client}'))
    flow["flow"]["l4"]["TCP"]["destination_port"] = port
    return flow  # type: ignore[no-any-return]


def test_who_talks_on_many_ports_is_taken_to_talk_on_all(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path, [_flow("web", 30000 + number) for number in range(30)]))
    assert [(peer.source, peer.port) for peer in found.peers] == [("Deployment/shop/web", 0)]


def test_more_connections_than_are_kept_are_counted_and_said(
    harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pair that is kept is never narrowed: what is more of it stands for all ports."""
    monkeypatch.setattr(collector, "_MOST_CONNECTIONS", 5)
    flows = [_flow(f"c{number}", 80) for number in range(8)] + [_flow("c1", 81)]
    done = harden("import", str(written(tmp_path, flows)))
    assert "3 flows are of more connections than are kept" in done.out and "5 connections" in done.out
    text = (tmp_path / "harden.evidence.yaml").read_text()
    assert "from: Deployment/shop/c1, to: StatefulSet/shop/api, by: a1" in text and "shop/c7" not in text


def test_a_ping_opens_no_port(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path, {**CALICO, "proto": "icmp", "dest_port": 0}))
    assert found.peers == ()


def test_many_flows_take_no_more_memory_than_few(tmp_path: Path) -> None:
    """A million of them where all cases are asked for: docs/import.md tells the time."""
    count = 1_000_000 if ALL else 20_000
    flows(tmp_path / "flows.jsonl", count)
    told, broken, _, problem, peers, memory, size = measured(tmp_path / "flows.jsonl")
    assert (told, broken, problem) == (count, 0, None) and 4_000 < peers <= 5_000
    assert memory <= _MOST_MEMORY and size <= 500_000


@pytest.mark.skipif(not ALL, reason="HARDEN_CASES=all reads files of 100 MB")
@pytest.mark.parametrize("content", ["zeros", "one text", "one line of brackets"])
def test_a_hundred_megabytes_of_nothing_are_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    with path.open("wb") as out:
        if content == "zeros":
            out.truncate(100 << 20)
        else:
            out.write(b'{"a": "' if content == "one text" else b'{"a": ')
            for _ in range(100):
                out.write((b"x" if content == "one text" else b"[") * (1 << 20))
    told, _, _, problem, _, memory, _ = measured(path)
    assert told == 0 and problem is not None and memory <= _MOST_MEMORY
