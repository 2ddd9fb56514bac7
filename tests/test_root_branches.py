"""What the scripts of an image do whoever runs them, and what they do for root alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.root_branches import as_any_user
from hardener.kubernetes.images.reference import parse
from hardener.tree.tree import Tree
from tests.conftest import Harden, write
from tests.test_known_images import deployment

# A script by its lines, the numbers of those that run as any user (None where it is not understood), and that of the
# line which ends it for any but root.
BRANCHES: dict[str, tuple[list[str], list[int] | None, int]] = {
    "it does not ask": (["chown a /b", "exec app"], [1, 2], 0),
    "a comment asks": (["# id -u", "chown a /b"], [2], 0),
    "for root": (['if [ "$(id -u)" = 0 ]; then', "chown a /b", 'exec gosu a "$0"', "fi", "exec app"], [1, 4, 5], 0),
    "for root, with another condition": (
        ['if [ "$1" = db ] && [ "$(id -u)" = "0" ]; then', "chown a /b", "fi", "exec db"], [1, 3, 4], 0),
    "spelled otherwise": (["if [[ $EUID -eq 0 ]]; then", "chown a /b", "fi", "exec app"], [1, 3, 4], 0),
    "as arithmetic": (["if (( EUID == 0 )); then", "chown a /b", "fi", "exec app"], [1, 3, 4], 0),
    "by its name": (['if [ "$(whoami)" == root ]; then', "chown a /b", "fi", "exec app"], [1, 3, 4], 0),
    "by a variable": (['me="$(id -u)"', 'if [ "$me" = "0" ]; then', "chown a /b", "fi"], [1, 2, 4], 0),
    "behind else": (['if [ "$(id -u)" != 0 ]; then', "id", "else", "chown a /b", "fi", "app"], [1, 2, 3, 5, 6], 0),
    "others are left out": (['if [ `id -u` -ne 0 ]; then', 'exec "$@"', "fi", "chown a /b", "exec app"], [1, 2, 3], 0),
    "others leave, in one line": (['[ "$(id -u)" != 0 ] && exec app', "chown a /b"], [1], 0),
    "others are refused": (['if [ "$(id -u)" -ne 0 ]; then', "echo no", "exit 1", "fi", "app"], [1, 2, 3, 4, 5], 1),
    "others are refused, in one line": (['[ "$(id -u)" = 0 ] || { echo no; exit 1; }', "app"], [1, 2], 1),
    "others are refused, in one line of if": (['if [ $UID -ne 0 ]; then echo no; exit 1; fi', "app"], [2], 1),
    "in one line": (['[ "$(id -u)" = 0 ] && chown a /b', "exec app"], [2], 0),
    "in two lines": (['test "$(id -u)" = 0 && \\', "  chown a /b", "exec app"], [3], 0),
    "nested": (['if [ $(id -u) = 0 ]; then', "if x; then", "y", "fi", "chown a /b", "fi", "app"], [1, 6, 7], 0),
    "it may fail": (["chown a /b || true", "chmod 700 /b || :", "exec app"], [3], 0),
    "another number": (['if [ "$(id -u)" = "$PUID" ]; then', "a", "fi"], None, 0),
    "a case": (['case "$(id -u)" in', "0) chown a /b;;", "esac"], None, 0),
    "elif": (["if x; then", "y", 'elif [ "$(id -u)" = 0 ]; then', "chown a /b", "fi"], None, 0),
    "no end": (['if [ "$(id -u)" = 0 ]; then', "chown a /b"], None, 0),
}  # fmt: skip


@pytest.mark.parametrize("lines,left,ends", BRANCHES.values(), ids=BRANCHES)
def test_branches_for_root_are_left_out(lines: list[str], left: list[int] | None, ends: int) -> None:
    found = as_any_user("\n".join(lines))
    if found is None:
        assert left is None
        return
    assert [number for number, line in enumerate(found.text.split("\n"), 1) if line] == left
    assert found.ends == ends


DOCKERFILE = 'FROM alpine\nCOPY start.sh job.sh /\nENTRYPOINT ["/start.sh"]\n'
FILES = {"web/Dockerfile": DOCKERFILE, "compose.yaml": "services: {web: {build: web, image: acme/web}}\n"}
COPES = 'if [ "$(id -u)" = 0 ]; then\n  chown app /srv\n  exec su-exec app /start.sh\nfi\n'
# What start.sh does, what job.sh does, the command of the container, and what holds its user.
STARTS: dict[str, tuple[str, str, dict[str, Any], list[str]]] = {
    "it copes": (f"{COPES}exec app\n", "", {}, []),
    "a variable copes": (f'u=$(id -u)\n{COPES.replace("$(id -u)", "$u")}exec app\n', "", {}, []),
    "chown behind a branch": (f"{COPES}chown app /data\nexec app\n", "", {}, ["web/start.sh:6: chown"]),
    "it becomes another user": ("exec setpriv --reuid=7 app\n", "", {}, ["web/start.sh:2: setpriv"]),
    "sudo": ("sudo -E app\n", "", {}, ["web/start.sh:2: sudo"]),
    "setcap": ("setcap cap_net_raw+ep /app\nexec /app\n", "", {}, ["web/start.sh:2: setcap"]),
    "it refuses": ("[ $(id -u) = 0 ] || exit 1\nexec app\n", "", {}, ["web/start.sh:2: ends unless it is root"]),
    "another script does": ("/job.sh\nexec app\n", "gosu app x\n", {}, ["web/job.sh:2: gosu"]),
    "root alone starts it": (f"{COPES.replace('chown app /srv', '/job.sh')}exec app\n", "gosu app x\n", {}, []),
    "a command in its place": ("exec gosu app x\n", "exec app\n", {"command": ["/job.sh"]}, []),
    "the command does": ("exec app\n", "chown a /b\n", {"command": ["/job.sh"]}, ["web/job.sh:2: chown"]),
    "the arguments do": (
        "exec app\n", "chown a /b\n", {"command": ["sh", "-c"], "args": ["/job.sh"]}, ["web/job.sh:2: chown"]),
    "cron": ("exec crond -f\n", "", {}, ["web/start.sh:2: crond"]),
}  # fmt: skip


@pytest.mark.parametrize("start,job,fields,held", STARTS.values(), ids=STARTS)
def test_what_a_start_needs_root_for_holds_the_user(
    harden: Harden, tmp_path: Path, start: str, job: str, fields: dict[str, Any], held: list[str]
) -> None:
    scripts = {"web/start.sh": f"#!/bin/sh\n{start}", "web/job.sh": f"#!/bin/sh\n{job}"}
    write(tmp_path, {**FILES, **scripts, "app.yaml": deployment("web", {"image": "acme/web", **fields})})
    found = json.loads(harden("diff", ".", "--format", "json", "--only", "run-as-user", cwd=tmp_path).out)
    because = [fact["text"] for each in found["held"] for fact in each["evidence"]]
    assert [text for text in because if text.startswith("web/") and "FROM" not in text] == held
    assert [each["grade"] for each in found["held"]] == ["breaking" if held else "guess"]


def test_what_root_alone_writes_is_no_write_of_another_user(tmp_path: Path) -> None:
    start = 'if [ "$(id -u)" = 0 ]; then\n  date > /etc/started\nfi\ndate > /srv/started\nexec app\n'
    write(tmp_path, {**FILES, "web/start.sh": f"#!/bin/sh\n{start}"})
    reference = parse("acme/web")
    assert reference is not None
    image = Tree(root=str(tmp_path.resolve())).ask(BuiltImages).of(reference)
    assert image is not None
    assert [said.value for said in image.writes] == ["/etc/started", "/srv/started"]
    assert [said.value for said in image.writes_as_any] == ["/srv/started"]
