"""What is collected anew: facts of rights once these have changed, facts of what is there once all is decided."""

from __future__ import annotations

import textwrap
from pathlib import Path

from hardener.facts.access.grants import Access
from hardener.facts.access.makers import PodMakers
from hardener.facts.access.pod_constraints import PodConstraints
from hardener.facts.kustomize.free_names import Names
from hardener.facts.network.run_time_peers import RunTimePeers
from hardener.tree.tree import Tree
from tests.conftest import write

GRANT = """\
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: wide}
    rules:
    - apiGroups: [security.openshift.io]
      resources: [securitycontextconstraints]
      resourceNames: [privileged]
      verbs: [use]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: wide}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide}
    subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
    """


def test_who_may_use_constraints_is_asked_anew(tmp_path: Path) -> None:
    write(tmp_path, {"rbac.yaml": textwrap.dedent(GRANT)})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert len(tree.ask(PodConstraints).holders("privileged")) == 1
    (role,) = tree.of("rbac.authorization.k8s.io", "ClusterRole")
    role.data["rules"].clear()
    tree.drop_facts_of_rights()
    assert tree.ask(PodConstraints).holders("privileged") == []


def test_what_is_kept_of_them_is_dropped(tmp_path: Path) -> None:
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    before = [tree.ask(Access), tree.ask(RunTimePeers), tree.ask(PodConstraints)]
    tree.drop_facts_of_rights()
    assert all(old is not tree.ask(type(old)) for old in before)


def test_objects_come_and_go_after_facts_of_now_are_dropped(tmp_path: Path) -> None:
    """A step that cannot be written is rolled back when all is decided, and takes its objects with it."""
    write(tmp_path, {"rbac.yaml": textwrap.dedent(GRANT)})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    before = [tree.ask(PodMakers), tree.ask(Names)]
    tree.drop_facts_of_now()
    tree.remove({tree.objects[0]})
    assert all(old is not tree.ask(type(old)) for old in before)
