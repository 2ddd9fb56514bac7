"""The Pod Security evaluator, against what Kubernetes itself says, and against hostile shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hardener.kubernetes.pod_security import CHECKS, LEVELS, NEWEST, Check, Violation, evaluate, level_of
from hardener.kubernetes.pods.pod_template import templates
from hardener.sources.yaml import TextError, parse, segments
from tests.conftest import shared

OWN = Path(__file__).parent / "pod_security"
MINORS = range(NEWEST[1] + 1)
# A fixture is named after a check; where restricted tightens that check, it fails by the tighter one.
TIGHTER = {
    "capabilities_baseline": "capabilities_restricted",
    "hostpathvolumes": "restrictedvolumes",
    "procmount": "procmount_restricted",
    "seccompprofile_baseline": "seccompprofile_restricted",
}


def found(template: Any, level: str, minor: int) -> list[str]:
    return [violation.check for violation in evaluate(template, level, (1, minor))]


def disagreement(path: Path, level: str, minor: int) -> str:
    """What the evaluator gets wrong about a fixture; "" if nothing."""
    (pod,) = parse(path.read_text(encoding="utf-8")).documents
    checks = [check.lower() for check in found(pod, level, minor)]
    if path.parent.name == "pass":
        return f"{path}: {checks}" if checks else ""
    named = path.stem.rstrip("0123456789")
    accepted = {named, TIGHTER.get(named)} if level == "restricted" else {named}
    return "" if accepted & set(checks) else f"{path}: {checks}"


def fixtures(level: str, minor: int, kind: str = "*") -> list[Path]:
    """The fixtures for a version: Kubernetes' up to 1.33, own ones from then on."""
    root = OWN if minor > 33 else shared("conformance", "pod-security")
    return sorted(root.glob(f"{level}/v1.{minor}/{kind}/*.yaml"))


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.slow
def test_agrees_with_every_fixture(level: str, minor: int) -> None:
    paths = fixtures(level, minor)
    assert len(paths) >= 25
    assert not list(filter(None, (disagreement(path, level, minor) for path in paths)))


def test_the_fixtures_are_all_there() -> None:
    assert len(list(shared("conformance", "pod-security").glob("*/v1.*/*/*.yaml"))) == 3949


@pytest.mark.parametrize("minor", range(34, NEWEST[1] + 1))
@pytest.mark.parametrize("level", LEVELS[1:])
def test_the_fixtures_of_1_33_hold_for_later_versions(level: str, minor: int) -> None:
    wrong = {path.stem for path in fixtures(level, 33) if disagreement(path, level, minor)}
    # Those two unmask /proc in a user namespace, which baseline lets pass from 1.35 on.
    assert wrong == ({"procmount0", "procmount1"} if level == "baseline" and minor >= 35 else set())


# -- the corpus

# The rows were judged before the API server's defaults. This volume has no source, as in 34 fixtures that pass.
WITHOUT_DEFAULTS = 'restricted volume types (volume "data" uses restricted volume type "unknown"), '


def rows() -> Iterator[tuple[dict[str, Any], Any]]:
    """Every row of the verdicts, with the pod template that it judges."""
    documents: dict[str, list[Any]] = {}
    for row in json.loads(shared("conformance", "pod-security", "corpus-verdicts.json").read_text(encoding="utf-8")):
        if row["file"] not in documents:
            text = shared("corpus", row["file"]).read_text(encoding="utf-8")
            try:
                parsed = [document for segment in segments(text) for document in parse(segment.text).documents]
            except TextError:  # three files have a key twice, which the judge did not mind
                parsed = list(yaml.safe_load_all(text))
            documents[row["file"]] = parsed
        template = documents[row["file"]][row["document"]]
        assert (template["kind"], template["metadata"]["name"]) == (row["kind"], row["name"])
        (path,) = templates(template)
        for step in path:
            template = template[step]
        yield row, template


def as_kubernetes_says_it(violations: list[Violation]) -> str:
    parts = (violation.message.partition(": ") for violation in violations)
    return ", ".join(f"{reason} ({detail})" for reason, _, detail in parts)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS[1:])
def test_agrees_with_every_row_of_the_corpus_word_by_word(level: str) -> None:
    judged, unreadable, undefaulted, wrong = 0, 0, 0, []
    for row, template in rows():
        said = as_kubernetes_says_it(evaluate(template, level, (1, 36)))
        if "error" in row:  # Kubernetes could not decode it, so there is nothing to agree with
            unreadable += 1
            continue
        undefaulted += WITHOUT_DEFAULTS in row[level]
        if said != row[level].replace(WITHOUT_DEFAULTS, ""):
            wrong.append((row, said))
        judged += 1
    assert not wrong
    assert (judged, unreadable, undefaulted) == (337, 1, level == "restricted")


# -- versions

ANY = range(38)
LINUX = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}
CONTAINER = {"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
STRICT = {**LINUX, "containers": [CONTAINER]}
USER_NAMESPACE = {"hostUsers": False}
WINDOWS = {"os": {"name": "windows"}, "containers": [{"name": "a"}]}
SYSCTL = "net.ipv4."


def context(**fields: Any) -> dict[str, Any]:
    return {**STRICT, "securityContext": {**LINUX["securityContext"], **fields}}


def container(**fields: Any) -> dict[str, Any]:
    return {**STRICT, "containers": [{**CONTAINER, "securityContext": {**CONTAINER["securityContext"], **fields}}]}  # type: ignore[dict-item]


def sysctl(name: str) -> dict[str, Any]:
    return context(sysctls=[{"name": name, "value": "1"}])


# A pod spec, a level and a check: the minors at which that check is violated.
VERSIONS: dict[str, tuple[dict[str, Any], str, str, range]] = {
    "host of a probe": (
        {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "b"}}}]},
        *("baseline", "hostProbesAndHostLifecycle", range(34, 38)),
    ),
    "procMount": (container(procMount="Unmasked"), "baseline", "procMount", ANY),
    "procMount, user namespace": (
        {**container(procMount="Unmasked"), **USER_NAMESPACE},
        *("baseline", "procMount", range(35)),
    ),
    "procMount, restricted": (container(procMount="Unmasked"), "restricted", "procMount", range(35)),
    "procMount, restricted, tighter": (
        {**container(procMount="Unmasked"), **USER_NAMESPACE},
        *("restricted", "procMount_restricted", range(35, 38)),
    ),
    "runAsNonRoot": (context(runAsNonRoot=None), "restricted", "runAsNonRoot", ANY),
    "runAsNonRoot, user namespace": (
        {**context(runAsNonRoot=False), **USER_NAMESPACE},
        *("restricted", "runAsNonRoot", range(35)),
    ),
    "runAsUser": (context(runAsUser=0), "restricted", "runAsUser", range(23, 38)),
    "runAsUser, user namespace": (
        {**context(runAsUser=0), **USER_NAMESPACE},
        *("restricted", "runAsUser", range(23, 35)),
    ),
    "allowPrivilegeEscalation": (WINDOWS, "restricted", "allowPrivilegeEscalation", range(8, 25)),
    "allowPrivilegeEscalation, Linux": (
        {"containers": [{"name": "a"}]},
        *("restricted", "allowPrivilegeEscalation", range(8, 38)),
    ),
    "capabilities on Windows": (WINDOWS, "restricted", "capabilities_restricted", range(22, 25)),
    "capabilities": (
        container(capabilities={"drop": ["all", "CHOWN"]}),
        *("restricted", "capabilities_restricted", range(22, 38)),
    ),
    "capabilities before 1.22": (
        container(capabilities={"add": ["NET_RAW"]}),
        *("restricted", "capabilities_baseline", range(22)),
    ),
    "seccomp on Windows": (WINDOWS, "restricted", "seccompProfile_restricted", range(19, 25)),
    "seccomp": (context(seccompProfile=None), "restricted", "seccompProfile_restricted", range(19, 38)),
    "seccomp Unconfined": (
        context(seccompProfile={"type": "Unconfined"}),
        *("baseline", "seccompProfile_baseline", range(19, 38)),
    ),
    "seccomp Unconfined, overridden": (
        context(seccompProfile={"type": "Unconfined"}),
        *("restricted", "seccompProfile_baseline", range(0)),
    ),
    "SELinux engine": (
        context(seLinuxOptions={"type": "container_engine_t"}),
        *("baseline", "seLinuxOptions", range(31)),
    ),
    "AppArmor field": (context(appArmorProfile={"type": "Unconfined"}), "baseline", "appArmorProfile", ANY),
    "image volume": (
        {**STRICT, "volumes": [{"name": "a", "image": {"reference": "b"}}]},
        *("restricted", "restrictedVolumes", range(0)),
    ),
    "hostPath": (
        {**STRICT, "volumes": [{"name": "a", "hostPath": {"path": "/"}}]},
        *("restricted", "restrictedVolumes", ANY),
    ),
    "hostPath, overridden": (
        {**STRICT, "volumes": [{"name": "a", "hostPath": {"path": "/"}}]},
        *("restricted", "hostPathVolumes", range(0)),
    ),
    **{
        f"sysctl {name}": (sysctl(f"net.ipv4.{name}"), "baseline", "sysctls", range(minor))
        for name, minor in (
            *(("tcp_syncookies", 0), ("ip_unprivileged_port_start", 0), ("ip_local_reserved_ports", 27)),
            *(("tcp_keepalive_time", 29), ("tcp_keepalive_intvl", 29), ("tcp_keepalive_probes", 29)),
            *(("tcp_fin_timeout", 29), ("tcp_rmem", 32), ("tcp_wmem", 32)),
            *(("tcp_slow_start_after_idle", 37), ("tcp_notsent_lowat", 37), ("tcp_tw_reuse", 38)),
        )
    },
}


@pytest.mark.parametrize("case", VERSIONS)
def test_a_check_holds_from_version_to_version(case: str) -> None:
    spec, level, check, minors = VERSIONS[case]
    assert [minor for minor in MINORS if check in found({"spec": spec}, level, minor)] == list(minors)


def test_seccomp_annotations_count_before_1_19() -> None:
    annotations = {"container.seccomp.security.alpha.kubernetes.io/a": "unconfined"}
    template = {"metadata": {"annotations": annotations}, "spec": STRICT}
    for level in LEVELS[1:]:
        assert [m for m in MINORS if "seccompProfile_baseline" in found(template, level, m)] == list(range(19))


def test_versions_outside_the_known_ones_are_the_nearest() -> None:
    template = {"spec": sysctl("net.ipv4.tcp_notsent_lowat")}
    assert evaluate(template, "baseline", (0, 9)) == evaluate(template, "baseline", (1, 0)) != []
    assert evaluate(template, "baseline", (1, 99)) == evaluate(template, "baseline", (2, 0)) == []


def test_names_and_levels() -> None:
    assert [check.id for check in CHECKS if check.level == "restricted"] == [
        *("allowPrivilegeEscalation", "capabilities_restricted", "procMount_restricted", "restrictedVolumes"),
        *("runAsNonRoot", "runAsUser", "seccompProfile_restricted"),
    ]
    assert Check("hostNamespaces", "baseline") in CHECKS
    assert len(CHECKS) == 19
    template = {"spec": {**STRICT, "hostPID": True}}
    assert evaluate(template, "privileged", NEWEST) == []
    with pytest.raises(ValueError, match="unheard-of"):
        evaluate(template, "unheard-of", NEWEST)


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        (STRICT, "restricted"),
        ({"containers": [{"name": "a"}]}, "baseline"),
        ({**STRICT, "hostNetwork": True}, "privileged"),
        # restricted excuses Windows from the check that baseline keeps
        ({**WINDOWS, **container(capabilities={"add": ["NET_RAW"]}), "os": {"name": "windows"}}, "privileged"),
    ],
)
def test_level_of(spec: dict[str, Any], level: str) -> None:
    assert level_of({"spec": spec}, NEWEST) == level


# -- what is said, and where it points to

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
AT_A = ("containers", 0, "securityContext")


def two(**fields: Any) -> dict[str, Any]:
    """An init container and a container with the same security context."""
    return {
        key: [{"name": name, "securityContext": fields}] for key, name in (("initContainers", "i"), ("containers", "a"))
    }


WORDS: dict[str, tuple[dict[str, Any], str, set[Any]]] = {
    "hostNamespaces": (
        {"spec": {"hostIPC": True, "hostPID": True}},
        *("host namespaces: hostPID=true, hostIPC=true", {("hostPID",), ("hostIPC",)}),
    ),
    "privileged": (
        {"spec": {"ephemeralContainers": [{"name": "e", "securityContext": {"privileged": True}}]}},
        'privileged: container "e" must not set securityContext.privileged=true',
        {("ephemeralContainers", 0, "securityContext", "privileged")},
    ),
    "appArmorProfile": (
        {
            "metadata": {"annotations": {f"{APPARMOR}a": "unconfined", f"{APPARMOR}b": "localhost/x", "env": "x"}},
            "spec": {**two(appArmorProfile={"type": "Unconfined"}), "securityContext": {"appArmorProfile": {}}},
        },
        'forbidden AppArmor profiles: pod and containers "i", "a" and annotation must not set AppArmor profile type to'
        f' "", "Unconfined", "{APPARMOR}a="unconfined""',
        {
            ("securityContext", "appArmorProfile", "type"),
            ("initContainers", 0, "securityContext", "appArmorProfile", "type"),
            (*AT_A, "appArmorProfile", "type"),
            ("metadata", "annotations", f"{APPARMOR}a"),
        },
    ),
    "seLinuxOptions": (
        {
            "spec": {
                **two(seLinuxOptions={"type": "spc_t", "role": "r"}),
                "securityContext": {"seLinuxOptions": {"user": "u"}},
            }
        },
        'seLinuxOptions: pod and containers "i", "a" set forbidden securityContext.seLinuxOptions:'
        ' type "spc_t"; user may not be set; role may not be set',
        {
            ("securityContext", "seLinuxOptions", "user"),
            *(("initContainers", 0, "securityContext", "seLinuxOptions", key) for key in ("type", "role")),
            *((*AT_A, "seLinuxOptions", key) for key in ("type", "role")),
        },
    ),
    "hostProbesAndHostLifecycle": (
        {
            "spec": {
                "containers": [
                    {"name": "b", "lifecycle": {"preStop": {"tcpSocket": {"host": "y"}}}},
                    {
                        "name": "a",
                        "startupProbe": {"httpGet": {"host": "x"}},
                        "readinessProbe": {"tcpSocket": {"host": "y"}},
                    },
                ]
            }
        },
        'probe or lifecycle host: containers "a", "b" use probe or lifecycle hosts "x", "y"',
        {
            ("containers", 0, "lifecycle", "preStop", "tcpSocket", "host"),
            ("containers", 1, "startupProbe", "httpGet", "host"),
            ("containers", 1, "readinessProbe", "tcpSocket", "host"),
        },
    ),
    "hostPorts": (
        {"spec": {"containers": [{"name": "a", "ports": [{"hostPort": 0}, {"hostPort": 80}, {"hostPort": 443.0}]}]}},
        'hostPort: container "a" uses hostPorts 443, 80',
        {("containers", 0, "ports", 1, "hostPort"), ("containers", 0, "ports", 2, "hostPort")},
    ),
    "procMount": (
        {"spec": {"containers": [{"securityContext": {"procMount": "Unmasked"}}]}},
        *('procMount: container "" must not set securityContext.procMount to "Unmasked"', {(*AT_A, "procMount")}),
    ),
    "seccompProfile_baseline": (
        {
            "spec": {
                **two(seccompProfile={"type": "Unconfined"}),
                "securityContext": {"seccompProfile": {"type": "Localhost"}},
            }
        },
        'seccompProfile: containers "i", "a" must not set securityContext.seccompProfile.type to "Unconfined"',
        {("initContainers", 0, "securityContext", "seccompProfile", "type"), (*AT_A, "seccompProfile", "type")},
    ),
    "sysctls": (
        {"spec": {"securityContext": {"sysctls": [{"name": "b"}, {"name": "kernel.shm_rmid_forced"}, {"name": "a"}]}}},
        "forbidden sysctls: b, a",
        {("securityContext", "sysctls", 0, "name"), ("securityContext", "sysctls", 2, "name")},
    ),
    "windowsHostProcess": (
        {
            "spec": {
                **two(windowsOptions={"hostProcess": True}),
                "securityContext": {"windowsOptions": {"hostProcess": True}},
            }
        },
        'hostProcess: pod and containers "i", "a" must not set securityContext.windowsOptions.hostProcess=true',
        {
            ("securityContext", "windowsOptions", "hostProcess"),
            ("initContainers", 0, "securityContext", "windowsOptions", "hostProcess"),
            (*AT_A, "windowsOptions", "hostProcess"),
        },
    ),
    "capabilities_restricted": (
        {"spec": two(capabilities={"add": ["NET_BIND_SERVICE", "CHOWN", "BPF"], "drop": ["all"]})},
        'unrestricted capabilities: containers "i", "a" must set securityContext.capabilities.drop=["ALL"];'
        ' containers "i", "a" must not include "BPF", "CHOWN" in securityContext.capabilities.add',
        {
            (key, 0, "securityContext", "capabilities", *end)
            for key in ("initContainers", "containers")
            for end in (("drop",), ("add", 1), ("add", 2))
        },
    ),
    "restrictedVolumes": (
        {
            "spec": {
                "volumes": [
                    {"name": "a", "nfs": {}},
                    {"name": "b", "novel": {}},
                    {"name": "c"},
                    {"name": "d", "emptyDir": {}},
                ]
            }
        },
        'restricted volume types: volumes "a", "b" use restricted volume types "nfs", "unknown"',
        {("volumes", 0, "nfs"), ("volumes", 1)},
    ),
    "runAsNonRoot": (
        {"spec": {**two(runAsNonRoot=False), "securityContext": {"runAsNonRoot": False}}},
        'runAsNonRoot != true: pod and containers "i", "a" must not set securityContext.runAsNonRoot=false',
        {
            ("securityContext", "runAsNonRoot"),
            ("initContainers", 0, "securityContext", "runAsNonRoot"),
            (*AT_A, "runAsNonRoot"),
        },
    ),
    "runAsUser": (
        {
            "spec": {
                "containers": [{"name": "a", "securityContext": {"runAsUser": 0}}],
                "securityContext": {"runAsUser": 0.0},
            }
        },
        'runAsUser=0: pod and container "a" must not set runAsUser=0',
        {("securityContext", "runAsUser"), (*AT_A, "runAsUser")},
    ),
    "seccompProfile_restricted": (
        {"spec": two()},
        'seccompProfile: pod or containers "i", "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or'
        ' "Localhost"',
        {("initContainers", 0, "securityContext", "seccompProfile", "type"), (*AT_A, "seccompProfile", "type")},
    ),
}


@pytest.mark.parametrize("check", WORDS)
def test_message_and_paths(check: str) -> None:
    template, message, paths = WORDS[check]
    level = next(known.level for known in CHECKS if known.id == check)
    (violation,) = (violation for violation in evaluate(template, level, (1, 34)) if violation.check == check)
    assert (violation.level, violation.message, set(violation.paths)) == (level, message, paths)


def test_a_sysctl_without_a_name_is_forbidden_without_detail() -> None:
    (violation,) = evaluate({"spec": {"securityContext": {"sysctls": [{}]}}}, "baseline", NEWEST)
    assert violation.message == "forbidden sysctls"


def test_annotations_of_seccomp_are_said_in_order() -> None:
    pod, one = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/a"
    annotations = {pod: 'un"confined', one: "unconfined", f"{one}b": "of no container"}
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "a"}]}}
    (violation,) = evaluate(template, "baseline", (1, 18))
    assert violation.message == f'seccompProfile: forbidden annotations {one}="unconfined", {pod}="un\\"confined"'
    assert violation.paths == (("metadata", "annotations", one), ("metadata", "annotations", pod))


# -- shapes that no API server would take


@pytest.mark.parametrize(
    "spec",
    [
        {"hostNetwork": "true", "hostPID": 1, "hostIPC": None},
        {"containers": [None, "a", ["b"]], "initContainers": {"name": "a"}, "ephemeralContainers": "a"},
        {
            "containers": [
                {"name": "a", "securityContext": {"privileged": "true", "procMount": 1, "capabilities": ["SYS_ADMIN"]}}
            ]
        },
        {"containers": [{"name": "a", "ports": [{"hostPort": True}, {"hostPort": "80"}, {"hostPort": 1e999}, 80]}]},
        {
            "containers": [
                {"name": "a", "lifecycle": [], "livenessProbe": {"httpGet": {"host": 1}, "tcpSocket": "host"}}
            ]
        },
        {
            "securityContext": {
                "sysctls": {"name": "a"},
                "seLinuxOptions": {"user": 1, "type": 2},
                "seccompProfile": "Unconfined",
            }
        },
        {"volumes": "hostPath"},
    ],
)
def test_wrong_types_are_absent(spec: dict[str, Any]) -> None:
    assert evaluate({"spec": spec}, "baseline", NEWEST) == []


@pytest.mark.parametrize("user", [False, "0", None, 1, 1.5, -1])
def test_no_user_but_zero_is_root(user: object) -> None:
    assert found({"spec": context(runAsUser=user)}, "restricted", 37) == []


FULL: dict[str, Any] = {
    "metadata": {
        "annotations": {f"{APPARMOR}a": "unconfined", "seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    },
    "spec": {
        "os": {"name": "linux"},
        "hostUsers": False,
        "hostNetwork": True,
        "securityContext": {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "sysctls": [{"name": "kernel.msgmax", "value": "1"}],
            "seLinuxOptions": {"type": "spc_t", "user": "u", "role": "r"},
            "seccompProfile": {"type": "Unconfined"},
            "appArmorProfile": {"type": "Unconfined"},
            "windowsOptions": {"hostProcess": True},
        },
        "containers": [
            {
                "name": "a",
                "ports": [{"containerPort": 80, "hostPort": 80}],
                "livenessProbe": {"httpGet": {"host": "b", "port": 80}},
                "lifecycle": {"preStop": {"tcpSocket": {"host": "b", "port": 80}}},
                "securityContext": {
                    "privileged": True,
                    "procMount": "Unmasked",
                    "runAsUser": 0,
                    "capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]},
                },
            }
        ],
        "volumes": [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b"}],
    },
}


def words(node: Any) -> Iterator[str]:
    """Every key and text of `node`."""
    if isinstance(node, dict):
        yield from node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from words(value)
    if isinstance(node, str):
        yield node


WORD = st.sampled_from(
    sorted({*words(FULL), "initContainers", "ephemeralContainers", "windows", "Default", "image", ""})
)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | WORD | st.text(max_size=3) | st.just(1 << 70)
KEY = WORD | st.none() | st.integers() | st.booleans() | st.tuples(st.integers())
NONSENSE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4), max_leaves=20
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from places(node[key], (*path, key))


def replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(node, list):
        return [replaced(item, path[1:], value) if index == path[0] else item for index, item in enumerate(node)]
    return {key: replaced(item, path[1:], value) if key == path[0] else item for key, item in node.items()}


DAMAGED = st.builds(replaced, st.just(FULL), st.sampled_from(list(places(FULL))), NONSENSE)


@given(NONSENSE | DAMAGED | st.fixed_dictionaries({"metadata": NONSENSE, "spec": NONSENSE}), st.sampled_from(MINORS))
def test_nothing_raises(template: Any, minor: int) -> None:
    passes = {level: not evaluate(template, level, (1, minor)) for level in LEVELS}
    expected = "privileged" if not passes["baseline"] else "restricted" if passes["restricted"] else "baseline"
    assert level_of(template, (1, minor)) == expected
    for violation in evaluate(template, "restricted", (1, minor)):
        assert violation.paths and violation.message and not violation.message.endswith(": ")


def test_the_input_is_left_alone() -> None:
    before = json.dumps(FULL)
    for minor in MINORS:
        evaluate(FULL, "restricted", (1, minor))
    assert json.dumps(FULL) == before
