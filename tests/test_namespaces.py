"""What the tree shows of a namespace: whether it stands alone, and which object stands for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.facts.objects.namespace_contents import Namespaces, is_alone
from hardener.tree.tree import Tree

from .conftest import DEPLOYMENT, write

SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects:
- {kind: ServiceAccount, name: web, namespace: NAME}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: r, namespace: flux-system}
spec: {targetNamespace: NAME}
"""


@pytest.mark.parametrize(
    ("beside", "alone"),
    [
        ("", True),
        (DEPLOYMENT.replace("name: web\nspec", "name: web\n  namespace: shop\nspec"), False),
        (DEPLOYMENT.replace("name: web\nspec", "name: web\n  namespace: other\nspec"), True),
        (SHOP.replace("shop", "other"), False),  # which of them would be meant?
        (SHOP.replace("shop", "other") + "---\n" + BINDING.replace("NAME", "other"), True),
        (BINDING.replace("NAME", "shop"), False),
        (BINDING.replace("NAME", "other"), True),
        (RELEASE.replace("NAME", "shop"), False),
        (RELEASE.replace("NAME", "other"), True),
    ],
)
def test_alone_is_what_nothing_else_names(beside: str, alone: bool, tmp_path: Path) -> None:
    write(tmp_path, {"shop.yaml": SHOP, **({"beside.yaml": beside} if beside else {})})
    workspace = Tree.read([str(tmp_path)], root=str(tmp_path))
    assert is_alone(workspace.ask(Namespaces)["shop"]) == alone


@pytest.mark.parametrize("ours", ["a", "b"])
def test_of_two_copies_the_one_that_may_be_edited_stands_for_it(ours: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/shop.yaml": SHOP, "b/shop.yaml": SHOP})
    workspace = Tree.read([str(tmp_path / ours)], root=str(tmp_path))
    assert workspace.ask(Namespaces)["shop"].object.piece.file.path == str(tmp_path / ours / "shop.yaml")
