"""--since: what the revision had and the tree no longer has is judged, since no document is left that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, git, write

POD = DEPLOYMENT.replace("name: web\nspec", "name: web\n  namespace: shop\nspec", 1)
OTHER = POD.replace("name: web\n", "name: api\n", 1).replace("app: web", "app: api")


def policy(name: str, spec: str, namespace: str | None = "shop") -> str:
    space = f", namespace: {namespace}" if namespace else ""
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}{space}}}\nspec: {{{spec}}}\n"
    )


BOTH = "podSelector: {}, policyTypes: [Ingress, Egress]"
DENY = policy("deny-all", BOTH)
OF_WEB = policy("web", "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: []}]")


def namespace(**levels: str) -> str:
    labels = ", ".join(f"pod-security.kubernetes.io/{mode}: {level}" for mode, level in levels.items())
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{a: b, {labels}}}}}\n"


QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\nspec: {hard: {pods: 10, cpu: 4}}\n"
LIMITS = (
    "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l, namespace: shop}\n"
    "spec: {limits: [{type: Container, max: {cpu: 1}, default: {memory: 1Gi}}]}\n"
)
ADMISSION = (
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\n"
    "spec: {policyName: p, validationActions: [Deny]}\n"
)
VALIDATING = (
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\n"
    "spec: {validations: [{expression: 'false'}]}\n"
)
KYVERNO = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: []}\n"
GATEKEEPER = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sPSP\nmetadata: {name: p}\nspec: {}\n"
LIST = "apiVersion: v1\nkind: List\nitems:\n" + "".join(f"- {DENY}".replace("\n", "\n  ").rstrip(" ") for _ in range(1))
OF_KIND = (
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n"
    "- {metadata: {name: d, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress]}}\n"
)


# What went; what takes its place; how severe that is, None for nothing.
LOST = {
    "a policy that denies all": (DENY, "", "high"),
    "one in a list": (LIST, "", "high"),
    "one in a list of its kind": (OF_KIND, "", "high"),
    "one that only denies ingress": (policy("d", "podSelector: {}"), "", "high"),
    "the same under another name": (DENY, policy("default-deny", BOTH), None),
    "the same in two": (DENY, policy("a", "podSelector: {}") + "---\n" +
                        policy("b", "podSelector: {}, policyTypes: [Egress]"), None),
    "the same in another namespace": (DENY, policy("deny-all", BOTH, "other"), "high"),
    "one direction of it": (DENY, policy("deny-all", "podSelector: {}, policyTypes: [Ingress]"), "high"),
    "it lets all in": (DENY, policy("deny-all", BOTH + ", ingress: [{}]"), "high"),
    "it is about a few pods": (DENY, policy("deny-all", BOTH.replace("{}", "{matchLabels: {a: b}}")), "high"),
    "one of no namespace": (policy("d", BOTH, None), "", "high"),
    "one of no namespace, renamed": (policy("d", BOTH, None), policy("e", BOTH, None), None),
    "the policy of one workload": (OF_WEB, "", "high"),
    "the policy of one workload, and one for all": (OF_WEB, policy("all", "podSelector: {}"), None),
    "what a namespace enforces": (namespace(enforce="restricted"), namespace(), "high"),
    "less of it": (namespace(enforce="restricted"), namespace(enforce="baseline"), "high"),
    "nothing, by its name": (namespace(enforce="restricted"), namespace(enforce="privileged"), "high"),
    "more of it": (namespace(enforce="baseline"), namespace(enforce="restricted"), None),
    "a namespace that enforced nothing": (namespace(enforce="privileged"), namespace(), None),
    "the whole namespace": (namespace(enforce="baseline"), "", "high"),
    "what a namespace warns of": (namespace(warn="restricted"), namespace(), "low"),
    "what is audited": (namespace(audit="baseline", enforce="baseline"), namespace(enforce="baseline"), "low"),
    "a quota": (QUOTA, "", "medium"),
    "a bound of a quota": (QUOTA, QUOTA.replace(", cpu: 4", ""), "medium"),
    "a quota under another name": (QUOTA, QUOTA.replace("name: q", "name: r"), None),
    "a LimitRange": (LIMITS, "", "medium"),
    "a bound of a LimitRange": (LIMITS, LIMITS.replace("max: {cpu: 1}, ", ""), "medium"),
    "a binding of an admission policy": (ADMISSION, "", "high"),
    "what such a binding denies": (ADMISSION, ADMISSION.replace("Deny", "Audit"), "high"),
    "a binding under another name": (ADMISSION, ADMISSION.replace("name: b", "name: c"), None),
    "a binding that only warned": (ADMISSION.replace("Deny", "Warn"), "", "low"),
    "an admission policy": (VALIDATING, "", "high"),
    "a policy of Kyverno": (KYVERNO, "", "high"),
    "a policy of Kyverno, renamed": (KYVERNO, KYVERNO.replace("name: p", "name: q"), None),
    "a constraint of Gatekeeper": (GATEKEEPER, "", "high"),
}  # fmt: skip


def found(harden: Harden, *arguments: str) -> list[tuple[str, str]]:
    report = json.loads(harden("check", "k8s", "--since", "HEAD", "--format", "json", *arguments).out)
    return [(each["severity"], each["file"]) for each in report["findings"] if each["id"] == "removed-guard"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("is_whole", [True, False], ids=["a file of its own", "a document of a file"])
@pytest.mark.parametrize("trick", LOST)
def test_what_is_gone_is_a_finding(trick: str, is_whole: bool, harden: Harden, tmp_path: Path) -> None:
    before, after, severity = LOST[trick]
    rest = "" if is_whole else f"---\n{OTHER}"
    write(tmp_path, {"k8s/web.yaml": POD, "k8s/guard.yaml": before + rest})
    commit(tmp_path)
    if after or rest:
        write(tmp_path, {"k8s/guard.yaml": after + rest})
    else:
        (tmp_path / "k8s/guard.yaml").unlink()
    assert found(harden) == ([] if severity is None else [(severity, "k8s/guard.yaml")])
    if is_whole:
        done = harden("check", "k8s", "--since", "HEAD", "--no-waivers", "--fail-on", "high", "--only", "K05")
        assert (done.status == 1) is (severity == "high"), done.out


@pytest.mark.parametrize(
    ("to", "is_lost"),
    [
        ("k8s/policies/deny.yaml", False),
        ("k8s/deny.yaml.off", True),
        ("attic/deny.yaml", True),
        ("k8s/deny.txt", True),
    ],
)
@pytest.mark.parametrize("namespace", ["shop", None])
def test_a_file_that_is_renamed(to: str, is_lost: bool, namespace: str | None, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": POD, "k8s/deny.yaml": policy("deny-all", BOTH, namespace)})
    commit(tmp_path)
    (tmp_path / to).parent.mkdir(exist_ok=True)
    git(tmp_path, "mv", "k8s/deny.yaml", to)
    assert found(harden) == ([("high", "k8s/deny.yaml")] if is_lost else [])
    git(tmp_path, "commit", "-qm", "moved")
    report = json.loads(harden("check", "k8s", "--since", "HEAD~1", "--format", "json").out)
    assert ("removed-guard" in {each["id"] for each in report["findings"]}) is is_lost


def test_what_goes_with_its_workloads_is_less(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/shop.yaml": f"{POD}---\n{DENY}---\n{namespace(enforce='restricted')}", "k8s/other.yaml":
                     OTHER.replace("shop", "other")})  # fmt: skip
    commit(tmp_path)
    (tmp_path / "k8s/shop.yaml").unlink()
    assert found(harden) == [("low", "k8s/shop.yaml")] * 2


def test_a_workload_that_stays_needs_what_goes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/shop.yaml": f"{POD}---\n{DENY}", "k8s/other.yaml": OTHER})
    commit(tmp_path)
    (tmp_path / "k8s/shop.yaml").unlink()
    assert found(harden) == [("high", "k8s/shop.yaml")]


@pytest.mark.parametrize(
    ("resources", "expected"), [("[web.yaml]", ["high"]), ("[web.yaml, deny.yaml]", []), ("[., web.yaml]", ["high"])]
)
def test_what_a_kustomization_takes_in_no_more(
    resources: str, expected: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {
        "k8s/kustomization.yaml": "namespace: shop\nresources: [deny.yaml, web.yaml]\n",
        "k8s/web.yaml": DEPLOYMENT, "k8s/deny.yaml": policy("deny-all", BOTH, None),
    })  # fmt: skip
    commit(tmp_path)
    write(tmp_path, {"k8s/kustomization.yaml": f"namespace: shop\nresources: {resources}\n# less\n"})
    assert [severity for severity, _ in found(harden)] == expected


def test_a_policy_beside_one_that_denies_all_isolates_nothing_more(harden: Harden, tmp_path: Path) -> None:
    of_web = OF_WEB.replace(", namespace: shop", "")
    write(tmp_path, {"k8s/web.yaml": DEPLOYMENT, "k8s/deny.yaml": policy("d", BOTH, None), "k8s/of-web.yaml": of_web,
                     "k8s/other/of-web.yaml": of_web})  # fmt: skip
    commit(tmp_path)
    (tmp_path / "k8s/of-web.yaml").unlink()
    assert found(harden) == []
    (tmp_path / "k8s/other/of-web.yaml").unlink()  # whose namespace may be another one
    assert found(harden) == [("high", "k8s/other/of-web.yaml")]


def test_what_harden_would_add_takes_the_place_of_nothing(harden: Harden, tmp_path: Path) -> None:
    """A pending default-deny of this run is not there yet."""
    write(tmp_path, {"k8s/web.yaml": POD, "k8s/deny.yaml": DENY})
    commit(tmp_path)
    (tmp_path / "k8s/deny.yaml").unlink()
    write(tmp_path, {"k8s/web.yaml": POD + "# more\n"})
    assert found(harden) == [("high", "k8s/deny.yaml")]


def test_a_bound_that_no_transform_reads_is_found_where_it_stays(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/a.yaml": f"{QUOTA}---\n{LIMITS}---\n{ADMISSION}---\n{DENY}", "k8s/web.yaml": POD})
    commit(tmp_path)
    write(tmp_path, {"k8s/a.yaml": f"{DENY}---\n{ADMISSION}---\n{LIMITS}---\n{QUOTA}"})
    assert found(harden) == []


def test_a_file_that_could_not_be_read_had_nothing(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/a.yaml": f"a: [\n---\n{DENY}", "k8s/b.yaml": "\0\1", "k8s/web.yaml": POD})
    commit(tmp_path)
    (tmp_path / "k8s/a.yaml").unlink()
    (tmp_path / "k8s/b.yaml").unlink()
    assert found(harden) == [("high", "k8s/a.yaml")]
