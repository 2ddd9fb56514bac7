"""An engine that is none, or does not work, is one line that says so; what a dead run left is known by its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hardener.observe import engine as engines
from hardener.observe.agent_client import AgentClient
from hardener.observe.engine import Answer, Engine, is_dead, run_name
from hardener.observe.engine_environment import FIXED, FOR_A_PULL, SETTINGS
from hardener.support.programs import ProgramError

INSTALL = "install podman (https://podman.io/docs/installation), or name an engine with --engine docker"


def program(folder: Path, text: str, name: str = "podman") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable} -I\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder with programs that is all of PATH, and a tree."""
    for name in ("bin", "tree", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "bin", (tmp_path / "tree").resolve()


def problem(name: str | None, tree: Path) -> str:
    with pytest.raises(ProgramError) as error:
        Engine.found(name, str(tree))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_there_is_none(folders: tuple[Path, Path]) -> None:
    assert problem(None, folders[1]) == f"there is no container engine: {INSTALL}"
    assert problem("podman", folders[1]) == f"podman is not installed: {INSTALL}"
    assert problem("docker", folders[1]) == "docker is not installed: install it"


def test_one_in_the_tree_is_not_run(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, tree = folders
    program(tree, f"open({str(tree / 'was-run')!r}, 'w')")
    monkeypatch.setenv("PATH", str(tree))
    assert problem("podman", tree).startswith("podman of PATH lies in the tree that is read: ")
    assert problem(None, tree) == f"there is no container engine: {INSTALL}"
    assert not (tree / "was-run").exists()


SAYS = {
    "rubbish": ("print('hello')", "podman does not answer as podman does"),
    "a list": ("print('[1]')", "podman does not answer as podman does"),
    "null": ("print('null')", "podman does not answer as podman does"),
    "nothing": ("", "podman does not answer as podman does"),
    "half": ("print('{\"host\": ')", "podman does not answer as podman does"),
    "bytes": ("import sys; sys.stdout.buffer.write(bytes(range(256)))", "podman does not answer as podman does"),
    "hangs": (
        "import time; time.sleep(60)", "podman does not work for this user: podman gives no answer in 2 seconds",
    ),
    "endless": (
        "while True: print('x' * 100000)",
        "podman does not work for this user: podman prints more than 8388608 bytes",
    ),
    "denied": (
        "import sys; sys.exit('warn level=warning\\nError: permission denied\\n')",
        "podman does not work for this user: permission denied",
    ),
    "fails in silence": ("raise SystemExit(3)", "podman does not work for this user: no word why"),
    "server": (
        "print('{\"ServerErrors\": [\"permission denied\\\\nat the socket\"]}')",
        "podman does not work for this user: permission denied\\x0aat the socket",
    ),
    "server, as text": (
        "print('{\"ServerErrors\": \"denied\"}')", "podman does not work for this user: denied",
    ),
}  # fmt: skip


def test_a_daemon_that_is_not_there(folders: tuple[Path, Path]) -> None:
    text = "print('{\"ServerErrors\": [\"Cannot connect\"]}'); import sys; sys.exit('errors pretty printing info')"
    program(folders[0], text, "docker")
    assert problem(None, folders[1]) == "docker does not work for this user: Cannot connect"


@pytest.mark.parametrize(("text", "said"), SAYS.values(), ids=SAYS)
def test_one_that_does_not_work(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: str
) -> None:
    monkeypatch.setattr(engines, "_FIRST_SECONDS", 2.0)
    program(folders[0], text)
    assert problem(None, folders[1]) == said
    assert os.listdir(tmp_path / "tmp") == []


INFOS = {
    "podman": ("podman", '{"version": {"Version": "5.4.2"}, "host": {"security": {"rootless": true}}}', "podman 5.4.2"),
    "docker": (
        "docker",
        '{"ServerVersion": "28.1", "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}',
        "docker 28.1",
    ),
    "podman of odd shapes": ("podman", '{"version": [], "host": 5, "store": "x"}', "podman"),
    "docker of odd shapes": ("docker", '{"ServerVersion": "1\\n2", "SecurityOptions": 5}', "docker 1\\x0a2"),
}


@pytest.mark.parametrize(("name", "info", "called"), INFOS.values(), ids=INFOS)
def test_what_it_says_of_itself(folders: tuple[Path, Path], name: str, info: str, called: str) -> None:
    program(folders[0], f"print({info!r})", name)
    found = Engine.found(None, str(folders[1]))
    assert found.called == called
    assert found.rootless is ("rootless" in info)
    found.clear()
    assert not os.path.exists(found.folder)


WITHOUT = "starts containers without a seccomp profile: turn that of its runtime on"
UNCONFINED = {
    "podman without": ("podman", '{"host": {"security": {"seccompEnabled": false}}}'),
    "podman unconfined": ("podman", '{"host": {"security": {"seccompProfilePath": "unconfined"}}}'),
    "docker without": ("docker", '{"ServerVersion": "28.1", "SecurityOptions": ["name=rootless"]}'),
    "docker unconfined": ("docker", '{"SecurityOptions": ["name=seccomp,profile=unconfined"]}'),
}


@pytest.mark.parametrize(("name", "info"), UNCONFINED.values(), ids=UNCONFINED)
def test_one_without_a_filter_of_system_calls(folders: tuple[Path, Path], name: str, info: str) -> None:
    program(folders[0], f"print({info!r})", name)
    assert problem(name, folders[1]) == f"{name} {WITHOUT}"


CALLER = {
    "CI_DEPLOY_TOKEN": "x", "GITHUB_TOKEN": "x", "LD_LIBRARY_PATH": "/x", "PYTHONPATH": "/x", "SSH_AUTH_SOCK": "/x",
    "AWS_SECRET_ACCESS_KEY": "x",
}  # fmt: skip
GIVEN = {"HOME": "/h", "XDG_RUNTIME_DIR": "/r", "DOCKER_HOST": "unix:///d", "CONTAINERS_CONF": "/c"}
PROXIES = {"HTTPS_PROXY": "http://user:word@proxy", "no_proxy": "example.com"}
# What a call of Python sets by itself.
BY_ITSELF = {"PATH", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


def test_it_has_an_environment_of_its_own(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (CALLER | GIVEN | PROXIES).items():
        monkeypatch.setenv(name, value)
    says = "import os, sys, json; print(json.dumps({'ServerVersion': '1'} if 'info' in sys.argv else dict(os.environ)))"
    program(folders[0], says, "docker")
    found = Engine.found("docker", str(folders[1]))
    settings = set(" ".join(SETTINGS.values()).split()) | set(FIXED) | BY_ITSELF
    seen = {words: json.loads(found.ask(words)) for words in ("create", "exec", "pull", "logs")}
    found.clear()
    for words, environment in seen.items():
        assert environment.keys() <= settings | set(FOR_A_PULL.split() if words == "pull" else ()), words
        assert GIVEN.items() <= environment.items()
    assert PROXIES.items() <= seen["pull"].items()


def test_a_variable_of_a_call_is_beside_them(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_DEPLOY_TOKEN", "x")
    program(folders[0], "import os, json; print(json.dumps({**os.environ, 'ServerVersion': '1'}))", "docker")
    found = Engine.found("docker", str(folders[1]))
    environment = json.loads(found.call("create", environment={"TLS_KEY": "a\nb"}).text)
    piped = json.loads(found.call("volume", input=b"").text)
    found.clear()
    assert environment["TLS_KEY"] == "a\nb" and "CI_DEPLOY_TOKEN" not in environment.keys() | piped.keys()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_what_looks_at_containers_has_it_too(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_DEPLOY_TOKEN", "x")
    program(folders[0], 'print(\'{"ServerVersion": "1"}\')', "docker")
    found = Engine.found("docker", str(folders[1]))
    agent = AgentClient(found)
    try:
        assert agent("free", "/") > 0  # it has come as far as to answer
        environment = Path(f"/proc/{agent._process.pid}/environ").read_bytes()
    finally:
        agent.close()
        found.clear()
    assert b"PATH=" in environment and b"CI_DEPLOY_TOKEN" not in environment


def test_a_runtime_is_given_no_annotation(tmp_path: Path) -> None:
    """Runtimes obey some: crun takes another filter of system calls by one."""
    config = {"process": {"capabilities": {"bounding": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]}},
              "annotations": {"run.oci.seccomp_bpf_data": "AAAA"}}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    wrapper = program(tmp_path, engines.RUNTIME.format(python=sys.executable, runtime="/bin/true").partition("\n")[2])
    subprocess.run([wrapper, "create", "--bundle", str(tmp_path), "name"], check=True)
    held = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    given = ["CAP_CHOWN"]
    assert held == {"process": {"capabilities": {"bounding": given, "effective": given, "permitted": given}}}


PRIVATE = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]
LINUX: dict[str, object] = {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "namespaces": PRIVATE}
BOUND = {"type": "bind", "source": "/etc", "options": ["bind"]}
SETTINGS_GIVE = "the settings of the engine give it"
MADE: dict[str, tuple[dict[str, object], str]] = {
    "as it was asked for": ({}, ""),
    "without a filter": ({"linux": {"namespaces": PRIVATE}}, "it has no seccomp profile"),
    "processes of the machine": (
        {"linux": LINUX | {"namespaces": PRIVATE[1:]}}, f"{SETTINGS_GIVE} the namespace of the machine: pid",
    ),
    "a device": ({"linux": LINUX | {"devices": [{}]}}, f"{SETTINGS_GIVE} devices or hooks of the machine"),
    "a hook": ({"hooks": {"prestart": [{}]}}, f"{SETTINGS_GIVE} devices or hooks of the machine"),
    "a capability": ({"process": {"capabilities": {"bounding": ["CAP_BPF"]}}}, f"{SETTINGS_GIVE} CAP_BPF"),
    "a folder": ({"mounts": [BOUND]}, f"{SETTINGS_GIVE} /etc of the machine"),
    "a folder with all below": (
        {"mounts": [BOUND | {"type": None, "options": ["rbind"]}]}, f"{SETTINGS_GIVE} /etc of the machine",
    ),
    "a folder called alike": ({"mounts": [BOUND | {"source": "/store-of-others"}]},
                              f"{SETTINGS_GIVE} /store-of-others of the machine"),
    "out of the store": ({"mounts": [BOUND | {"source": "/store/../etc"}]}, f"{SETTINGS_GIVE} /etc of the machine"),
    "a volume": ({"mounts": [BOUND | {"source": "/store/volumes/v"}, {"type": "tmpfs", "source": "tmpfs"}]}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("more", "why"), MADE.values(), ids=MADE)
def test_podman_starts_nothing_with_more_than_was_asked_for(
    folders: tuple[Path, Path], tmp_path: Path, more: dict[str, object], why: str
) -> None:
    info = {"host": {"ociRuntime": {"path": "/bin/true"}}, "store": {"graphRoot": "/store", "runRoot": "/run/store"}}
    program(folders[0], f"print({json.dumps(info)!r})")
    config = {"linux": LINUX, "process": {"capabilities": {"bounding": ["CAP_CHOWN"]}}} | more
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = Engine.found("podman", str(folders[1]))
    wrapper = found._head[1]
    done = subprocess.run(
        [wrapper, "create", "--bundle", str(tmp_path), "a"], capture_output=True, text=True, check=False
    )
    found.clear()
    assert (done.stderr.strip(), done.returncode) == (why, 1 if why else 0)


def test_podman_starts_no_hook_of_the_machine(folders: tuple[Path, Path]) -> None:
    info = '{"host": {"ociRuntime": {"path": "/usr/bin/runc"}}}'
    program(folders[0], f"import sys; print({info!r} if 'info' in sys.argv else sys.argv[1:])")
    found = Engine.found("podman", str(folders[1]))
    head = found.ask("ps")
    hooks = Path(found.folder) / "hooks"
    assert f"'--hooks-dir', '{hooks}', 'ps'" in head and list(hooks.iterdir()) == []
    found.clear()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("", "no word why"),
        ("Error: a\n", "a"),
        ("time=x level=warning msg=y\n", "no word why"),
        ("Error: first\nError: last\n\n", "last"),
        ("docker: bad\n", "bad"),
    ],
)
def test_reason(error: str, reason: str) -> None:
    assert Answer(False, "", error).reason == reason


def test_runs_are_known_as_dead() -> None:
    assert not is_dead(run_name())
    user, pid, began = run_name().split(".")
    assert is_dead(f"{user}.{pid}.{int(began) + 1}")  # another process had the number
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        gone = process.pid
    assert is_dead(f"{user}.{gone}.5")
    assert not is_dead(f"{int(user) + 1}.{gone}.5")  # of somebody else
    for odd in ("", "x", "1.2", f"{user}.{gone}.5.6", f" {user}.{gone}.5", "-1.-1.-1"):
        assert not is_dead(odd)


@pytest.mark.parametrize(
    ("users", "one"),
    [
        ([{"size": 1}], True),
        ([{"size": 1}, {"size": 65536}], False),
        ([], False),  # rootful
        (None, False),
        ("rubbish", False),
    ],
)
def test_who_has_no_user_ids_but_its_own(users: object, one: bool) -> None:
    assert engines._has_one_user({"host": {"idMappings": {"uidmap": users}}}) is one
