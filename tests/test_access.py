"""What accounts get in place of the rights of an administrator: the evidence ladder, with audit logs, on real trees."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import Basis, Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.exports.audit_log.event import Request, requests
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding
from hardener.kubernetes.rbac.observed_rule import is_granted_to_all
from hardener.kubernetes.rbac.rules import Rule, rule_of
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.tree.tree import Settings, Tree

from .conftest import Harden, corpus_copy, shared, write

IDS = frozenset({
    "rbac-cluster-admin-binding", "rbac-wildcard-apigroups", "rbac-wildcard-resources", "rbac-wildcard-verbs",
    "rbac-unused-binding",
})  # fmt: skip
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: app-admin-binding
subjects:
- kind: ServiceAccount
  name: my-app
  namespace: default
roleRef:
  kind: ClusterRole
  name: cluster-admin
  apiGroup: rbac.authorization.k8s.io
"""


def event(account: str, verb: str, resource: str, name: str = "", *, day: int = 1, **more: Any) -> str:
    """An event of ``namespace:account``; the namespace "" is that of a cluster-scoped resource."""
    space = more.pop("space", account.partition(":")[0])
    reference = {"resource": resource, "namespace": space, "apiVersion": "v1", "name": name}
    return json.dumps({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "verb": verb, "user": {"username": f"system:serviceaccount:{account}"},
        "requestURI": f"/api/v1/namespaces/{space}/{resource}/{name}",
        "objectRef": {key: value for key, value in reference.items() if value},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": f"2026-11-{day:02}T10:00:00.000000Z",
        "stageTimestamp": f"2026-11-{day:02}T10:00:00.100000Z",
    } | more)  # fmt: skip


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the transforms of IDS on manifests, with the events of an audit log; the changes are those ``upto`` a grade,
    by default with the guesses."""

    def inner(manifests: str, *events: str, upto: Grade = Grade.GUESS, **options: Any) -> Outcome:
        folder = tmp_path / "tree"
        write(folder, {"rbac.yaml": manifests})
        logs: tuple[str, ...] = ()
        if events:
            write(tmp_path, {"audit.log": "\n".join(events)})
            logs = (str(tmp_path / "audit.log"),)
        workspace = Tree.read([str(folder)], root=str(folder), settings=Settings(audit_logs=logs))
        chosen = profile.load("restricted")
        for name, value in options.items():
            chosen.set_option(f"rbac.{name.replace('_', '-')}", value, "test")
        return pipeline.run(workspace, chosen, pipeline.Gate(upto), only=IDS)

    return inner


def documents(outcome: Outcome) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    """What the files of ``outcome`` hold afterwards, by kind, name and namespace."""
    found = {}
    for change in outcome.files:
        for document in yaml.safe_load_all(change.text):
            metadata = document["metadata"]
            found[document["kind"], metadata["name"], metadata.get("namespace")] = document
    return found


def test_observed_rights_are_all_that_is_left(run: Run) -> None:
    found = documents(
        run(BINDING, event("default:my-app", "get", "configmaps", "app-config"), event("x:y", "get", "pods", day=9))
    )
    role = found["Role", "app-role", "default"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["app-config"], "verbs": ["get"]}
    ]
    assert role["metadata"]["annotations"]["hardener.dev/basis"].startswith("observed (1 events, 2026-11-01T10:00:00")
    assert found["RoleBinding", "app-role-binding", "default"]["roleRef"]["name"] == "app-role"
    assert not any(kind == "ClusterRoleBinding" for kind, _, _ in found)


def test_rights_in_other_namespaces_and_of_the_cluster_get_pairs_of_their_own(run: Run) -> None:
    found = documents(
        run(
            BINDING,
            event("default:my-app", "get", "configmaps", "app-config"),
            event("default:my-app", "list", "pods", space="shop"),
            event("default:my-app", "list", "nodes", space=""),
        )
    )
    assert set(found) == {
        ("Role", "app-role", "default"), ("RoleBinding", "app-role-binding", "default"),
        ("Role", "app-role", "shop"), ("RoleBinding", "app-role-binding", "shop"),
        ("ClusterRole", "app-cluster-role", None), ("ClusterRoleBinding", "app-cluster-role-binding", None),
    }  # fmt: skip
    assert found["RoleBinding", "app-role-binding", "shop"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "my-app", "namespace": "default"}
    ]
    assert found["ClusterRole", "app-cluster-role", None]["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}
    ]


def test_the_same_rights_in_many_namespaces_share_a_cluster_role(run: Run) -> None:
    events = [event("default:my-app", "list", "pods", space=space) for space in "abcd"]
    found = documents(run(BINDING, *events))
    assert ("ClusterRole", "app-role", None) in found
    bound = [value for (kind, _, _), value in found.items() if kind == "RoleBinding"]
    assert {value["metadata"]["namespace"] for value in bound} == set("abcd")
    assert all(value["roleRef"] == bound[0]["roleRef"] for value in bound)
    assert not any(kind == "ClusterRoleBinding" for kind, _, _ in found)


def test_roles_of_different_rights_in_many_namespaces_have_names_of_their_own(run: Run) -> None:
    events = [event("default:my-app", "list", "pods", space=space) for space in "abcd"]
    events += [event("default:my-app", "list", "services", space=space) for space in "efgh"]
    found = documents(run(BINDING, *events))
    assert {name for kind, name, _ in found if kind == "ClusterRole"} == {"app-role", "app-role-2"}
    bound = {where: value["roleRef"]["name"] for (kind, _, where), value in found.items() if kind == "RoleBinding"}
    assert len({bound[space] for space in "abcd"} | {bound["e"]}) == 2


def test_accounts_of_one_binding_get_what_each_was_seen_to_do(run: Run) -> None:
    both = BINDING.replace("roleRef", "- {kind: ServiceAccount, name: job, namespace: default}\nroleRef")
    log = event("default:my-app", "get", "secrets", "own"), event("default:job", "list", "pods")
    found = documents(run(both, *log))
    held = {
        subject["name"]: found["Role", value["roleRef"]["name"], "default"]["rules"][0]["resources"]
        for (kind, _, _), value in found.items() if kind == "RoleBinding" for subject in value["subjects"]
    }  # fmt: skip
    assert held == {"my-app": ["secrets"], "job": ["pods"]}


def test_an_account_that_a_long_log_never_shows_is_unused(run: Run) -> None:
    found = documents(run(BINDING, event("default:other", "get", "pods"), event("x:y", "get", "pods", day=9)))
    assert found["ClusterRoleBinding", "app-admin-binding", None]["subjects"] == []


@pytest.mark.parametrize(
    "events",
    [
        [event("x:y", "get", "pods"), event("x:y", "get", "pods", day=3)],  # too short
        [event("default:y", "create", "pods"), event("x:y", "create", "pods", day=9)],  # no reads are recorded
        # Of another cluster, as far as anything shows: nobody whom the tree knows, and system accounts are everywhere.
        [event("x:y", "get", "pods"), event("kube-system:coredns", "list", "pods", day=9)],
    ],
)
def test_a_log_that_proves_nothing_leaves_the_floor(run: Run, events: list[str]) -> None:
    found = documents(run(BINDING, *events))
    assert len(found["Role", "app-role", "default"]["rules"]) == 2


@pytest.mark.parametrize(("account", "said"), [("x:y", True), ("default:my-app", False)])
def test_a_log_that_shows_nobody_of_the_tree_is_said(account: str, said: bool, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"rbac.yaml": BINDING, "audit.log": event(account, "get", "pods") + "\n"})
    done = harden("diff", "rbac.yaml", "--audit-log", "audit.log")
    assert ("no account in it is one that the tree names" in done.all) is said


def test_a_deployer_that_was_watched_for_a_day_keeps_its_rights(run: Run) -> None:
    outcome = run(BINDING.replace("my-app", "deployer"), event("default:deployer", "get", "configmaps", "app-config"))
    assert [held.transform.id for held in outcome.held] == ["rbac-cluster-admin-binding"]


def test_verbs_are_added_on_request(run: Run) -> None:
    log = event("default:my-app", "get", "configmaps", "app-config")
    found = documents(run(BINDING, log, audit_expand=True))
    verbs = {verb for rule in found["Role", "app-role", "default"]["rules"] for verb in rule["verbs"]}
    assert verbs > {"get"}


def test_a_star_becomes_what_the_log_shows(run: Run) -> None:
    role = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules:
- apiGroups: [""]
  resources: ["*"]
  verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
roleRef: {kind: Role, name: web, apiGroup: rbac.authorization.k8s.io}
"""
    found = documents(run(role, event("shop:web", "list", "pods"), event("shop:web", "get", "secrets", "own")))
    assert found["Role", "web", "shop"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["own"], "verbs": ["get"]},
    ]


def test_a_role_of_ours_grows_with_the_log_and_shrinks_on_request(run: Run) -> None:
    assumed = "---\n".join(change.text for change in run(BINDING).files)
    log = event("default:my-app", "get", "secrets", "app"), event("default:my-app", "list", "pods", day=9)
    outcome = run(assumed, *log)
    (grown,) = (value for (kind, _, _), value in documents(outcome).items() if kind == "Role")
    assert {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["app"], "verbs": ["get"]} in grown["rules"]
    assert len(grown["rules"]) == 3
    assert any("does not explain" in finding.message for finding in outcome.findings)
    outcome = run(assumed, *log, prune_managed=True)
    (pruned,) = (value for (kind, _, _), value in documents(outcome).items() if kind == "Role")
    assert len(pruned["rules"]) == 2


def test_a_rule_of_ours_that_no_log_explains_stays(run: Run) -> None:
    unlogged = (
        "- {apiGroups: [''], resources: [nodes/metrics], verbs: [get]}\n"
        "- {apiGroups: [''], resources: [events], verbs: [create, patch]}\n"
        "- {nonResourceURLs: [/metrics], verbs: [get]}\n"
    )
    assumed = "---\n".join(change.text for change in run(BINDING).files).replace("rules:\n", f"rules:\n{unlogged}")
    log = event("default:my-app", "get", "secrets", "app"), event("default:my-app", "list", "pods", day=9)
    outcome = run(assumed, *log, prune_managed=True)
    (role,) = (value for (kind, _, _), value in documents(outcome).items() if kind == "Role")
    assert [rule["resources"] for rule in role["rules"] if "resources" in rule][:2] == [["nodes/metrics"], ["events"]]
    assert len(role["rules"]) == 5


def test_a_stream_does_not_show_who_runs_as_an_account(harden: Harden) -> None:
    done = harden("filter", stdin=BINDING.encode())
    assert "kind: ClusterRoleBinding" in done.out
    assert "a stream does not show which pods use the account" in done.err


def test_what_the_audit_policy_keeps_out_of_the_log_is_said(run: Run) -> None:
    policy = """\
---
apiVersion: audit.k8s.io/v1
kind: Policy
metadata: {name: log}
rules:
- level: None
  resources: [{group: "", resources: [secrets]}]
- level: Metadata
"""
    outcome = run(BINDING + policy, event("default:my-app", "get", "configmaps", "app-config"))
    (held,) = outcome.held  # it may do what the log lacks
    assert any(fact.text.startswith("the log cannot see:") for change in held.changes for fact in change.edit.evidence)


OF_EVENTS = """\
---
apiVersion: audit.k8s.io/v1
kind: Policy
metadata: {name: log}
rules:
- level: None
  resources: [{group: "", resources: [events]}, {group: events.k8s.io}]
- level: Metadata
"""
OF_READS = """\
---
apiVersion: audit.k8s.io/v1
kind: Policy
metadata: {name: log}
rules:
- level: None
  userGroups: [system:serviceaccounts:default]
  verbs: [get, list, watch]
- level: Metadata
"""


def test_a_policy_that_leaves_out_events_alone_holds_nothing_back(run: Run) -> None:
    outcome = run(BINDING + OF_EVENTS, event("default:my-app", "get", "configmaps", "app-config"))
    assert not outcome.held
    assert any("the log cannot see" in fact.text for change in outcome.changes for fact in change.edit.evidence)


def test_silence_proves_nothing_of_an_account_whose_reads_are_not_recorded(run: Run) -> None:
    log = event("default:other", "get", "pods"), event("x:y", "get", "pods", day=9)
    found = documents(run(BINDING + OF_READS, *log))
    assert len(found["Role", "app-role", "default"]["rules"]) == 2  # the floor


STARRED = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: default}
rules:
- apiGroups: [""]
  resources: [configmaps]
  verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: default}
subjects: [{kind: ServiceAccount, name: web, namespace: default}]
roleRef: {kind: Role, name: web, apiGroup: rbac.authorization.k8s.io}
"""


@pytest.mark.parametrize(
    ("manifests", "account"),
    [(STARRED + OF_READS, "web"), (STARRED.replace("name: web", "name: deployer"), "deployer")],
    ids=["its reads are not recorded", "it deploys, and was watched for a day"],
)
def test_a_star_is_not_cut_down_to_a_log_that_does_not_show_all(run: Run, manifests: str, account: str) -> None:
    found = documents(run(manifests, event(f"default:{account}", "create", "configmaps"), event("x:y", "get", "pods")))
    assert len(found["Role", account, "default"]["rules"][0]["verbs"]) == 8


def test_a_rule_of_ours_is_not_pruned_where_the_log_is_blind(run: Run) -> None:
    assumed = "---\n".join(change.text for change in run(BINDING).files)
    log = event("default:my-app", "create", "secrets"), event("x:y", "list", "pods", day=9)
    outcome = run(assumed + OF_READS, *log, prune_managed=True)
    (role,) = (value for (kind, _, _), value in documents(outcome).items() if kind == "Role")
    assert len(role["rules"]) == 5  # the two that were assumed, what was seen, and events in both groups


def rights(run: Run, *events: str) -> list[dict[str, Any]]:
    """The rules that an account gets in its namespace by the events of a log."""
    rules: list[dict[str, Any]] = documents(run(BINDING, *events))["Role", "app-role", "default"]["rules"]
    return rules


def test_where_no_events_are_recorded_who_writes_objects_may_tell_of_it(run: Run) -> None:
    log = event("default:my-app", "patch", "configmaps", "a"), event("default:my-app", "list", "pods")
    told = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}
    assert told in rights(run, *log)
    assert told not in rights(run, *log, event("x:y", "create", "events"))
    assert told not in rights(run, *log[1:])


def test_a_role_that_is_written_holds_the_change_back(run: Run) -> None:
    role = {"resource": "roles", "apiGroup": "rbac.authorization.k8s.io", "namespace": "default"}
    log = event("default:my-app", "list", "pods"), event("default:my-app", "create", "roles", objectRef=role)
    (held,) = run(BINDING, *log).held
    assert any("escalate" in fact.text for change in held.changes for fact in change.edit.evidence)


def test_a_monitoring_agent_keeps_what_it_asks_kubelets_for(run: Run) -> None:
    log = event("default:prometheus", "list", "pods", space=""), event("x:y", "get", "pods", day=9)
    found = documents(run(BINDING.replace("my-app", "prometheus"), *log))
    rules = found["ClusterRole", "app-cluster-role", None]["rules"]
    assert {"nonResourceURLs": ["/metrics"], "verbs": ["get"]} in rules
    assert any("nodes/metrics" in rule.get("resources", ()) for rule in rules)


UNSEEN = {
    "reading ConfigMaps": ("{apiGroups: [''], resources: [configmaps], verbs: [get]}", True),
    "metrics of another server": ("{nonResourceURLs: [/metrics], verbs: [get]}", False),
    "metrics of kubelets": ("{apiGroups: [''], resources: [nodes/metrics], verbs: [get]}", False),
    "use of constraints": (
        "{apiGroups: [security.openshift.io], resources: [securitycontextconstraints], verbs: [use]}", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSEEN)
def test_silence_of_a_log_proves_nothing_of_rights_that_no_log_shows(run: Run, case: str) -> None:
    rule, gone = UNSEEN[case]
    manifests = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: web}}
rules: [{rule}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: web}}
subjects: [{{kind: ServiceAccount, name: web, namespace: default}}]
roleRef: {{kind: ClusterRole, name: web, apiGroup: rbac.authorization.k8s.io}}
"""
    outcome = run(manifests, event("default:other", "get", "pods"), event("x:y", "get", "pods", day=9))
    assert any(change.transform.id == "rbac-unused-binding" for change in outcome.changes) is gone


def test_what_a_short_log_shows_is_not_proved(run: Run) -> None:
    log = event("default:my-app", "list", "pods")
    assert {change.edit.basis for change in run(BINDING, log).changes} == {Basis.INFERRED}
    week = run(BINDING, log, event("x:y", "get", "pods", day=9))
    assert {change.edit.basis for change in week.changes} == {Basis.PROVED}


def test_all_that_a_real_log_shows_is_allowed_and_what_it_does_not_show(tmp_path: Path) -> None:
    log = shared("findings", "audit-role", "audit.log")
    write(tmp_path, {"rbac.yaml": BINDING})
    settings = Settings(audit_logs=(str(log),))
    tree = Tree.read([str(tmp_path)], root=str(tmp_path), settings=settings)
    found = documents(pipeline.run(tree, profile.load("restricted"), only=IDS))
    given: dict[str | None, list[Rule]] = {}
    for (kind, _, space), value in found.items():
        if kind in ("Role", "ClusterRole"):
            given.setdefault(space, []).extend(map(rule_of, value["rules"]))
    asked = [
        request
        for line in log.read_text(encoding="utf-8").splitlines()
        for request in requests(line.encode())
        if request.user == "system:serviceaccount:default:my-app" and request.allowed
    ]
    assert len(asked) > 20
    for request in asked:
        rules = [*given[None], *given.get(request.namespace, ())]
        own = is_granted_to_all(request.group, request.url or request.resource, request.verb)
        assert own or any(
            request.url in rule.urls if request.url else _allows(rule, request) for rule in rules
        ), request  # fmt: skip
    here = given["default"]
    assert any(rule.covers("", "pods/exec", "create") and rule.names == ("nope",) for rule in here)
    assert any("bind" in rule.verbs and rule.names == ("view",) for rule in here)
    assert any(rule.covers("", "events", "create") for rule in here)


def _allows(rule: Rule, request: Request) -> bool:
    named = not rule.names or request.name in rule.names
    return named and rule.covers(request.group, request.resource, request.verb)


AGGREGATED = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: whole}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "true"}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {part: "true"}}
rules:
- {apiGroups: [""], resources: [serviceaccounts], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: whole}
subjects: [{kind: ServiceAccount, name: deployer, namespace: shop}]
roleRef: {kind: ClusterRole, name: whole, apiGroup: rbac.authorization.k8s.io}
"""


def test_who_holds_a_role_that_aggregates_another_holds_that_too(run: Run) -> None:
    (held,) = run(AGGREGATED).held
    facts = {fact.text for change in held.changes for fact in change.edit.evidence}
    assert any("shop/deployer holds it" in text for text in facts)


OVERLAY = {
    "base/kustomization.yaml": "resources: [rbac.yaml]\n",
    "base/rbac.yaml": """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules:
- {apiGroups: [""], resources: ["*"], verbs: [get, list]}
- {apiGroups: [batch], resources: [jobs], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: default}]
roleRef: {kind: Role, name: web, apiGroup: rbac.authorization.k8s.io}
""",
    "prod/kustomization.yaml": """\
namespace: prod
resources: [../base]
""",
}
COUNTING = """\
patches:
- target: {kind: Role, name: web}
  patch: '[{op: add, path: /rules/1/verbs/-, value: delete}]'
"""


@pytest.mark.parametrize(("patch", "held"), [("", 0), (COUNTING, 1)], ids=["none", "one that counts rules"])
def test_a_patch_that_counts_rules_holds_back_what_would_move_them(patch: str, held: int, tmp_path: Path) -> None:
    write(tmp_path, OVERLAY | {"prod/kustomization.yaml": OVERLAY["prod/kustomization.yaml"] + patch})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.GUESS), only=IDS)
    assert len(outcome.held) == held


REPLACED = """\
replacements:
- source: {kind: ConfigMap, name: settings}
  targets: [{select: SELECT, fieldPaths: [metadata.namespace]}]
"""
PATCH = "apiVersion: rbac.authorization.k8s.io/v1\nkind: KIND\nmetadata: {name: NAME}\n"


@pytest.mark.parametrize(
    ("kustomization", "patch", "said"),
    [
        pytest.param("", "", "", id="nothing"),
        pytest.param(REPLACED.replace("SELECT", "{kind: ClusterRoleBinding}"), "",
                     "replacements of kustomization.yaml change it", id="a replacement for its kind"),
        pytest.param(REPLACED.replace("SELECT", "{name: app-admin-binding}"), "",
                     "replacements of kustomization.yaml change it", id="a replacement for its name"),
        pytest.param(REPLACED.replace("SELECT", "{kind: Deployment, name: web}"), "", "", id="a replacement elsewhere"),
        pytest.param("transformers: ['kind: PrefixTransformer, on: app-admin-binding']\n", "",
                     "transformers of kustomization.yaml change it", id="a transformer"),
        pytest.param("patches: [{target: {kind: ClusterRoleBinding}, patch: '[{op: remove, path: /subjects}]'}]\n", "",
                     "patches of kustomization.yaml change it", id="a patch for its kind"),
        pytest.param("patches: [{target: {kind: Role}, patch: '[{op: remove, path: /rules}]'}]\n", "", "",
                     id="a patch for another kind"),
        pytest.param("", "ClusterRoleBinding app-admin-binding",
                     "elsewhere/patch.yaml patches it", id="a patch in a file"),
        pytest.param("", "ClusterRoleBinding other", "", id="a patch of another name"),
        pytest.param("", "RoleBinding app-admin-binding", "", id="a patch of another kind"),
    ],
)  # fmt: skip
def test_a_binding_that_is_patched_is_not_renamed(
    kustomization: str, patch: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new name would be one that the patch, or the replacement, does not find."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"rbac.yaml": BINDING, "kustomization.yaml": f"resources: [rbac.yaml]\n{kustomization}"})
    if patch:
        kind, name = patch.split()
        more = "patchesStrategicMerge: [patch.yaml]\n"
        write(tmp_path, {"elsewhere/patch.yaml": PATCH.replace("KIND", kind).replace("NAME", name)})
        write(tmp_path, {"elsewhere/kustomization.yaml": more})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    binding = next(each for each in tree.of(GROUP, "ClusterRoleBinding") if "patch" not in each.classes)
    fact = tree.ask(Access).patched_by(Binding(binding, binding.path, binding.data))
    assert (fact.text if fact is not None else "") == said
    if fact is not None:
        field, of, _ = said.partition(" of ")
        assert fact.path[1:] == ((field,) if of else ())


def test_what_is_to_be_deleted_is_named_as_it_is_in_the_cluster(harden: Harden, tmp_path: Path) -> None:
    overlay = "namePrefix: {0}-\nnamespace: default\nresources: [../base]\n"
    write(tmp_path, {
        "base/kustomization.yaml": "resources: [rbac.yaml]\n", "base/rbac.yaml": BINDING,
        "one/kustomization.yaml": overlay.format("one"), "two/kustomization.yaml": overlay.format("two"),
    })  # fmt: skip
    done = harden("diff", ".", "--max-grade", "breaking")
    for name in ("one", "two"):
        assert f"kubectl delete clusterrolebinding {name}-app-admin-binding\n" in done.all


def test_an_account_that_kustomize_moves_with_its_binding_is_in_the_tree(tmp_path: Path) -> None:
    write(tmp_path, OVERLAY)
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = pipeline.run(tree, profile.load("restricted"), only=frozenset({"rbac-dangling"}))
    assert outcome.findings == []


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_what_is_written_is_valid(run: Run, version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="its schemas are what is checked against")
    events = [event("default:my-app", "list", "pods", space=space) for space in "abcd"]
    events += [event("default:my-app", "list", "nodes", space=""), event("default:my-app", "get", "secrets", "own")]
    for outcome in (run(BINDING), run(BINDING, *events)):
        for document in documents(outcome).values():
            kubernetes_validate.validate(document, version, strict=True)


def test_the_report_says_what_to_do_before_and_after(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"rbac.yaml": BINDING})
    done = harden("diff", ".", "--max-grade", "guess")
    assert "1 binding reduced to fewer rights" in done.all
    assert "--audit-log FILE" in done.all
    assert "kubectl delete clusterrolebinding app-admin-binding" in done.all


EVERYTHING = "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}"
OF_ALL = "kind: ClusterRole\nmetadata: {name: all}\nrules: [" + EVERYTHING + "]\n"
OWN_ROLE = f"apiVersion: rbac.authorization.k8s.io/v1\n{OF_ALL}---\n" + BINDING.replace(
    "  name: cluster-admin", "  name: all"
)
STAR = OWN_ROLE.replace(EVERYTHING, "{apiGroups: [''], resources: ['*'], verbs: ['get']}")
RUNNING = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: default}
spec: {template: {spec: {serviceAccountName: my-app, containers: [{name: app, image: example.com/app:1}]}}}
"""


@pytest.mark.parametrize("name", ["my-app", "portal", "web"])
@pytest.mark.parametrize(
    ("manifests", "grade"),
    [
        (BINDING, Grade.GUESS),
        (OWN_ROLE, Grade.GUESS),
        (STAR, Grade.GUESS),
        (f"{BINDING}---\n{RUNNING}", Grade.BREAKING),
        (f"{STAR}---\n{RUNNING}", Grade.BREAKING),
    ],
    ids=["cluster-admin", "a role of its own", "a star", "cluster-admin of a workload", "a star of a workload"],
)
def test_rights_of_which_nothing_shows_the_use_are_not_taken_by_default(
    run: Run, manifests: str, grade: Grade, name: str
) -> None:
    outcome = run(manifests.replace("my-app", name), upto=Grade.REVIEW)
    assert {held.grade for held in outcome.held} == {grade}
    assert outcome.changes == []


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ("", "Guesses: 1 change of 1 service account waits; what it needs is not known"),
        ("---\n" + BINDING.replace("my-app", "other").replace("app-admin-", "other-"),
         "Guesses: 2 changes of 2 service accounts wait; what they need is not known"),
        (f"---\n{RUNNING.replace('my-app', 'runs')}",
         "Guesses: 5 changes of 1 container and 1 service account wait; what they need is not known"),
    ],
    ids=["one", "two", "beside an image"],
)  # fmt: skip
def test_the_report_says_how_to_know_what_an_account_needs(
    more: str, title: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"rbac.yaml": BINDING + more})
    said = harden("diff", ".").all
    block = " ".join(said[said.index("\nGuesses: ") :].strip().partition("\n\n")[0].split())
    assert block.startswith(title)
    assert "ServiceAccount default/my-app nothing in the tree runs as it" in block
    assert "harden diff . --audit-log FILE takes the rights from what the account was seen to do" in block
    assert ("harden lock . --deep" in block) is ("image" in more)


NAMING = {
    "a Flux Kustomization": """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop, namespace: default}
spec: {path: ./shop, serviceAccountName: my-app}
""",
    "values of a HelmRelease": """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: flux-system}
spec: {targetNamespace: default, values: {serviceAccount: {create: false, name: my-app}}}
""",
    "parameters of an Application": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  destination: {namespace: default}
  source: {chart: shop, helm: {parameters: [{name: worker.serviceAccount.name, value: my-app}]}}
""",
    "values of an Application, as text": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  destination: {namespace: default}
  source:
    chart: shop
    helm:
      values: |
        serviceAccount:
          create: false  # it is there
          name: my-app
""",
    "values of a HelmChart": """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: shop, namespace: kube-system}
spec: {chart: shop, targetNamespace: default, valuesContent: "serviceAccountName: my-app"}
""",
    "a template of a workload": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  {{- with .Values.namespace }}
  namespace: {{ . }}
  {{- end }}
spec: {template: {spec: {serviceAccountName: my-app}}}
""",
    "a token Secret": """\
apiVersion: v1
kind: Secret
metadata: {name: t, namespace: default, annotations: {kubernetes.io/service-account.name: my-app}}
type: kubernetes.io/service-account-token
""",
    "a lease to elect a leader": """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leases, namespace: default}
rules: [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: leases, namespace: default}
subjects: [{kind: ServiceAccount, name: my-app, namespace: default}]
roleRef: {kind: Role, name: leases, apiGroup: rbac.authorization.k8s.io}
""",
}
NOT_NAMING = {
    "an Application of another namespace": NAMING["parameters of an Application"].replace(": default", ": other"),
    "a template with another account": NAMING["a template of a workload"].replace("my-app", "my-app-2"),
    "values with another name below": NAMING["values of an Application, as text"].replace(
        "          name", "        name"
    ),
    "an AppProject for another account": """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd}
spec: {destinationServiceAccounts: [{namespace: default, defaultServiceAccount: other}]}
""",
}


@pytest.mark.parametrize("case", [*NAMING, *NOT_NAMING])
def test_no_floor_is_assumed_for_an_account_that_something_works_with(run: Run, case: str) -> None:
    outcome = run(f"{BINDING}---\n{(NAMING | NOT_NAMING)[case]}")
    assert bool(outcome.held_back) is (case in NAMING)


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "chart/templates/shop.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec: {template: {spec: {serviceAccountName: {0}, containers: []}}}
""",
}


@pytest.mark.parametrize(("account", "kept"), [("my-app", True), ("other", False)])
def test_a_template_of_a_chart_names_its_account(account: str, kept: bool, tmp_path: Path) -> None:
    files = {path: text.replace("{0}", account) for path, text in CHART.items()}
    write(tmp_path, files | {"rbac.yaml": BINDING})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = pipeline.run(tree, profile.load("restricted"), only=IDS)
    assert bool(outcome.held_back) is kept


DEFINED = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops, singular: shop}
  versions: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: web}
rules: [{apiGroups: [example.com], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
roleRef: {kind: ClusterRole, name: web, apiGroup: rbac.authorization.k8s.io}
---
"""
DOUBTS = {
    "the tree holds all that anything names": ("{apiVersion: example.com/v1, kind: Shop, metadata: {name: a}}", False),
    "an object without a definition": (
        # Read for the account that it names; what runs as another one is no sign.
        "{apiVersion: example.com/v1, kind: Till, metadata: {name: a}, spec: {image: a, serviceAccountName: till}}",
        True,
    ),
    "a chart that the tree does not show": (
        "{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: a}, spec: {chart: a}}", True
    ),
    "a second role that lets it define more": (
        """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: definer}
rules: [{apiGroups: [apiextensions.k8s.io], resources: ["*"], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: definer}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
roleRef: {kind: ClusterRole, name: definer, apiGroup: rbac.authorization.k8s.io}
""",
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTS)
def test_a_group_of_which_the_tree_may_not_hold_all_keeps_its_star(run: Run, case: str) -> None:
    more, kept = DOUBTS[case]
    outcome = run(DEFINED + more)
    held = [each for each in outcome.held if str(each.changes[0].object) == "ClusterRole/web"]
    assert bool(held) is kept
    assert kept or any(str(change.object) == "ClusterRole/web" for change in outcome.changes)


@pytest.mark.parametrize(("more", "kept"), [("", False), (DOUBTS["a chart that the tree does not show"][0], True)])
def test_a_star_for_every_group_is_doubted_with_what_is_brought(run: Run, more: str, kept: bool) -> None:
    role = DEFINED.replace("[example.com]", '["*"]').replace('["*"], verbs', "[shops], verbs")
    outcome = run(role + more)
    assert bool(outcome.held) is kept


def test_the_account_default_is_that_of_pods_which_the_tree_may_not_show(run: Run) -> None:
    (held,) = run(BINDING.replace("my-app", "default")).held
    assert any("names no account" in fact.text for change in held.changes for fact in change.edit.evidence)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, True) for name in (
            "ci", "shop-cd", "deployer", "web-deploy", "git", "gitlab-runner", "jenkins", "terraform", "pulumi",
            "reconciler", "argo-runs", "argo", "flux", "fluxcd", "admin-user", "backup", "shop-operator",
            "replica-controller", "controller-manager",
        )),
        *((name, False) for name in ("shop", "web", "cincinnati", "digital", "cdn", "cargo")),
    ],
)  # fmt: skip
def test_names_of_who_deploys_and_of_controllers_keep_their_rights(run: Run, name: str, kept: bool) -> None:
    assert bool(run(BINDING.replace("my-app", name)).held) is kept


def of_corpus(name: str, folder: Path) -> Outcome:
    tree = str(corpus_copy(name, folder))
    return pipeline.run(Tree.read([tree], root=tree), profile.load("restricted"))


@pytest.mark.slow
def test_argo_cd_keeps_its_rights(tmp_path: Path) -> None:
    outcome = of_corpus("argo-cd", tmp_path)
    authorization = [
        change for change in [*outcome.changes, *(c for held in outcome.held for c in held.changes)]
        if change.transform.risk == "K02"
    ]  # fmt: skip
    assert authorization == []
    stars = [finding for finding in outcome.findings if finding.id.startswith("rbac-wildcard-")]
    by_file = Counter(Path(finding.file).name for finding in stars)
    assert by_file["install.yaml"] == 4
    assert by_file["core-install.yaml"] == 2
    assert by_file["namespace-install.yaml"] == 0
    assert len({str(finding.object) for finding in stars if finding.file.endswith("/install.yaml")}) == 2


@pytest.mark.slow
def test_the_stars_of_kube_prometheus_are_written_out(tmp_path: Path) -> None:
    outcome = of_corpus("kube-prometheus", tmp_path)
    starred = Counter(
        str(change.object)
        for change in outcome.changes
        if change.transform.id.startswith("rbac-wildcard-") and change.path[-1] == "verbs"
    )
    assert starred == {"ClusterRole/prometheus-operator": 3, "ClusterRole/resource-metrics-server-resources": 1}
    grants = {
        (str(finding.object).rpartition("/")[2], finding.message[:3])
        for finding in outcome.findings
        if finding.id == "rbac-dangerous-grant"
    }
    assert {("prometheus-operator", "D06"), ("prometheus-operator", "D07"), ("kube-state-metrics", "D06")} <= grants


def test_the_seed_comes_out_as_a_pair_of_a_role_and_a_binding(run: Run) -> None:
    found = documents(run(shared("seed", "k02-insecure.yaml").read_text(encoding="utf-8")))
    assert set(found) == {("Role", "app-role", "default"), ("RoleBinding", "app-role-binding", "default")}
    secure = list(yaml.safe_load_all(shared("seed", "k02-secure.yaml").read_text(encoding="utf-8")))
    mapped = documents(
        run(shared("seed", "k02-insecure.yaml").read_text(encoding="utf-8"), namespace_map="default=my-app-ns")
    )
    assert set(mapped) == {
        (document["kind"], document["metadata"]["name"], document["metadata"]["namespace"]) for document in secure
    }


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("app-admin-binding", "app-role"),
        ("app-cluster-admin", "app-role"),
        ("app-crb", "app-role"),
        ("cluster-admin-rb", "my-app-role"),
        ("superadmin", "superadmin-role"),
        ("app", "app-role"),
    ],
)
def test_a_role_is_called_after_its_binding(run: Run, name: str, role: str) -> None:
    assert ("Role", role, "default") in documents(run(BINDING.replace("app-admin-binding", name)))


BASE_BINDING = """\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: web-admin}}
subjects: [{{kind: ServiceAccount, name: web{namespace}}}]
roleRef: {{kind: ClusterRole, name: cluster-admin, apiGroup: rbac.authorization.k8s.io}}
"""
CONFIG = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["app-config"], "verbs": ["get"]}
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}


def of_base(tmp_path: Path, kind: str, namespace: str, overlays: dict[str, str], *events: str) -> Outcome:
    """The outcome for an account and its binding in a kustomize base, with overlays and the events of a log."""
    bases = {f"{name}/kustomization.yaml": f"{text}\nresources: [../base]\n" for name, text in overlays.items()}
    base = BASE_BINDING.format(kind=kind, namespace=f", namespace: {namespace}" if namespace else "")
    write(tmp_path / "tree", bases | {"base/kustomization.yaml": "resources: [rbac.yaml]\n", "base/rbac.yaml": base})
    write(tmp_path, {"audit.log": "\n".join(events)})
    settings = Settings(audit_logs=(str(tmp_path / "audit.log"),))
    tree = Tree.read([str(tmp_path / "tree")], root=str(tmp_path / "tree"), settings=settings)
    return pipeline.run(tree, profile.load("restricted"), pipeline.Gate(Grade.GUESS), only=IDS)


@pytest.mark.parametrize(
    ("kind", "namespace"), [("RoleBinding", ""), ("RoleBinding", "default"), ("ClusterRoleBinding", "default")]
)
@pytest.mark.parametrize(
    ("overlays", "events", "rules", "said"),
    [
        ({"dev": "namespace: dev"}, [event("dev:web", "get", "configmaps", "app-config")], [CONFIG], "1 events of dev"),
        (
            {"dev": "namespace: dev", "prod": "namespace: prod"},
            [event("dev:web", "get", "configmaps", "app-config"), event("prod:web", "list", "pods", day=9)],
            [CONFIG, PODS], "1 events of prod",
        ),
        (
            {"dev": "namespace: dev", "prod": "namespace: prod"},
            [event("prod:web", "list", "pods"), event("x:y", "get", "pods", day=9)], [PODS], "nothing of dev/web",
        ),
        (
            {"dev": "namespace: dev\nnamePrefix: one-"},
            [event("dev:one-web", "list", "pods"), event("x:y", "get", "pods", day=9)], [PODS],
            "1 events of dev/one-web",
        ),
    ],
    ids=["one", "several", "one of them in the log", "under a prefix"],
)  # fmt: skip
def test_the_log_is_asked_for_an_account_of_a_base_under_its_names_in_the_cluster(
    kind: str, namespace: str, overlays: dict[str, str], events: list[str], rules: list[Any], said: str, tmp_path: Path
) -> None:
    outcome = of_base(tmp_path, kind, namespace, overlays, *events)
    (role,) = (each for (kind, _, _), each in documents(outcome).items() if kind == "Role")
    assert role["rules"] == rules
    assert role["metadata"]["annotations"]["hardener.dev/basis"].startswith("observed (")
    assert any(said in fact.text for change in outcome.changes for fact in change.evidence)
    assert not outcome.held


def test_what_an_account_of_a_base_does_elsewhere_holds_the_change_back(tmp_path: Path) -> None:
    events = [event("dev:web", "list", "pods"), event("dev:web", "list", "pods", space="shop", day=9)]
    outcome = of_base(tmp_path, "ClusterRoleBinding", "default", {"dev": "namespace: dev"}, *events)
    (held,) = outcome.held
    assert any("at work in shop" in fact.text for fact in held.changes[0].evidence)
    made = [operation["value"] for operation in held.patch if operation["path"] == ""]
    assert [each["metadata"]["namespace"] for each in made] == ["default"]


@pytest.mark.parametrize(
    ("overlay", "events", "said"),
    [
        ("namespace: dev", [event("x:y", "list", "pods")], "nothing of dev/web"),
        ("namespace: dev", [event("dev:web", "create", "pods")], "not used, since it records no reads"),
        ("labels: []", [event("x:web", "list", "pods")], "not used, since nothing in the tree says the namespace"),
    ],
)
def test_it_is_said_why_a_log_is_not_used(overlay: str, events: list[str], said: str, tmp_path: Path) -> None:
    outcome = of_base(tmp_path, "RoleBinding", "", {"dev": overlay}, *events)
    facts = [fact.text for change in outcome.changes for fact in change.evidence]
    assert any(text.startswith(f"audit log: {said}") for text in facts)
