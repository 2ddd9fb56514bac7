"""Which pods the commands of a script start."""

from __future__ import annotations

import pytest

from hardener.kubernetes.pods.kubectl_pods import pipeline_commands, started

HOST_PID = '{"spec": {"hostPID": true}}'


def seen(text: str) -> list[tuple[str, bool, str | None]]:
    """Of each pod the command, whether the pod itself is known, and the sign where it is not."""
    return [(each.command, each.pod is not None, each.sign) for each in started(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kubectl run a --image=b --privileged", [("kubectl run a", True, None)]),
        ("kubectl run a --image=b --privileged=true", [("kubectl run a", True, None)]),
        ("kubectl run a --image=b --privileged=false", []),
        ("kubectl -n demo --context prod run a --image b --privileged", [("kubectl run a", True, None)]),
        ("kubectl run a --image=b -- sh --privileged", []),
        ("kubectl run a --image=b", []),
        (f"kubectl run a --image=b --overrides='{HOST_PID}'", [("kubectl run a", True, None)]),
        (f"kubectl run a --image=b --overrides '{HOST_PID}'", [("kubectl run a", True, None)]),
        ('kubectl run a --overrides "{\\"spec\\": {\\"hostPID\\": true}}"', [("kubectl run a", True, None)]),
        ("sudo -u root kubectl run a --privileged", [("kubectl run a", True, None)]),
        ("for i in 1 2; do /usr/local/bin/kubectl run a --privileged; done", [("kubectl run a", True, None)]),
        ('x=$(kubectl run a --privileged)', [("kubectl run a", True, None)]),
        ("kubectl run a --overrides=\"$(cat pod.json)\"", []),
        ("""kubectl run a --overrides='{"spec": {"hostIPC": true, "x": '$X'}}'""",
         [("kubectl run a", False, "--overrides asks for hostIPC")]),
        ("kubectl debug web-0 --profile=sysadmin",
         [("kubectl debug web-0", False, "--profile=sysadmin is a privileged container")]),
        ("kubectl debug web-0 --profile=general", []),
        ("kubectl debug node/a --profile=baseline", []),
        ("kubectl debug no/a -it --image=b",
         [("kubectl debug no/a", False, "a debug pod of a node has the namespaces and the files of the node")]),
        ("kubectl delete pod a --privileged", []),
        ("echo 'kubectl run a --privileged'", []),
        ("docker run --privileged kubectl", []),
        ("", []),
    ],
)  # fmt: skip
def test_what_a_command_starts(text: str, found: list[tuple[str, bool, str | None]]) -> None:
    assert seen(text) == found


def test_overrides_are_merged_over_the_flags_and_lists_replaced() -> None:
    text = """kubectl run a --image=b --privileged --overrides='{"spec": {"hostNetwork": true, "dnsPolicy": null}}'"""
    (run,) = started(text)
    assert run.pod is not None
    assert run.pod["spec"] == {
        "containers": [{"name": "a", "image": "b", "securityContext": {"privileged": True}}], "hostNetwork": True,
    }  # fmt: skip
    (run,) = started("""kubectl run a --privileged --overrides='{"spec": {"containers": [{"name": "c"}]}}'""")
    assert run.pod is not None
    assert run.pod["spec"]["containers"] == [{"name": "c"}]


def test_commands_of_a_pipeline() -> None:
    lines = [
        "name: don't stop at a quote of another line",
        "    - run: kubectl run a --privileged",
        "      run: |",
        "        # kubectl run commented --privileged",
        "        kubectl run b \\",
        "          --privileged",
        "        kubectl run c --overrides='{",
        "          }'",
        "  - 'kubectl run d'",
    ]
    assert list(pipeline_commands(lines)) == [
        (1, "kubectl run a --privileged"),
        (4, "kubectl run b           --privileged"),
        (6, "kubectl run c --overrides='{\n          }'"),
        (8, "kubectl run d"),
    ]
