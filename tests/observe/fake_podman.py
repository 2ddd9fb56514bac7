"""A program that answers as podman does, and runs nothing: which settings make a container fail stands in a file.

``FAKE_PODMAN`` names a folder: ``scenario`` in it is a list of rules, each with ``image`` (a part of a reference),
``fails`` (lists of words of the command line that stop it when all are there; [] always does), ``log``, ``wrote``,
``ends`` (it is over with exit code 0), ``lives`` (so many seconds before it ends; without ``ends`` with exit code 1)
and ``hangs`` (``start`` never comes back). What is made is a file there. With a file ``broken`` it answers no more,
with one ``refuses`` it starts nothing and says what stands there.

A session starts it fifty times, and most of what that costs is what it imports: it keeps literals of Python, and loads
nothing that is not part of the interpreter.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = os.environ["FAKE_PODMAN"]
KINDS = ("container", "network", "volume")


def path(kind: str, name: str) -> str:
    return f"{FOLDER}/{kind}-{name}.made"


def text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def literal(path: str) -> Any:
    return eval(text(path))


def put(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(repr(value))


def escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if letter < " " or letter in '"\\' else letter


def in_json(value: object) -> str:
    if isinstance(value, str):
        return f'"{"".join(map(escaped, value))}"'
    if isinstance(value, dict):
        return f"{{{','.join(f'{in_json(key)}:{in_json(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(in_json, value))}]"
    return str(value).lower()


def rule(words: list[str]) -> dict[str, Any]:
    return next((each for each in literal(f"{FOLDER}/scenario") if any(each["image"] in word for word in words)), {})


def fails(words: list[str]) -> bool:
    line = " ".join(words)
    return any(all(each in line for each in cause) for cause in rule(words).get("fails", []))


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def made(kind: str, name: str, words: list[str], **more: Any) -> None:
    labels = [words[place + 1] for place, word in enumerate(words) if word == "--label"]
    put(path(kind, name), {"words": words, "labels": labels} | more)


def gone(kind: str, name: str) -> None:
    if os.path.exists(path(kind, name)):
        os.remove(path(kind, name))


def listed(kind: str, words: list[str]) -> None:
    wanted = option(words, "--filter").removeprefix("label=")
    found = []
    for file in sorted(os.listdir(FOLDER)):
        if not file.startswith(f"{kind}-"):
            continue
        held = literal(f"{FOLDER}/{file}")
        if any(label.startswith(wanted) for label in held["labels"]):
            key = "labels" if kind == "network" else "Labels"  # as podman has it
            found.append({key: dict(label.split("=", 1) for label in held["labels"])})
            if "-q" in words:
                print(file.removeprefix(f"{kind}-").removesuffix(".made"))
    if option(words, "--format") == "json":
        print(in_json(found))


def inspected(kind: str, name: str, words: list[str]) -> int:
    if kind == "image":
        config = {"User": rule([name]).get("user", "")}
        print("sha256:0" if "--format" in words else in_json([{"Config": config, "RepoDigests": [name]}]))
        return 0
    if not os.path.exists(path(kind, name)):
        print(f"Error: no such {kind} {name}", file=sys.stderr)
        return 125
    held = literal(path(kind, name))
    if kind != "container":
        print(in_json([{"Name": name, "Mountpoint": ""}]))
        return 0
    given = held["words"]
    lives = rule(given).get("lives")
    over = lives is not None and time.time() - held.get("started", time.time()) > lives
    ends = bool(rule(given).get("ends"))
    failed = held["failed"] or (over and not ends)
    running = not failed and not over and (not ends or lives is not None)
    state = {"Running": running, "ExitCode": int(failed), "Pid": 0, "Status": "exited"}
    env = text(option(given, "--env-file")).splitlines() if "--env-file" in given else []
    print(in_json([{"State": state | ({"Status": "running"} if state["Running"] else {}), "Config": {"Env": env}}]))
    return 0


def main() -> int:
    words = sys.argv[1:]
    with open(f"{FOLDER}/calls", "a", encoding="utf-8") as file:
        file.write(f"{words}\n")
    head, *rest = words
    if os.path.exists(f"{FOLDER}/broken"):
        print("Error: cannot connect to the engine", file=sys.stderr)
        return 125
    if head == "info":
        print(in_json({"version": {"Version": "0.0-fake"}, "host": {"security": {"rootless": False}}, "store": {}}))
    elif head in ("network", "volume") and rest[0] == "create":
        name = rest[-1] if head == "network" else f"v{os.getpid()}"
        made(head, name, words)
        print(name)
    elif head in (*KINDS, "image") and rest[0] == "inspect":
        return inspected(head, rest[-1], words)
    elif head in ("network", "volume") and rest[0] == "rm":
        for name in rest[1:]:
            gone(head, name)
    elif head in ("network", "volume") and rest[0] == "ls":
        listed(head, rest)
    elif head == "volume" and rest[0] == "import":
        sys.stdin.buffer.read()
    elif head == "ps":
        listed("container", rest)
    elif head == "create":
        made("container", option(words, "--name"), words, failed=fails(words))
        print("0" * 64)
    elif head == "start" and os.path.exists(f"{FOLDER}/refuses"):
        print(text(f"{FOLDER}/refuses"), file=sys.stderr)
        return 126
    elif head == "start":
        held = literal(path("container", rest[-1]))
        put(path("container", rest[-1]), held | {"started": time.time()})
        if rule(held["words"]).get("hangs"):
            time.sleep(60)
    elif head == "rm":
        for name in rest:
            gone("container", name)
    elif head in ("logs", "diff"):
        held = literal(path("container", rest[-1]))
        said = rule(held["words"])
        if head == "diff":
            print(in_json({"added": said.get("wrote", [])}))
        elif held["failed"] or "lives" in said:
            print(said.get("log", "it fails"))
    elif head in ("init", "exec", "rmi", "stop"):
        pass
    else:
        print(f"Error: {head} is not faked", file=sys.stderr)
        return 125
    return 0
