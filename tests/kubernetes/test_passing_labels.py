"""Which labels of a pod say what it is, and which only the release, the controller or a scanner."""

import pytest

from hardener.kubernetes.network.passing_labels import stays

LASTING = [
    ("app", "web"), ("app.kubernetes.io/name", "web"), ("app.kubernetes.io/instance", "shop-1"), ("release", "shop"),
    ("k8s-app", "kube-dns"), ("tier", "2"), ("role", "sha"), ("hash-ring", "a"), ("builder", "kaniko"), ("app", "v2"),
    ("team", "updates"), ("shard", "20"), ("app", "facade1"), ("kubeaudit", "job"), ("app", ""), ("", "web"),
    ("example.com/notkubeaudit.io", "x"), ("app.kubernetes.io/component", "build-cache"),
]  # fmt: skip
PASSING = [
    ("version", "v1"), ("app.kubernetes.io/version", "stable"), ("helm.sh/chart", "web-1.4.0"), ("chart", "web"),
    ("pod-template-hash", "5c9f"), ("controller-revision-hash", "a"), ("batch.kubernetes.io/job-name", "x"),
    ("rollouts-pod-template-hash", "5c9f"), ("apps.kubernetes.io/pod-index", "0"), ("job-name", "x"),
    ("git-commit", "abc"), ("gitCommit", "abc"), ("commitSHA", "abc"), ("example.com/revision", "4"),
    ("istio.io/rev", "1-20"),
    ("build-number", "77"), ("buildId", "77"), ("release-date", "today"), ("deployed-at", "noon"),
    ("configChecksum", "1"),
    ("tags.datadoghq.com/version", "1"), ("release", "1.4.0"), ("tag", "v1.4.0-rc.1"), ("image", "1.4_2"),
    ("deploy", "2026-04-01"), ("deploy", "20260401"), ("deploy", "2026-04-01T10.20.30Z"), ("started", "1775000000"),
    ("source", "0123456789abcdef0123456789abcdef01234567"),
    ("kubeaudit.allow.privileged", "x"),
    ("container.kubeaudit.io/web.allow-privilege-escalation", ""), ("kubeaudit.io/allow-privileged", "x"),
    ("audit.kubernetes.io/pod.allow-host-network", ""), ("hardener.dev/ignore-all", "x"),
    ("ignore-check.kube-linter.io/run-as-non-root", "x"), ("polaris.fairwinds.com/exempt", "true"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), LASTING)
def test_what_a_pod_is_stays(key: str, value: str) -> None:
    assert stays(key, value)


@pytest.mark.parametrize(("key", "value"), PASSING)
def test_what_a_release_or_a_scanner_says_does_not(key: str, value: str) -> None:
    assert not stays(key, value)
