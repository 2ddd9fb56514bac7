"""Rows about images in `.harden.yaml`: they win over the image table, and a wrong one is an error with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.kubernetes.images.table import ImageRow, OwnRows
from hardener.tree.tree import Settings, Tree

from .conftest import Harden
from .test_builds import write

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: registry.example.com/shop/web:1.2
"""
ROWS = """\
profile: restricted
images:
- match: [registry.example.com/shop/*, registry.example.com/old]
  user: app
  uid: 5432
  writable: [/var/lib/shop]
- match: registry.example.com/shop/api
  tags: ^2
  user: root
  source: services/api/Dockerfile
"""
TOO_LONG = "tags would take too long: repeat less, and no group"


def row_of(text: str, own: OwnRows) -> ImageRow | None:
    tree = Tree.from_text(POD.replace("registry.example.com/shop/web:1.2", text), Settings(images=own))
    (template,) = tree.pod_templates
    return template.containers[0].row


def test_a_row_of_the_user_reaches_the_container() -> None:
    own = OwnRows([ImageRow("registry.example.com/shop/web", user="app", uid=5432)])
    found = row_of("registry.example.com/shop/web:1.2", own)
    assert found is not None and (found.user, found.uid) == ("app", 5432)
    assert row_of("registry.example.com/shop/api:1.2", own) is None


def test_it_wins_and_what_it_does_not_say_comes_from_the_table() -> None:
    found = row_of("redis:7", OwnRows([ImageRow("redis", uid=5432)]))
    assert found is not None
    assert (found.uid, found.gid, found.writable) == (5432, None, ("/data",))  # 999 is the group of another number
    assert found.sure_of("writable") and not found.sure_of("uid")


def test_what_the_user_read_counts_as_it_does_in_the_table() -> None:
    found = row_of("registry.example.com/a", OwnRows([ImageRow("registry.example.com/a", uid=7, read="dockerfile")]))
    assert found is not None and found.sure_of("uid") and not found.sure_of("writable")


@pytest.mark.parametrize(
    ("image", "uid"),
    [
        ("registry.example.com/shop/web:1", 5432),
        ("registry.example.com/old", 5432),
        ("registry.example.com/shop/api:1", 5432),  # its own row is for another tag
        ("registry.example.com/new", None),
    ],
)
def test_the_configuration_gives_rows(image: str, uid: int | None, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": POD.replace("registry.example.com/shop/web:1.2", image), ".harden.yaml": ROWS})
    done = harden("diff", ".")
    assert done.status in (0, 1)
    assert ("runAsUser: 5432" in done.all) == (uid is not None)
    assert ("mountPath: /var/lib/shop" in done.all) == (uid is not None)


@pytest.mark.parametrize(
    "tags",
    ["^2", "alpine", r"^v?[89]\\.", "^(?!.*(windows|nanoserver|builder))", "-nonroot$", r"^v?(9|1[0-7])(?![0-9])"],
)
def test_tags_as_people_write_them(tags: str, harden: Harden, tmp_path: Path) -> None:
    config = f'images:\n- match: registry.example.com/shop/web\n  tags: "{tags}"\n  uid: 5432\n'
    write(tmp_path, {"web.yaml": POD, ".harden.yaml": config})
    assert harden("diff", ".").status in (0, 1)


def test_the_list_of_images_knows_them(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": POD, ".harden.yaml": ROWS})
    assert " app " in harden("images", ".").out


@pytest.mark.parametrize(
    ("rows", "line", "text"),
    [
        ("- {user: app}", 2, "match is missing: the name of an image without its tag, or a glob"),
        (
            "- match: nginx\n  usr: app",
            3,
            "usr is no key of a row about an image: known are match, tags, behaves-as, user, ",
        ),
        ("- match: nginx\n  user: root\n  rofs: no", 4, "rofs is ok or no (in quotes)"),
        ("- match: nginx\n  writable:\n  - /a b", 3, "writable is a list of absolute paths"),
        ("- match: a\n- match: b\n  uid: -1", 4, "uid is a number"),
        ("- match: a\n  tags: (a+)+$", 3, TOO_LONG),
        ("- match: a\n  tags: .*.*.*a", 3, TOO_LONG),
        ("- match: a\n  tags: (a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)b", 3, TOO_LONG),
        ("- match: a\n  tags: a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaab", 3, TOO_LONG),
        ("- match: a\n" * 1001, 1, "more than 1000 names"),
    ],
)
def test_a_wrong_row_is_an_error_with_its_place(
    rows: str, line: int, text: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"web.yaml": POD, ".harden.yaml": f"images:\n{rows}\n"})
    done = harden("diff", ".")
    assert done.status == 2
    assert done.err.startswith(f"harden: .harden.yaml:{line}: images: {text}"), done.err


@pytest.mark.parametrize("rows", ["images: nginx", "images: {nginx: root}", "images: [nginx]"])
def test_what_is_no_list_of_rows_is_an_error(rows: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": POD, ".harden.yaml": f"{rows}\n"})
    done = harden("diff", ".")
    assert done.status == 2
    assert done.err.startswith("harden: .harden.yaml: images") and ": expected a " in done.err
