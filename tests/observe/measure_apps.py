"""What ``harden observe`` makes of whole applications: the table, and how many changes it moves from one grade to
another.

``python -m tests.observe.measure_apps [--seconds N] [--workload NAME] [--keep FOLDER] APP...`` copies each application
of ``apps.KNOWN``, pushes its images to a registry on loopback, runs ``harden observe`` over its manifests, then
``harden apply`` and ``harden observe`` once more over the result. It prints, for each image, whether it runs its own
program or what stands in for it; for each workload, how it came up; how many edits are safe, to review and held back,
before and after; and what of the result does not come up whole (nothing). The exit code is 1 where something does not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
from msgspec.structs import replace

from hardener.commands import run as runs
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.lock.model import Lock

from .. import debian_images, services
from ..conftest import commit
from ..podman import ready
from ..registries import running
from .apps import KNOWN, App
from .ground import Ground

Map = dict[str, Any]
_LONGEST = 1500.0  # seconds for one session
_HARDEN = Path(sys.executable).parent / "harden"
_KINDS = (".yaml", ".yml", ".json")


class Failed(Exception):
    """A step did not end as it has to."""


def measure(name: str, words: list[str], keep: Path | None) -> bool:
    """Measure the application ``name`` and print what came of it; whether all of the result came up.
    ``words``: more for harden observe."""
    app = KNOWN[name]()
    print(f"== {name}: {app.manifests}\n", flush=True)
    with _ground(app) as (ground, folder):
        _push(app, ground.host, folder)
        commit(folder)
        began = time.monotonic()
        seen = _observed(ground, folder, app, words)
        took = time.monotonic() - began
        _print_table(seen)
        print(f"\nharden observe: {took:.0f} s, runs of pods: {sum(one['runs'] for one in seen['workloads'])}")
        _print_moves(folder, app)
        applied = _harden(ground, folder, "apply", app.manifests)
        (folder / "apply.txt").write_text(applied.stdout + applied.stderr, encoding="utf-8")
        began = time.monotonic()
        again = _observed(ground, folder, app, words)
        states = Counter(one["state"] for one in again["workloads"])
        print(f"\nafter harden apply, {time.monotonic() - began:.0f} s: {dict(states)}")
        bad = list(_not_whole(seen, again))
        print("\n".join(bad) if bad else "all that came up before comes up whole", flush=True)
        if keep is not None:
            shutil.copytree(folder, keep / name, dirs_exist_ok=True)
            for which, found in (("first", seen), ("second", again)):
                (keep / f"{name}-{which}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    print()
    return not bad


@contextlib.contextmanager
def _ground(app: App) -> Iterator[tuple[Ground, Path]]:
    """A registry and a podman, and a copy of ``app``."""
    with tempfile.TemporaryDirectory() as place, running(Path(place)) as host:
        folder = Path(place) / "copy"
        shutil.copytree(app.folder, folder)
        registries = sorted({_place(name)[0] for name in app.parts})
        mirrors = "".join(f"  {each}: {{mirrors: [{host}/all]}}\n" for each in registries)
        (folder / ".harden.yaml").write_text(f"registries:\n{mirrors}", encoding="utf-8")
        with ready({each: f"{host}/all" for each in registries}) as podman:
            yield Ground(host, podman, Path(place)), folder


def _place(name: str) -> tuple[str, str, str]:
    """The registry, the repository there, and the tag of an image."""
    reference = parse_image(name)
    assert reference is not None
    assert reference.normalized is not None
    registry, _, repository = reference.normalized.partition("/")
    return registry, repository, reference.tag or "latest"


def _push(app: App, host: str, folder: Path) -> None:
    """Push the images of ``app``. Manifests that name one by its digest get the digest that it has here."""
    for name, part in app.parts.items():
        _, repository, tag = _place(name)
        debian_images.push(f"http://{host}", f"all/{repository}", tag, part.layers(), part.image.config)
        kinds = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        asked = httpx2.head(f"http://{host}/v2/all/{repository}/manifests/{tag}", headers=kinds, trust_env=False)
        digest = asked.raise_for_status().headers["docker-content-digest"]
        place = folder / app.manifests
        for file in [place] if place.is_file() else sorted(place.iterdir()):
            if file.suffix in _KINDS:
                text = file.read_text(encoding="utf-8")
                words = [word for word in text.split() if word.startswith(f"{name}@sha256:")]
                for word in words:
                    text = text.replace(word, f"{name}@{digest}")
                if words:
                    file.write_text(text, encoding="utf-8")
        said = ", but ".join(filter(None, ("its own program", part.but))) if part.own else f"stands in: {part.but}"
        print(f"  {name.rpartition('/')[2]}: {said}")
    print(flush=True)


def _harden(ground: Ground, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    nobody = str(ground.folder / "nobody")
    return subprocess.run(
        [_HARDEN, *words], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=ground.podman.settings | {"REGISTRY_AUTH_FILE": f"{nobody}.json", "XDG_CONFIG_HOME": nobody},
        timeout=_LONGEST, check=False,
    )  # fmt: skip


def _observed(ground: Ground, folder: Path, app: App, words: list[str]) -> Map:
    before = ground.left()
    done = _harden(ground, folder, "observe", app.manifests, "--format", "json", *words)
    if not done.stdout:
        raise Failed(done.stderr)
    if ground.left() != before:
        raise Failed("harden observe left something behind")
    found: Map = json.loads(done.stdout)
    return found


def _print_table(seen: Map) -> None:
    rows = [("WORKLOAD", "AS IT IS", "HARDENED", "WROTE TO", "MEMORY")]
    why: list[str] = []
    for one in seen["workloads"]:
        as_it_is = "yes" if one["state"] in ("held", "partly") else "no"
        wrote = sorted({path for container in one["containers"] for path in container["wrote"]})
        memory = sum(container["memory"] or 0 for container in one["containers"])
        rows.append((one["workload"], as_it_is, one["state"], ", ".join(wrote) or "-", f"{-(-memory >> 20)} Mi"))
        for each in one["failed"]:
            held = f" (holds with {', '.join(each['otherwise'])})" if each["otherwise"] else ""
            why.append(f"  {one['workload']}: {', '.join(each['changes'])}{held}: {each['because']}")
        why += [f"  {one['workload']}: {id} not tried: {reason}" for id, reason in one["notTried"].items()]
        connects = sorted({each for container in one["containers"] for each in container["connects"]})
        why += [f"  {one['workload']} connects to {', '.join(connects)}"] if connects else []
        why += [f"  {one['workload']}: {one['reason']}"] if one["reason"] else []
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print("\n".join(["", *why]) if why else "")


def _print_moves(folder: Path, app: App) -> None:
    """How the grade of each edit is without and with what was seen."""
    before, after = (_grades(folder, app, with_observed=known) for known in (False, True))
    for title, found in (("before", before), ("after", after)):
        counts = Counter(found.values())
        print(f"{title}: {counts['safe']} safe, {counts['review']} to review, {counts['held']} held back")
    moved = Counter((before.get(key, "-"), after.get(key, "-")) for key in before.keys() | after.keys())
    for (one, other), number in sorted(moved.items()):
        if one != other:
            ids = Counter(key[2] for key in before.keys() | after.keys()
                          if (before.get(key, "-"), after.get(key, "-")) == (one, other))  # fmt: skip
            named = ", ".join(f"{id} {count}" for id, count in sorted(ids.items()))
            print(f"  {one} -> {other}: {number} ({named})")


def _grades(folder: Path, app: App, *, with_observed: bool) -> dict[tuple[str, str, str, str], str]:
    tree, plan = runs.read([str(folder / app.manifests)], runs.Choices(), lambda name: None)
    if not with_observed and tree.lock is not None:
        found = Lock()
        for name, image in tree.lock.images.items():
            if (reference := parse_image(name)) is not None:
                found.add(reference, replace(image, observed=()))
        tree.lock = found
    outcome = plan.run(tree, lambda name: None, forks=False)
    grades: dict[tuple[str, str, str, str], str] = {}
    for held, changes in [(False, outcome.changes), *((True, held.changes) for held in outcome.held)]:
        for change in changes:
            path = ".".join(map(str, change.path))
            key = (change.object.kind, str(change.object.name), change.transform.id, path)
            grades[key] = "held" if held else change.edit.grade.name.lower()
    return grades


def _not_whole(seen: Map, again: Map) -> Iterator[str]:
    """Those that came up as they were, and do not as harden left them."""
    up = {one["workload"] for one in seen["workloads"] if one["state"] in ("held", "partly")}
    for one in again["workloads"]:
        if one["workload"] in up and one["state"] not in ("held", "partly"):
            yield f"  {one['workload']} no longer comes up: {one['reason']}"


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.observe.measure_apps")
    parser.add_argument("apps", nargs="+", choices=sorted(KNOWN), metavar="APP", help=", ".join(sorted(KNOWN)))
    parser.add_argument("--seconds", type=int, default=5, help="how long each pod is looked at")
    parser.add_argument("--workload", action="append", default=[], help="only workloads of this name")
    parser.add_argument("--keep", type=Path, help="copy what came of it there")
    asked = parser.parse_args(words)
    with mock.patch.object(services, "allow"):  # no test runs
        try:
            words = ["--seconds", str(asked.seconds), *(f"--workload={name}" for name in asked.workload)]
            whole = [measure(name, words, asked.keep) for name in asked.apps]
        except (Failed, subprocess.SubprocessError) as error:
            print(f"{error}", file=sys.stderr)
            return 1
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
