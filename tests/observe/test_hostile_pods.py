"""Pods that ask an engine for more than a cluster would give them: each is not run, and a line says why and where.

A row is a trick, what stands in the pod, and the line. All of them are one tree, and one run says all of it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from .test_sessions import Bench, Map, bench_in

pytestmark = pytest.mark.slow
IMAGE = "registry.example/shop/web:1"
BASELINE = "is more than Pod Security level baseline allows"
MORE = "more than Pod Security level baseline allows: "
NO_VARIABLE, NO_CAP = "is no name of a variable", "is no capability"
NO_PATH, NO_ID = "is no path that an engine is given", "is no number of a user or group"
SECRET = "not-on-a-command-line"
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/main"


def container(**fields: Any) -> Map:
    return {"spec": {"containers": [{"name": "main", "image": IMAGE} | fields]}}


def pod(**fields: Any) -> Map:
    return {"spec": container()["spec"] | fields}


def context(**fields: Any) -> Map:
    return container(securityContext=fields)


def capabilities(*added: str, drop: Any = None) -> Map:
    return context(capabilities={"add": list(added), "drop": drop or []})


def env(*each: Any) -> Map:
    return container(env=[{"name": name, "value": value} for name, value in each])


def mounted(**fields: Any) -> Map:
    found = container(
        volumeMounts=[{"name": "data", "mountPath": "/data"} | fields], env=[{"name": "UP", "value": ".."}]
    )
    return {"spec": found["spec"] | {"volumes": [{"name": "data", "emptyDir": {}}]}}


def sysctl(name: str, value: str) -> Map:
    return pod(securityContext={"sysctls": [{"name": name, "value": value}]})


def alias(ip: str, *names: str) -> Map:
    return pod(hostAliases=[{"ip": ip, "hostnames": list(names)}])


def annotated(**found: str) -> Map:
    return container() | {"metadata": {"annotations": found}}


def secret(name: str, key: str, **fields: Any) -> Map:
    source = {"secretKeyRef": {"name": "login", "key": key}}
    return container(env=[{"name": name, "valueFrom": source}], **fields)


DOUBLING = [("A0", "x" * 10), *((f"A{number}", f"$(A{number - 1})" * 2) for number in range(1, 40))]
C, ENV, SC = "containers[0]", "containers[0].env[0].name", "containers[0].securityContext"
MOUNT = "containers[0].volumeMounts[0]"
ADD, DROP, SYSCTL = f"{SC}.capabilities.add", f"{SC}.capabilities.drop", "securityContext.sysctls[0]"
PORT, UNSEEN = "containers[0].ports[0]", "of several lines cannot be handed over unseen"
# Trick: the pod, the line, and what stands in the line of the file that is named.
TRICKS: dict[str, tuple[Map, str, str]] = {
    # Capabilities.
    "CAP_ twice": (capabilities("CAP_CAP_SYS_ADMIN"), f"{ADD}[0]: CAP_CAP_SYS_ADMIN {NO_CAP}", "CAP_CAP"),
    "behind a good one": (capabilities("CHOWN", "CAP_CAP_BPF"), f"{ADD}[1]: CAP_CAP_BPF {NO_CAP}", "BPF"),
    "in small letters": (capabilities("cap_sys_admin"), f"{ADD}[0]: cap_sys_admin {BASELINE}", "cap_"),
    "all of them": (capabilities("aLL"), f"{ADD}[0]: aLL {BASELINE}", "aLL"),
    "two in one": (capabilities("CHOWN,SYS_ADMIN"), f"{ADD}[0]: CHOWN,SYS_ADMIN {NO_CAP}", "CHOWN,"),
    "an option": (capabilities("--privileged"), f"{ADD}[0]: --privileged {NO_CAP}", "--pri"),
    "of the network": (capabilities("NET_ADMIN"), f"{ADD}[0]: NET_ADMIN {BASELINE}", "NET_ADMIN"),
    "packets": (capabilities("NET_RAW"), f"{ADD}[0]: NET_RAW {BASELINE}", "NET_RAW"),
    "no drop": (capabilities(drop=["CAP_CAP_ALL"]), f"{DROP}[0]: CAP_CAP_ALL {NO_CAP}", "CAP"),
    # Variables.
    "every variable": (env(("*", "a\nb")), f"{ENV}: * {NO_VARIABLE}", '"*"'),
    "every variable of a kind": (env(("CI_*", "a\nb")), f"{ENV}: CI_* {NO_VARIABLE}", "CI_*"),
    "a value in a name": (env(("A=B", "x")), f"{ENV}: A=B {NO_VARIABLE}", "A=B"),
    "two lines in a name": (env(("A\nLD_PRELOAD", "x")), f"{ENV}: 'A\\nLD_PRELOAD' {NO_VARIABLE}", "LD_PRELOAD"),
    "a comment as a name": (env(("#A", "x\ny")), f"{ENV}: #A {NO_VARIABLE}", "#A"),
    "a blank in front": (env((" A", "x")), f"{ENV}: ' A' {NO_VARIABLE}", " A"),
    "no name": (container(env=[{"value": "x"}]), f"{ENV}: what is not there {NO_VARIABLE}", "{"),
    "a star in front of all keys": (
        container(envFrom=[{"prefix": "*", "configMapRef": {"name": "settings"}}]),
        f"{C}.envFrom[0].prefix: * {NO_VARIABLE}", '"*"',
    ),
    "doubled forty times": (
        env(*DOUBLING), f"{C}.env[14]: it has more than 131071 bytes when $(A13) is replaced", "{",
    ),
    "many of one size": (
        env(("A", "x" * 100_000), *((f"B{number}", "$(A)") for number in range(20))),
        f"{C}.env[10]: it and what is before it have more than 1048576 bytes", "{",
    ),
    "in an argument": (
        container(env=[{"name": "A", "value": "x" * 100_000}], args=["$(A)$(A)"]),
        f"{C}.args[0]: it has more than 131071 bytes when $(A) is replaced", "$(A)$(A)",
    ),
    "a Secret as an argument": (
        secret("PASSWORD", "word", args=["--login=$(PASSWORD)"]),
        f"{C}.args: a value of a Secret would be on a command line", "args",
    ),
    "a Secret of two lines for the engine": (
        secret("LD_PRELOAD", "lines"), f"{C}.env[0]: its variable LD_PRELOAD {UNSEEN}", "{",
    ),
    "a Secret of two lines for podman": (
        secret("CONTAINER_KEY", "lines"),
        f"{C}.env[0]: its variable CONTAINER_KEY {UNSEEN}", "{",
    ),
    # Users, groups, kernel settings.
    "a user below all": (context(runAsUser=-1), f"{SC}.runAsUser: -1 {NO_ID}", "-1"),
    "a group above all": (context(runAsGroup=2**32), f"{SC}.runAsGroup: 4294967296 {NO_ID}", "4294967296"),
    "a group of the pod": (pod(securityContext={"fsGroup": -5}), f"securityContext.fsGroup: -5 {NO_ID}", "-5"),
    "more groups": (
        pod(securityContext={"supplementalGroups": [1, -7]}), f"securityContext.supplementalGroups[1]: -7 {NO_ID}",
        "-7",
    ),
    "a number without end": (
        context(runAsUser=10**40), f"{SC}.runAsUser: it is not a number", "1000",
    ),
    "a setting of the machine": (
        sysctl("kernel.core_pattern", "|/x"),
        f"securityContext.sysctls[0].name: {MORE}forbidden sysctls: kernel.core_pattern", "core_pattern",
    ),
    "with slashes": (
        sysctl("net/ipv4/ip_forward", "1"),
        f"securityContext.sysctls[0].name: {MORE}forbidden sysctls: net/ipv4/ip_forward", "ip_forward",
    ),
    "a setting that is unsafe": (
        sysctl("net.core.somaxconn", "1"),
        f"securityContext.sysctls[0].name: {MORE}forbidden sysctls: net.core.somaxconn", "somaxconn",
    ),
    "an option behind a setting": (
        sysctl("net.ipv4.tcp_syncookies", "1 --privileged"),
        "securityContext.sysctls[0].value: 1 --privileged is no value of a kernel setting", "--privileged",
    ),
    # Paths.
    "options of a mount": (mounted(mountPath="/a:/b:exec"), f"{MOUNT}.mountPath: /a:/b:exec {NO_PATH}", "/a"),
    "a path that is none": (mounted(mountPath="a"), f"{MOUNT}.mountPath: a {NO_PATH}", '"a"'),
    "out of the container": (mounted(mountPath="/a/../b"), f"{MOUNT}.mountPath: /a/../b {NO_PATH}", "/a/.."),
    "over the root": (mounted(mountPath="//."), f"{MOUNT}.mountPath: //. {NO_PATH}", "//."),
    "over the kernel": (mounted(mountPath="/./proc/sys"), f"{MOUNT}.mountPath: /./proc/sys {NO_PATH}", "proc"),
    "over devices": (mounted(mountPath="/dev/kmsg"), f"{MOUNT}.mountPath: /dev/kmsg {NO_PATH}", "kmsg"),
    "another source": (
        mounted(subPath='a",src=/etc,"'), f'{MOUNT}.subPath: a",src=/etc," is no path below its volume',
        "src",
    ),
    "above the volume": (
        mounted(subPath="a/../../b"), f"{MOUNT}.subPath: a/../../b is no path below its volume", "../..",
    ),
    "above it by a variable": (
        mounted(subPathExpr="$(UP)/$(UP)/etc"), f"{MOUNT}.subPath: '../../etc' {NO_PATH}", "{",
    ),
    "another propagation": (
        mounted(mountPropagation="Bidirectional"), "it needs the node: mountPropagation Bidirectional", "Bidirectional",
    ),
    "where the runtime has open files": (
        container(workingDir="/proc/self/fd/8"), f"{C}.workingDir: /proc/self/fd/8 {NO_PATH}", "/proc",
    ),
    "a folder of two lines": (container(workingDir="/a\n/b"), f"{C}.workingDir: '/a\\n/b' {NO_PATH}", "/a"),
    "a folder as an option": (container(workingDir="--env-host"), f"{C}.workingDir: --env-host {NO_PATH}", "--env"),
    # Names of hosts.
    "the address of the machine": (
        alias("host-gateway", "m"), "hostAliases[0].ip: host-gateway is no address of IP", "host-gateway",
    ),
    "another address in a name": (
        alias("10.0.0.1", "a:10.0.0.2"), "hostAliases[0].hostnames[0]: a:10.0.0.2 is no name of a host", "a:10",
    ),
    "two names in one": (
        alias("10.0.0.1", "a;b"), "hostAliases[0].hostnames[0]: a;b is no name of a host", "a;b",
    ),
    # Privileges.
    "privileged": (context(privileged=True), f"{SC}.privileged: nothing is run privileged", "privileged"),
    "processes of the machine": (pod(hostPID=True), "it needs the node: hostPID", "hostPID"),
    "its network": (pod(hostNetwork=True), "it needs the node: hostNetwork", "hostNetwork"),
    "its users": (pod(hostUsers=False), "hostUsers: an engine does not offer it", "hostUsers"),
    "its folders": (
        pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), "it needs the node: hostPath /", "hostPath",
    ),
    "its disks": (
        container(volumeDevices=[{"name": "a", "devicePath": "/dev/sda"}]),
        f"{C}.volumeDevices: an engine does not offer it", "volumeDevices",
    ),
    "its devices": (
        container(resources={"limits": {"devices.kubevirt.io/kvm": "1"}}),
        f"it needs the node: {C}.resources.limits asks for devices.kubevirt.io/kvm", "kvm",
    ),
    "its ports": (
        container(ports=[{"containerPort": 80, "hostPort": 22}]), "it needs the node: hostPort 22", "hostPort",
    ),
    "all of /proc": (context(procMount="Unmasked"), f"{SC}.procMount: Unmasked", "Unmasked"),
    "no filter of system calls": (
        pod(securityContext={"seccompProfile": {"type": "Unconfined"}}),
        "securityContext.seccompProfile: nothing is run with the profile Unconfined", "seccompProfile",
    ),
    "no AppArmor": (
        context(appArmorProfile={"type": "Unconfined"}),
        f"{SC}.appArmorProfile: nothing is run with the profile Unconfined", "appArmorProfile",
    ),
    "no AppArmor by annotation": (
        annotated(**{ANNOTATION: "unconfined"}),
        f'metadata.annotations["{ANNOTATION}"]: {MORE}forbidden AppArmor profile: annotation must not set AppArmor '
        f'profile type to "{ANNOTATION}="unconfined""', "unconfined",
    ),
    "another type of SELinux": (
        context(seLinuxOptions={"type": "spc_t"}),
        f"{SC}.seLinuxOptions: an engine does not offer it", "seLinuxOptions",
    ),
    "another runtime": (pod(runtimeClassName="runc"), "runtimeClassName: an engine does not offer it", "runtimeClass"),
    # What is asked.
    "another host": (
        container(livenessProbe={"tcpSocket": {"port": 1, "host": "169.254.169.254"}}),
        f"{C}.livenessProbe: it asks another host", "livenessProbe",
    ),
    "another host for a hook": (
        container(lifecycle={"postStart": {"httpGet": {"port": 80, "host": "169.254.169.254"}}}),
        f'{C}.lifecycle.postStart.httpGet.host: {MORE}probe or lifecycle host: container "main" uses probe or '
        'lifecycle host "169.254.169.254"', "169.254",
    ),
    # As much as there is.
    "a container for each process": (
        {"spec": {"containers": [{"name": f"c{number}", "image": IMAGE} for number in range(100)]}},
        "containers: there are 100 of them", "containers",
    ),
    "a volume for each call": (
        pod(volumes=[{"name": f"v{number}", "emptyDir": {}} for number in range(500)]),
        "volumes: there are 500 of them", "volumes",
    ),
    "an argument that no program takes": (
        container(args=["x" * 200_000]), f"{C}.args[0]: {'x' * 60}... is no text that a program can be given", "xxx",
    ),
    "a command that no line takes": (
        container(command=["/bin/sh", *["x" * 1000] * 500]), f"{C}.command: it is longer than a command line can be",
        "command",
    ),
    "nothing to start": (container(command=[""]), f"{C}.command[0]: there is nothing to start", '""'),
    # Names.
    "an option as a container": (
        container(name="--privileged"), f"{C}.name: --privileged is no name that Kubernetes accepts", "--privileged",
    ),
    "an option as a volume": (
        pod(volumes=[{"name": "-v", "emptyDir": {}}]), "volumes[0].name: -v is no name that Kubernetes accepts", "-v",
    ),
    "a port beyond all": (container(ports=[{"containerPort": 70000}]), f"{PORT}.containerPort: 70000 is no port", "7"),
    "another protocol": (
        container(ports=[{"containerPort": 1, "protocol": "TCP;x"}]), f"{PORT}.protocol: TCP;x is no protocol", "TCP;",
    ),
}  # fmt: skip
IMAGES = {
    "an option": "--privileged", "a file": "docker-archive:/etc/passwd", "a folder": "dir:/etc", "two words": "a b",
    "two lines": "a\nb", "an option behind a name": "web --privileged", "an option and a tag": "-:1",
}  # fmt: skip
OTHERS = [
    {"kind": "Secret", "metadata": {"name": "login"}, "stringData": {"word": SECRET, "lines": f"{SECRET}\n{SECRET}"}},
    {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"A": "x", "*": "y"}},
]


def named(prefix: str, number: int) -> str:
    return f"{prefix}-{number:02}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, Map]]:
    """One run of a tree with all of them: the bench, and what came of each workload."""
    bench = bench_in(tmp_path_factory.mktemp("hostile"))
    bench.write()
    (bench.tree / "app.yaml").unlink()
    pods = {named("trick", at): found for at, (found, _, _) in enumerate(TRICKS.values())}
    pods |= {named("image", at): container(image=image) for at, image in enumerate(IMAGES.values())}
    documents = {f"other-{at}": found for at, found in enumerate(OTHERS)}
    for name, found in pods.items():
        documents[name] = found | {"kind": "Pod", "metadata": found.get("metadata", {}) | {"name": name}}
    for name, found in documents.items():
        text = json.dumps({"apiVersion": "v1"} | found, indent=1)
        (bench.tree / f"{name}.yaml").write_text(text + "\n", encoding="utf-8")
    return bench, bench.observe(code=2)


@pytest.mark.parametrize("trick", TRICKS)
def test_it_is_not_run_and_a_line_says_why(run: tuple[Bench, dict[str, Map]], trick: str) -> None:
    bench, found = run
    _, line, written = TRICKS[trick]
    name = named("trick", list(TRICKS).index(trick))
    result = found[f"Pod/{name}"]
    assert (result["state"], result["reason"]) == ("refused", line[:400])
    assert result["remedy"] and result["runs"] == 0
    file, _, number = result["place"].partition(",")[0].rpartition(":")
    assert file == f"{name}.yaml"
    assert written in (bench.tree / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    if line.startswith(C) and trick != "an option as a container":
        assert result["place"].endswith(", container main")


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_no_image_is_not_asked_for(run: tuple[Bench, dict[str, Map]], image: str) -> None:
    bench, found = run
    result = found[f"Pod/{named('image', list(IMAGES).index(image))}"]
    assert result["state"] == "not-run" and result["reason"].endswith("it is no image by name and tag or digest")
    assert result["remedy"] and result["place"].endswith(", container main")
    assert not any(IMAGES[image] in call for call in bench.calls())


def test_no_container_was_made_for_one_of_them(run: tuple[Bench, dict[str, Map]]) -> None:
    bench, found = run
    assert len(found) == len(TRICKS) + len(IMAGES)
    calls = bench.calls()
    assert calls and not any(call[0] in ("create", "start", "exec") for call in calls)
    assert SECRET not in json.dumps(calls)
