"""Whatever a pod holds: the line that makes a container has the options of a table with values of allow-lists, and
behind its image the words of that pod alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from hardener.observe.engine import Answer, Engine
from hardener.observe.pod_network import Endpoint, Network
from hardener.observe.pod_network import Pod as Placed
from hardener.observe.pod_run import Came, Planned, PodRun
from hardener.observe.pod_values import Given, MissingError, variables, words
from hardener.observe.supported_fields import refusal

Map = dict[str, Any]
Call = tuple[list[str], dict[str, str], list[str]]  # words, variables of the call, lines of its file of variables
RUN, NETWORK, ADDRESS = "1.2.3", "harden-abc", "10.1.0.16"
IMAGE = "registry.example/shop/web@sha256:" + "0" * 64
CAPABILITIES = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT".split()
)
SYSCTLS = frozenset(
    "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
    "net.ipv4.ip_unprivileged_port_start net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time "
    "net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_fin_timeout net.ipv4.tcp_rmem "
    "net.ipv4.tcp_wmem net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat".split()
)
PATH = r"/[^:,=\"'\\\x00-\x1f]*"
NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
ONE_OF = {
    "--pull": "never", "--label": re.escape(f"hardener.dev/observe={RUN}"), "--name": r"harden-\d+-\d+-\d+",
    "--user": r"\d{1,10}(:\d{1,10})?", "--group-add": r"\d{1,10}", "--cap-drop": "ALL",
    "--cap-add": "|".join(CAPABILITIES), "--security-opt": "no-new-privileges",
    "--sysctl": f"({'|'.join(map(re.escape, SYSCTLS))})=[0-9][0-9 \t,-]*",
    "--tmpfs": "/dev/shm:rw,nosuid,nodev,noexec,mode=1777,size=67108864",
    "-v": rf"volume-\d+:{PATH}:r[ow],nocopy",
    "--mount": rf"type=volume,src=volume-\d+,dst={PATH},(volume-)?subpath=[^/:,=\"\\\x00-\x1f][^:,=\"\\\x00-\x1f]*"
    r"(,ro=true|,readonly)?",
    "--memory": r"\d+b", "--memory-swap": r"\d+b", "--cpus": r"\d+\.\d\d", "--pids-limit": "2048",
    "--ulimit": r"fsize=\d+:\d+", "--log-driver": "k8s-file|json-file", "--log-opt": "max-size=1m",
    "--image-volume": "ignore", "--workdir": PATH, "--pid": r"container:harden-\d+-\d+-\d+",
    "--network": rf"{NETWORK}|container:harden-\d+-\d+-\d+", "--ip": re.escape(ADDRESS), "--hostname": "web-0",
    "--add-host": r"[a-z0-9.-]+:[0-9a-f.:]+", "--dns": r"127\.0\.0\.1", "--dns-option": "ndots:5",
    "--env": rf"{NAME}(=(.|\n)*)?", "--env-file": r"/.*\.env", "--entrypoint": r"(.|\n)*",
}  # fmt: skip
FLAGS = frozenset(
    "--read-only --read-only-tmpfs=false --no-healthcheck --http-proxy=false --env-host=false --systemd=false "
    "--interactive --tty".split()
)
CALLS = frozenset("create init start exec rm logs diff cp volume container network".split())


class Recorder(Engine):
    """An engine that does all that it is asked, at once, and runs nothing: each container has ended with 0."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, "/nowhere/engine", {}, str(folder), RUN)
        self.calls: list[Call] = []
        self._volumes = 0

    def call(self, *words: str, environment: Mapping[str, str] | None = None, **_: Any) -> Answer:
        file = words[words.index("--env-file") + 1] if words[0] == "create" and "--env-file" in words else None
        held = Path(file).read_bytes().decode("utf-8", "surrogateescape").split("\n")[:-1] if file else []
        self.calls.append((list(words), dict(environment or {}), held))
        text = "{}" if words[0] == "diff" else ""
        if words[:2] == ("volume", "create"):
            self._volumes += 1
            text = f"volume-{self._volumes}"
        return Answer(True, text, "")

    def inspect(self, kind: str, name: str) -> Map | None:
        return {"State": {"Running": False, "ExitCode": 0, "Pid": 0}}


class NoWait(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return False


GIVEN: Map = {
    "config_maps": {"settings": {"LEVEL": b"info", "*": b"x", "LD_PRELOAD": b"/x\n/y", "--env-host": b"-v"}},
    "secrets": {"login": {"WORD": b"hunter22", "TLS_KEY": b"two\nlines"}},
    "token": {"token": b"T", "namespace": b"shop", "ca.crt": b"C"},
    "name": "web-0", "namespace": "shop", "address": ADDRESS, "account": "robot",
    "labels": {"app": "--privileged", "*": "x\ny"}, "annotations": {"note": "=\n--device=/dev/sda"},
}  # fmt: skip
SERVICES: list[Map] = [
    {"metadata": {"name": name}, "spec": {"selector": {"app": "--privileged"}, "ports": ports}}
    for name, ports in (
        ("cache", [{"port": 80, "targetPort": 8080}]), ("a:host-gateway", [{"port": 1}]), ("*", [{"port": 1}]),
        ("b", [{"port": 1, "name": "x y"}]), ("c", [{"port": 1, "protocol": "TCP\nA=B"}]), ("d\ne", [{"port": 1}]),
        ("e", [{"port": "1 --privileged"}]), ("f", [{"port": 1, "targetPort": "9" * 5000}]),
    )
]  # fmt: skip
ODD = some.sampled_from(
    ["--privileged", "-v", "/:/host", "*", "=", "a=b", "a\nb", "--env-host", "", " ", "$(A)", "$(WORD)", "$$(A)", "$(",
     "\t", "host", "container:x", "{}", "[\"sh\"]", "a,b", "a:b", "../..", "\x1b[2J", "ä", "é\u202e", "#", "`id`"]
)  # fmt: skip
NAMES = some.sampled_from(
    ["A", "B", "PATH", "LD_PRELOAD", "CONTAINERS_CONF", "TLS_KEY", "--privileged", "-v", "_", "a.b-c"]
)


def mostly(*good: Any) -> Any:
    """One of ``good`` nearly always, and else what nobody should take."""
    return some.sampled_from(good * 12 + ("--privileged", "*", "a=b", "a\nb", -1, 10**12, "a:b", ["x"], {"x": 1}, True))


def some_of(fields: Mapping[str, Any]) -> Any:
    return some.fixed_dictionaries({}, optional=dict(fields))


TEXTS = some.lists(ODD | some.text(max_size=6), max_size=4)
REFERENCES = {
    "configMapKeyRef": {"name": "settings", "key": "LD_PRELOAD"}, "secretKeyRef": {"name": "login", "key": "TLS_KEY"},
    "fieldRef": {"fieldPath": "metadata.annotations"}, "resourceFieldRef": {"resource": "limits.cpu"},
}  # fmt: skip
VARIABLES = some.builds(
    lambda name, value: {"name": name, "value": value}, NAMES, ODD | some.text(max_size=6)
) | some.builds(
    lambda name, key: {"name": name, "valueFrom": {key: REFERENCES[key]}}, NAMES, some.sampled_from(list(REFERENCES))
)
IDENTITY = {"runAsUser": mostly(5, 0), "runAsGroup": mostly(7)}
MOUNTS = some.builds(
    lambda path, part, read_only: {"name": "data", "mountPath": path, "subPath": part, "readOnly": read_only},
    mostly("/data", "/a b", "/-x", "/dev/shm/x"), mostly("", "a", "-x/b", "b c"), some.booleans(),
)  # fmt: skip
CONTAINER = some_of(
    {
        "command": TEXTS, "args": TEXTS, "env": some.lists(VARIABLES, max_size=4),
        "envFrom": some.lists(
            some_of({"prefix": mostly("P_", ""), "configMapRef": some.just({"name": "settings"})}), max_size=2,
        ),
        "workingDir": mostly("/srv", "/", "/-x"), "tty": some.booleans(), "stdin": some.booleans(),
        "volumeMounts": some.lists(MOUNTS, max_size=2),
        "resources": some.just({"limits": {"memory": "64Mi", "cpu": "500m"}}),
        "readinessProbe": some.builds(lambda words: {"exec": {"command": words}}, TEXTS),
        "lifecycle": some.builds(lambda words: {"postStart": {"exec": {"command": words}}}, TEXTS),
        "securityContext": some_of(
            IDENTITY | {
                "readOnlyRootFilesystem": some.booleans(), "allowPrivilegeEscalation": some.booleans(),
                "capabilities": some_of({
                    "add": some.lists(mostly("CHOWN", "cap_setuid", "CAP_KILL"), max_size=2),
                    "drop": some.lists(mostly("ALL", "cap_net_raw"), max_size=2),
                }),
            }
        ),
    }
)  # fmt: skip
POD = some_of(
    {
        "securityContext": some_of(
            IDENTITY | {
                "fsGroup": mostly(9), "supplementalGroups": some.lists(mostly(3), max_size=2),
                "sysctls": some.lists(
                    some.builds(
                        lambda name, value: {"name": name, "value": value},
                        mostly("net.ipv4.tcp_syncookies", "net.ipv4.ip_local_port_range"), mostly("1", "1024 65535"),
                    ), max_size=2,
                ),
            }
        ),
        "hostAliases": some.lists(
            some.builds(
                lambda ip, name: {"ip": ip, "hostnames": [name]},
                mostly("10.9.9.9", "::1"), mostly("db", "db.shop.example"),
            ), max_size=2,
        ),
        "shareProcessNamespace": some.booleans(),
    }
)  # fmt: skip


@some.composite
def pods(draw: Any) -> Map:
    """A pod with one container to begin with and two that stay."""
    made = [draw(CONTAINER) | {"name": name, "image": "web"} for name in ("first", "main", "beside")]
    found: Map = draw(POD)
    return found | {
        "initContainers": made[:1], "containers": made[1:], "volumes": [{"name": "data", "emptyDir": {}}],
    }  # fmt: skip


def run_of(engine: Recorder, spec: Map, **config: Any) -> Came:
    place = Placed("Job/web", "Job", "web", GIVEN["labels"], spec)
    network = Network("10.1.0.0/20", "shop", [place], SERVICES)
    given_ = Given(**GIVEN, services=network.variables())
    images = {"web": (IMAGE, {"User": "", "Env": []} | config)}
    endpoint: Endpoint = network.endpoints["Job/web"]
    agent: Any = lambda *_, **__: None  # noqa: E731
    planned = Planned("Job/web", True, spec, given_, images, True)
    run = PodRun(engine, agent, NETWORK, endpoint, list(network.hosts()), planned, lambda text: text, NoWait())
    try:
        return run.run(1, whole=False, restarts=False)
    finally:
        run.end()


def read_line(line: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The options of a line that makes a container, and the words from its image on. Fails for any other option, and
    for a value that is on no list."""
    rest, options = line[1:], dict[str, list[str]]()
    while rest and rest[0] != IMAGE:
        option = rest.pop(0)
        if option not in FLAGS:
            assert option in ONE_OF, f"{option} is no option of the table: {line}"
            value = rest.pop(0)
            assert re.fullmatch(ONE_OF[option], value), f"{option} {value!r}"
            options.setdefault(option, []).append(value)
    return options, rest


def is_holder(line: list[str]) -> bool:
    """Whether the line makes a container that is never started, through which volumes of docker are filled."""
    *options, volume, image, word = line[line.index("--pull") :]
    filled = re.fullmatch(r"volume-\d+:/volume:nocopy", volume) is not None
    return filled and (options, image, word) == (["--pull", "never", "--user", "root", "-v"], IMAGE, "none")


def is_of(spec: Map, call: Call, engine: Recorder) -> None:
    """Holds that a line has nothing but values of the container ``spec``."""
    line, environment, lines = call
    options, rest = read_line(line)
    network = Network("10.1.0.0/20", "shop", [Placed("a", "Job", "web", GIVEN["labels"], spec)], SERVICES)
    known = variables(spec, {}, Given(**GIVEN, services=network.variables()))
    command, arguments = words(spec.get("command"), known)[0], words(spec.get("args"), known)[0]
    if engine.name == "podman":
        assert options.get("--entrypoint", []) == ([json.dumps(command)] if spec.get("command") else [])
        assert rest == [IMAGE, *arguments]
    else:
        assert options.get("--entrypoint", []) == command[:1]
        assert rest == [IMAGE, *command[1:], *arguments]
    assert set(options.get("--workdir", [])) <= {spec.get("workingDir")}
    handed = dict(each.split("=", 1) for each in lines) | environment
    handed |= dict(each.split("=", 1) for each in options.get("--env", []) if "=" in each)
    assert handed == {each.name: each.value for each in known}
    assert len(lines) + len(options.get("--env", [])) == len(known)
    assert set(environment) <= {"TLS_KEY"}
    assert not any("hunter22" in word or "two\nlines" in word for word in line)


def held(spec: Map, engine: Recorder) -> None:
    """Run a pod, and hold that each of its lines is its own."""
    refused = refusal(spec, {"annotations": GIVEN["annotations"]})
    if refused is not None:
        assert refused.text and refused.remedy
        return
    try:
        came = run_of(engine, spec)
    except MissingError:
        return
    if came.refused is not None:
        assert came.refused.remedy
        assert not any(line[0] == "create" for line, _, _ in engine.calls)
        return
    made = [call for call in engine.calls if call[0][0] == "create" and not is_holder(call[0])]
    specs = [*spec["initContainers"], *spec["containers"]]
    assert len(made) == len(specs), came
    for container, call in zip(specs, made, strict=True):
        is_of(container, call, engine)
    for line, environment, _ in engine.calls:
        assert line[0] in CALLS
        assert not environment or line[0] == "create"
        if line[0] == "exec":
            assert re.fullmatch(ONE_OF["--name"], line[1])


@pytest.mark.parametrize("name", ["podman", "docker"])
def test_a_line_holds_words_of_the_lists_and_of_its_pod(name: str, tmp_path: Path) -> None:
    ran: list[bool] = []

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(pods())
    def look(spec: Map) -> None:
        engine = Recorder(name, tmp_path)
        held(spec, engine)
        ran.append(bool(engine.calls))

    look()
    assert sum(ran) >= 20, (sum(ran), len(ran))  # it is not all refused


def test_the_names_of_services_that_no_cluster_has_lead_nowhere(tmp_path: Path) -> None:
    engine = Recorder("podman", tmp_path)
    spec = {"containers": [{"name": "main", "image": "web"}]}
    assert run_of(engine, spec).up
    (call,) = (call for call in engine.calls if call[0][0] == "create")
    hosts = read_line(call[0])[0]["--add-host"]
    assert {each.split(":")[0].split(".")[0] for each in hosts} == {"cache", "f"}


CONFIGS: dict[str, tuple[Map, str]] = {
    "a user that is an option": ({"User": "--privileged"}, "the user of its image is no name and no number"),
    "a user of two lines": ({"User": "a\nb"}, "the user of its image is no name and no number"),
    "where the runtime has files open": (
        {"WorkingDir": "/proc/self/fd/8"}, "its image starts in a folder of the kernel",
    ),
    "by another way": ({"WorkingDir": "/./proc//self"}, "its image starts in a folder of the kernel"),
    "no path": ({"WorkingDir": "../x"}, "its image starts in a folder of the kernel"),
}  # fmt: skip


@pytest.mark.parametrize(("config", "why"), CONFIGS.values(), ids=CONFIGS)
def test_what_an_image_says_of_itself_is_no_better(tmp_path: Path, config: Map, why: str) -> None:
    engine = Recorder("podman", tmp_path)
    came = run_of(engine, {"containers": [{"name": "main", "image": "web"}]}, **config)
    assert came.refused is not None and came.refused.path == ("containers", 0, "image")
    assert came.reason == f"containers[0].image: {why}" and came.refused.remedy
    assert engine.calls == []


def test_the_last_container_keeps_the_first_from_starting(tmp_path: Path) -> None:
    engine = Recorder("podman", tmp_path)
    doubled = [{"name": "A", "value": "x" * 100_000}, {"name": "B", "value": "$(A)$(A)"}]
    containers = [{"name": "first", "image": "web"}, {"name": "last", "image": "web", "env": doubled}]
    came = run_of(engine, {"containers": containers})
    assert came.refused is not None and came.refused.path == ("containers", 1, "env", 1)
    assert engine.calls == []


def test_the_reader_of_lines_sees_what_is_none() -> None:
    for line in (
        ["create", "--privileged", IMAGE],
        ["create", "--cap-add", "SYS_ADMIN", IMAGE],
        ["create", "--env", "*", IMAGE],
    ):
        with pytest.raises(AssertionError):
            read_line(line)
