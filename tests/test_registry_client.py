"""The registry client against real registries: anonymous, with passwords, with tokens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hardener.authoring.config import Registry
from hardener.kubernetes.images.reference import parse
from hardener.lock.oci import credentials
from hardener.lock.oci.client import Client
from hardener.lock.oci.credentials import Login
from hardener.lock.oci.image import Found, digest_now, look_up
from hardener.lock.oci.login import Finder
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError

from . import oci_images as made
from . import services
from .registries import (
    BASIC,
    PASSWORD,
    USER,
    Reply,
    TokenServer,
    answering,
    running,
    trusted,
    with_passwords,
    with_tokens,
)  # fmt: skip

NOBODY: Finder = lambda *_: None  # noqa: E731
ALICE: Finder = lambda *_: Login(USER, PASSWORD)  # noqa: E731
WRONG: Finder = lambda *_: Login(USER, "wr0ng-pass")  # noqa: E731

WEB = {
    "User": "nginx", "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Volumes": {"/data": {}}, "Cmd": ["nginx"],
    "Entrypoint": ["/start"], "WorkingDir": "/srv", "Env": ["PATH=/bin", "TOKEN=hidden"],
}  # fmt: skip
FACTS = {
    "user": "nginx", "exposedPorts": ["53/udp", "80/tcp"], "volumes": ["/data"], "entrypoint": ["/start"],
    "cmd": ["nginx"], "workingDir": "/srv", "created": "2026-11-01T00:00:00Z", "env": ["PATH", "TOKEN"],
}  # fmt: skip
ROOT = {"user": "", "exposedPorts": [], "volumes": [], "created": "2026-11-01T00:00:00Z"}


def client(login: Finder = NOBODY, *hosts: str) -> Client:
    """One of a user who lets ``hosts`` have a login without TLS."""
    return Client(trusted(*hosts), find_login=login, pause=lambda seconds: None)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with with_passwords(tmp_path_factory.mktemp("registry")) as host:
        made.push(f"http://{host}", "app", "1", made.image(WEB), {"Authorization": BASIC})
        yield host


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    folder = tmp_path_factory.mktemp("registry")
    with with_tokens(folder) as server:
        with running(folder) as open_door:  # the same images, without a guard
            for repository in ("public/app", "private/app"):
                made.push(f"http://{open_door}", repository, "1", made.image(WEB))
        yield server


IMAGES = {
    "oci-single": (made.image(WEB), ("linux/amd64",), FACTS),
    "docker-single": (made.image(WEB, media_type=made.DOCKER_MANIFEST), ("linux/amd64",), FACTS),
    "oci-index": (
        made.index({"amd64": made.image(WEB), "arm64": made.image(WEB, "arm64")}),
        ("linux/amd64", "linux/arm64"),
        FACTS,
    ),
    "docker-list": (
        made.index(
            {name: made.image(WEB, name, made.DOCKER_MANIFEST) for name in ("amd64", "s390x")}, made.DOCKER_LIST
        ),
        ("linux/amd64", "linux/s390x"),
        FACTS,
    ),
    "root": (made.image(), ("linux/amd64",), ROOT),
    "numeric": (made.image({"User": "1000:1000"}), ("linux/amd64",), ROOT | {"user": "1000:1000"}),
    # What the platforms do not agree on is not known; the youngest says how old it is.
    "differing": (
        made.index({
            "amd64": made.image({"User": "1"}), "arm64": made.image({"User": "2"}, "arm64", created="2026-11-02"),
        }),
        ("linux/amd64", "linux/arm64"),
        {"exposedPorts": [], "volumes": [], "created": "2026-11-02"},
    ),
    "with-attestation": (
        made.index({"amd64": made.image(), "unknown": made.image({"User": "9"}, "unknown")}), ("linux/amd64",), ROOT
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_known_of_an_image(name: str, registry: str) -> None:
    image, platforms, facts = IMAGES[name]
    made.push(f"http://{registry}", f"facts/{name}", "1", image)
    found = look_up(client(), f"{registry}/facts/{name}", "1")
    assert found == Found(image.digest, image.manifest.media_type, platforms, facts)
    assert digest_now(client(), f"{registry}/facts/{name}", "1") == image.digest
    assert look_up(client(), f"{registry}/facts/{name}", image.digest) == found


@pytest.mark.parametrize("name", IMAGES)
def test_digests_are_those_of_skopeo(name: str, registry: str) -> None:
    image = IMAGES[name][0]
    made.push(f"http://{registry}", f"skopeo/{name}", "1", image)
    command = [
        services.program("skopeo"),
        "inspect",
        "--raw",
        "--tls-verify=false",
        f"docker://{registry}/skopeo/{name}:1",
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    assert digest_now(client(), f"{registry}/skopeo/{name}", "1") == made.sha256(raw)


def test_what_is_no_image_has_a_digest_and_no_facts(registry: str) -> None:
    chart = made.blob({"name": "web"}, "application/vnd.cncf.helm.config.v1+json")
    content = {"schemaVersion": 2, "mediaType": made.OCI_MANIFEST, "config": chart.descriptor, "layers": []}
    image = made.Image(made.blob(content, made.OCI_MANIFEST), chart)
    made.push(f"http://{registry}", "chart", "1", image)
    assert look_up(client(), f"{registry}/chart", "1") == Found(image.digest, made.OCI_MANIFEST, (), {})


def message(look: Callable[[], object]) -> str:
    with pytest.raises(RegistryError) as caught:
        look()
    return str(caught.value)


def test_no_such_tag(registry: str) -> None:
    assert message(lambda: look_up(client(), f"{registry}/no", "1")) == f"{registry}: no such image (404)"
    assert message(lambda: digest_now(client(), f"{registry}/no", "1")) == f"{registry}: no such image (404)"


def test_a_password(guarded: str) -> None:
    assert look_up(client(ALICE, guarded), f"{guarded}/app", "1").config == FACTS
    refused = message(lambda: look_up(client(WRONG, guarded), f"{guarded}/app", "1"))
    assert refused == f"{guarded}: the login for it is refused (401): docker login {guarded}"
    without = message(lambda: look_up(client(), f"{guarded}/app", "1"))
    assert without == f"{guarded}: not there, or for those who log in (401): docker login {guarded}"


def test_a_token(tokens: TokenServer) -> None:
    host, realm = tokens.host, tokens.realm
    one = client()
    assert look_up(one, f"{host}/public/app", "1").config == FACTS
    count = len(tokens.asked)
    assert look_up(one, f"{host}/public/app", "1").config == FACTS
    assert len(tokens.asked) == count, "a token serves until it ends"
    without = message(lambda: look_up(one, f"{host}/private/app", "1"))
    assert without == f"{host}: not there, or for those who log in (401): docker login {host}"
    assert look_up(client(ALICE, host, realm), f"{host}/private/app", "1").config == FACTS
    refused = message(lambda: look_up(client(WRONG, host, realm), f"{host}/private/app", "1"))
    assert refused == f"{host}: the login for it is refused (401): docker login {host}"
    assert {scope for query in tokens.asked for scope in query["scope"]} == {
        "repository:public/app:pull",
        "repository:private/app:pull",
    }


def test_names_of_docker_hub() -> None:
    assert client().places("docker.io/library/nginx") == [Place("registry-1.docker.io", "library/nginx", "docker.io")]


def test_a_mirror_is_asked_first(registry: str) -> None:
    image = made.image(WEB)
    made.push(f"http://{registry}", "cache/library/nginx", "1", image)
    asked = Client(
        {"docker.io": Registry(("127.0.0.1:9", f"{registry}/cache"))}, find_login=NOBODY, pause=lambda seconds: None
    )
    # The first mirror is down, the second has it.
    assert look_up(asked, "docker.io/library/nginx", "1").digest == image.digest


# Where logins are kept.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def keep(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


AUTH = BASIC.removeprefix("Basic ")
LOGIN = Login(USER, PASSWORD)
KEPT = [
    ({"auths": {"r.example": {"auth": AUTH}}}, "r.example", LOGIN),
    ({"auths": {"https://r.example/v2/": {"auth": AUTH}}}, "r.example", LOGIN),
    ({"auths": {"r.example": {"username": USER, "password": PASSWORD}}}, "r.example", LOGIN),
    ({"auths": {"r.example:5000": {"auth": AUTH}}}, "r.example", None),
    ({"auths": {"r.example": {"auth": AUTH}}}, "evil-r.example", None),
    ({"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}}, "docker.io", LOGIN),
    ({"auths": {"r.example/app": {"auth": AUTH}}}, "r.example", LOGIN),
    ({"auths": {"r.example/other": {"auth": AUTH}}}, "r.example", None),
    ({"auths": {"r.example": {"identitytoken": "t0"}}}, "r.example", Login("<token>", "t0", is_token=True)),
    ({"auths": {"r.example": {"auth": "%%%"}}}, "r.example", None),
    ({"auths": {"r.example": {}}}, "r.example", None),
    ({"credHelpers": {"r.example": "test"}}, "r.example", Login("helped", "r.example")),
    ({"credHelpers": {"r.example": "../evil"}}, "r.example", None),
    ({"credHelpers": {"r.example": "absent"}}, "r.example", None),
    ({"credsStore": "test", "auths": {"r.example": {}}}, "r.example", Login("helped", "r.example")),
    ({"credsStore": "test"}, "r.example", Login("helped", "r.example")),
    ("{", "r.example", None),
    ("[" * 100_000, "r.example", None),
    ([], "r.example", None),
]


@pytest.mark.parametrize(("content", "host", "login"), KEPT)
def test_a_login_of_docker(
    content: object, host: str, login: Login | None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = home / "bin" / "docker-credential-test"
    keep(helper, '#!/bin/sh\nread -r url\nprintf \'{"Username": "helped", "Secret": "%s"}\' "$url"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
    keep(home / ".docker" / "config.json", content)
    assert credentials.find(host, "app/web") == login


@pytest.mark.parametrize(
    ("variable", "value", "path"),
    [
        ("DOCKER_CONFIG", "d", "d/config.json"),
        ("REGISTRY_AUTH_FILE", "auth", "auth"),
        ("XDG_RUNTIME_DIR", "run", "run/containers/auth.json"),
        ("XDG_CONFIG_HOME", "c", "c/containers/auth.json"),
        ("TZ", "", ".config/containers/auth.json"),
    ],
)
def test_where_logins_are_looked_for(
    variable: str, value: str, path: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(home / value))
    keep(home / path, {"auths": {"r.example": {"auth": AUTH}}})
    assert credentials.find("r.example", "app") == LOGIN


def test_a_helper_is_asked_once_however_many_threads_want_to_know(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, helper = home / "log", home / "bin" / "docker-credential-once"
    keep(helper, f'#!/bin/sh\ncat >> {log}\nsleep 0.1\nprintf \'{{"Username": "helped", "Secret": "s"}}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
    keep(home / ".docker" / "config.json", {"credsStore": "once"})
    with ThreadPoolExecutor(8) as pool:
        logins = list(pool.map(lambda name: credentials.find("r.example", name), "abcdefgh"))
    assert logins == [Login("helped", "s")] * 8
    assert log.read_text(encoding="utf-8") == "r.example"


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        (None, "docker-credential-bad is not installed"),
        ("echo no such account s3cret; exit 3", "docker-credential-bad fails (exit code 3)"),
        ("echo nonsense", "docker-credential-bad gives no login"),
        ("echo '{}'", "docker-credential-bad gives no login"),
        ("sleep 5", "docker-credential-bad gives no answer in 0.2 seconds"),
        ("echo credentials not found in native keychain; exit 1", ""),
    ],
)
def test_a_helper_that_fails_is_named(
    script: str | None, trouble: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_HELPER_SECONDS", 0.2 if trouble.endswith("seconds") else 20)
    credentials._asked.cache_clear()
    (home / "bin").mkdir()
    if script is not None:
        keep(home / "bin" / "docker-credential-bad", f"#!/bin/sh\n{script}\n")
        (home / "bin" / "docker-credential-bad").chmod(0o755)
    monkeypatch.setenv("PATH", str(home / "bin"), prepend=":")
    with answering(lambda asked: Reply(401, b"", {"WWW-Authenticate": "Basic realm=x"})) as host:
        keep(home / ".docker" / "config.json", {"credHelpers": {host: "bad"}})
        client = Client(pause=lambda _: None)
        with pytest.raises(RegistryError) as caught:
            digest_now(client, f"{host}/app", "1")
        client.close()
    advice = trouble or f"docker login {host}"
    assert str(caught.value) == f"{host}: not there, or for those who log in (401): {advice}"
    credentials._asked.cache_clear()


HUB_NAMES = [
    "nginx", "library/nginx", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/library/nginx",
    "registry-1.docker.io/library/nginx", "registry.hub.docker.com/library/nginx",
]  # fmt: skip


@pytest.mark.parametrize("name", HUB_NAMES)
def test_all_names_of_docker_hub_are_one(name: str) -> None:
    reference = parse(name)
    assert reference is not None
    assert client().places(str(reference.normalized)) == [Place("registry-1.docker.io", "library/nginx", "docker.io")]


@pytest.mark.slow
def test_a_login_does_not_show_its_secret() -> None:
    assert PASSWORD not in repr(LOGIN)
