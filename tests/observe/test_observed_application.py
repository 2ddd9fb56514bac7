"""``harden observe`` over an application whose addresses no manifest names: its connections are found, and the policies
of ``harden apply`` let these through, and no other.

No engine knows NetworkPolicies. Their stand-in are rules of iptables in the network namespace of each container: what
``_pairs`` reads from the policies comes in, and nothing else does.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..pods import Manifests, Running, running
from . import application
from .ground import ALL, Ground

Map = dict[str, Any]
_PREFIX = "10.77.19."
_ADDRESSES = {name: f"{_PREFIX}{10 + number}" for number, name in enumerate(application.PORTS)}

pytestmark = pytest.mark.skipif(not ALL, reason="runs an application many times: HARDEN_OBSERVE=all")


class Shop:
    """The application as ``harden observe`` saw it, and its manifests as ``harden apply`` left them."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.podman = ground.podman
        ground.tree(folder, application.MANIFESTS, application.NAMES)
        self.seen = ground.observe(folder)
        done = ground.harden("apply", ".", "--yes", cwd=folder)
        assert done.status == 0, done.all
        self.manifests = Manifests.of(folder)


@pytest.fixture(scope="module")
def observed(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(ground, tmp_path_factory.mktemp("application") / "tree")


def test_its_connections_are_found(observed: Shop) -> None:
    for name, wanted in application.KNOWN.items():
        assert observed.seen[name]["state"] == "held", observed.seen[name]
        (container,) = observed.seen[name]["containers"]
        found = {key: tuple(sorted(container[key])) for key in ("wrote", "listens", "connects")}
        assert found == {"wrote": wanted.wrote, "listens": wanted.listens, "connects": wanted.connects}, name
        assert container["user"] == wanted.user


def test_the_policies_let_them_through_and_nothing_else(observed: Shop) -> None:
    assert _pairs(observed.manifests.documents) == application.PAIRS | application.OPEN


def test_it_is_ready_where_all_else_is_shut(observed: Shop, tmp_path: Path) -> None:
    with _running(observed, tmp_path) as containers:
        pairs = _pairs(observed.manifests.documents)
        for name, container in containers.items():
            _shut(container, {caller for caller, called in pairs if called == name}, name)
        _ready(containers["api"])
        assert _reaches(containers["web"], "api")
        assert not _reaches(containers["cache"], "database"), "nobody calls it from there"


def test_it_is_not_ready_where_one_of_them_is_shut_too(observed: Shop, tmp_path: Path) -> None:
    """The stand-in shuts what it shall shut."""
    with _running(observed, tmp_path) as containers:
        _ready(containers["api"])
        _shut(containers["database"], set(), "database")
        with pytest.raises(AssertionError, match="503"):
            _ready(containers["api"], seconds=4)


def _pairs(documents: list[Map]) -> set[tuple[str, str]]:
    """Who may call whom at its port: by the egress of the one and the ingress of the other.

    It knows what these policies say: labels of pods of the own namespace, and ports with numbers.
    """
    policies = [one["spec"] for one in documents if one["kind"] == "NetworkPolicy"]
    pods = {one["metadata"]["name"]: one for one in documents if "template" in one.get("spec", {})}

    def matches(selector: Map, name: str) -> bool:
        assert selector.keys() <= {"matchLabels"}, selector
        labels = pods[name]["spec"]["template"]["metadata"]["labels"]
        return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())

    def allows(own: str, other: str, direction: str, peers: str, port: int) -> bool:
        about = [spec for spec in policies if matches(spec["podSelector"], own) and direction in spec["policyTypes"]]
        assert about, f"no policy isolates {own} ({direction})"
        rules = [rule for spec in about for rule in spec.get(direction.lower(), [])]
        return any(
            any(one.get("port", port) == port and one.get("protocol", "TCP") == "TCP" for one in rule["ports"])
            if "ports" in rule else True
            for rule in rules
            if peers not in rule
            or any("namespaceSelector" not in peer and matches(peer["podSelector"], other)
                   for peer in rule[peers] if "podSelector" in peer)
        )  # fmt: skip

    return {
        (caller, called)
        for caller in pods
        for called, port in application.PORTS.items()
        if caller != called
        and allows(caller, called, "Egress", "to", port)
        and allows(called, caller, "Ingress", "from", port)
    }


@contextmanager
def _running(shop: Shop, folder: Path) -> Iterator[dict[str, Running]]:
    """The hardened pods on a network, with the names of their Services; those that are called first."""
    for program in ("iptables", "nsenter", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install iptables util-linux")
    name = f"harden-test-{folder.name[-20:]}"
    shop.podman("network", "create", "--internal", "--disable-dns", "--subnet", f"{_PREFIX}0/24", name)
    try:
        with ExitStack() as stack:
            found = {}
            for each in reversed(application.PORTS):
                pod = shop.manifests.pod(each)
                pod["containers"][0].pop("readinessProbe", None)  # asked by the test
                hosts = [word for other, at in _ADDRESSES.items() for word in ("--add-host", f"{other}:{at}")]
                options = ["--network", name, "--ip", _ADDRESSES[each], *hosts]
                found[each] = stack.enter_context(running(shop.podman, pod, folder / each, shop.manifests, options))
            yield found
    finally:
        shop.podman("network", "rm", "-f", name, check=False)


def _inside(container: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this machine in the network namespace of a container."""
    number = container.podman("inspect", "--format", "{{.State.Pid}}", container.name).stdout.strip()
    return subprocess.run(["nsenter", "-t", number, "-n", *words], capture_output=True, text=True, check=False)


def _shut(container: Running, callers: set[str], name: str) -> None:
    rules = ["-i lo -j ACCEPT", "-m conntrack --ctstate ESTABLISHED -j ACCEPT"]
    port = application.PORTS[name]
    rules += [f"-s {_ADDRESSES[caller]} -p tcp --dport {port} -j ACCEPT" for caller in sorted(callers)]
    for rule in (*rules, "-j DROP"):
        done = _inside(container, "iptables", "-w", "-A", "INPUT", *rule.split())
        if done.returncode != 0:
            pytest.skip(f"iptables sets no rule here: {done.stderr.strip()}")


_ASK = """\
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def _ready(api: Running, seconds: float = 40) -> None:
    said = ""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        said = api.podman("exec", api.name, "python3", "-c", _ASK, check=False).stdout
        if "200" in said:
            return
        time.sleep(0.3)
    raise AssertionError(f"{said}\n{api.log}")


def _reaches(container: Running, name: str) -> bool:
    """Whether a connection to another workload comes about."""
    where = f"/dev/tcp/{_ADDRESSES[name]}/{application.PORTS[name]}"
    return _inside(container, "timeout", "2", "bash", "-c", f"exec 3<>{where}").returncode == 0
