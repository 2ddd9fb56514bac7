"""A program that answers as podman does, and runs nothing: which settings make a container fail stands in a file.

``FAKE_PODMAN`` names a folder: ``scenario.json`` in it is a list of rules, each with ``image`` (a part of a reference),
``fails`` (lists of words of the command line that stop it when all are there; [] always does), ``log``, ``wrote``,
``ends`` (it is over with exit code 0), ``lives`` (so many seconds before it ends; without ``ends`` with exit code 1)
and ``hangs`` (``start`` never comes back). What is made is a file there. With a file ``broken`` it answers no more,
with one ``refuses`` it starts nothing and says what stands there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_PODMAN"])
KINDS = ("container", "network", "volume")


def path(kind: str, name: str) -> Path:
    return FOLDER / f"{kind}-{name}.json"


def rule(words: list[str]) -> dict[str, Any]:
    rules = json.loads((FOLDER / "scenario.json").read_text(encoding="utf-8"))
    return next((each for each in rules if any(each["image"] in word for word in words)), {})


def fails(words: list[str]) -> bool:
    line = " ".join(words)
    return any(all(each in line for each in cause) for cause in rule(words).get("fails", []))


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def made(kind: str, name: str, words: list[str], **more: Any) -> None:
    labels = [value for option, value in pairwise(words) if option == "--label"]
    path(kind, name).write_text(json.dumps({"words": words, "labels": labels} | more), encoding="utf-8")


def listed(kind: str, words: list[str]) -> None:
    wanted = option(words, "--filter").removeprefix("label=")
    found = []
    for each in sorted(FOLDER.glob(f"{kind}-*.json")):
        held = json.loads(each.read_text(encoding="utf-8"))
        if any(label.startswith(wanted) for label in held["labels"]):
            key = "labels" if kind == "network" else "Labels"  # as podman has it
            found.append({key: dict(label.split("=", 1) for label in held["labels"])})
            if "-q" in words:
                print(each.stem.removeprefix(f"{kind}-"))
    if option(words, "--format") == "json":
        print(json.dumps(found))


def inspected(kind: str, name: str, words: list[str]) -> int:
    if kind == "image":
        config = {"User": rule([name]).get("user", "")}
        print("sha256:0" if "--format" in words else json.dumps([{"Config": config, "RepoDigests": [name]}]))
        return 0
    if not path(kind, name).exists():
        print(f"Error: no such {kind} {name}", file=sys.stderr)
        return 125
    held = json.loads(path(kind, name).read_text(encoding="utf-8"))
    if kind != "container":
        print(json.dumps([{"Name": name, "Mountpoint": ""}]))
        return 0
    given = held["words"]
    lives = rule(given).get("lives")
    over = lives is not None and time.time() - held.get("started", time.time()) > lives
    ends = bool(rule(given).get("ends"))
    failed = held["failed"] or (over and not ends)
    running = not failed and not over and (not ends or lives is not None)
    state = {"Running": running, "ExitCode": int(failed), "Pid": 0, "Status": "exited"}
    env = Path(option(given, "--env-file")).read_text(encoding="utf-8").splitlines() if "--env-file" in given else []
    print(json.dumps([{"State": state | ({"Status": "running"} if state["Running"] else {}), "Config": {"Env": env}}]))
    return 0


def main(words: list[str]) -> int:
    with (FOLDER / "calls").open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    head, *rest = words
    if (FOLDER / "broken").exists():
        print("Error: cannot connect to the engine", file=sys.stderr)
        return 125
    if head == "info":
        print(json.dumps({"version": {"Version": "0.0-fake"}, "host": {"security": {"rootless": False}}, "store": {}}))
    elif head in ("network", "volume") and rest[0] == "create":
        name = rest[-1] if head == "network" else f"v{os.getpid()}"
        made(head, name, words)
        print(name)
    elif head in (*KINDS, "image") and rest[0] == "inspect":
        return inspected(head, rest[-1], words)
    elif head in ("network", "volume") and rest[0] == "rm":
        for name in rest[1:]:
            path(head, name).unlink(missing_ok=True)
    elif head in ("network", "volume") and rest[0] == "ls":
        listed(head, rest)
    elif head == "volume" and rest[0] == "import":
        sys.stdin.buffer.read()
    elif head == "ps":
        listed("container", rest)
    elif head == "create":
        made("container", option(words, "--name"), words, failed=fails(words))
        print("0" * 64)
    elif head == "start" and (FOLDER / "refuses").exists():
        print((FOLDER / "refuses").read_text(encoding="utf-8"), file=sys.stderr)
        return 126
    elif head == "start":
        kept = path("container", rest[-1])
        held = json.loads(kept.read_text(encoding="utf-8"))
        kept.write_text(json.dumps(held | {"started": time.time()}), encoding="utf-8")
        if rule(held["words"]).get("hangs"):
            time.sleep(60)
    elif head == "rm":
        for name in rest:
            path("container", name).unlink(missing_ok=True)
    elif head in ("logs", "diff"):
        held = json.loads(path("container", rest[-1]).read_text(encoding="utf-8"))
        said = rule(held["words"])
        if head == "diff":
            print(json.dumps({"added": said.get("wrote", [])}))
        elif held["failed"] or "lives" in said:
            print(said.get("log", "it fails"))
    elif head in ("init", "exec", "rmi", "stop"):
        pass
    else:
        print(f"Error: {head} is not faked", file=sys.stderr)
        return 125
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
