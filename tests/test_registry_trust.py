"""Hostile registries, and repositories that would have harden trust them: what is never asked, and what is never sent.

Servers on loopback stand in for the networks: 127.0.0.9 counts as the internet, 127.0.0.2 as where a cloud tells its
secrets, 127.0.0.3 and .5 as a private network; 127.0.0.4 is this machine. Each counts what it is asked.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardener.authoring import user_config
from hardener.authoring.config import Registry
from hardener.errors import InputError
from hardener.lock.oci import client as client_module
from hardener.lock.oci import networks, transport
from hardener.lock.oci.client import Client
from hardener.lock.oci.credentials import Login
from hardener.lock.oci.image import look_up
from hardener.lock.oci.login import Finder, challenge
from hardener.lock.oci.networks import Network, network_of
from hardener.lock.oci.registry_error import RegistryError

from . import oci_images as made
from .conftest import DEPLOYMENT, Harden, commit, write
from .registries import BASIC, PASSWORD, USER, Asked, Reply, answering, certified, trusted
from .test_registry_failures import alice, trickling

pytestmark = pytest.mark.slow  # its many cases together

NOBODY: Finder = lambda *_: None  # noqa: E731
IMAGE = made.image({"User": "1"}, layers=(made.layer(made.File("bin/sh")),))
BLOBS = {blob.digest: blob.body for blob in (IMAGE.config, *IMAGE.layers) if blob is not None}
INTERNET = "127.0.0.9"
STANDS_FOR = {
    INTERNET: Network.PUBLIC, "127.0.0.2": Network.LINK, "127.0.0.3": Network.PRIVATE, "127.0.0.5": Network.PRIVATE,
}  # fmt: skip
NAMES = {
    "registry.example": INTERNET, "cdn.example": INTERNET, "metadata.example": "127.0.0.2",
    "inner.example": "127.0.0.3", "this.example": "127.0.0.4", "auth.inner.example": "127.0.0.5",
}  # fmt: skip
Answer = Callable[[Asked], Reply]


def good(asked: Asked) -> Reply:
    if "/blobs/" in asked.path:
        return Reply(200, BLOBS[asked.path.rpartition("/")[2]])
    return Reply(200, IMAGE.manifest.body, {"Content-Type": made.OCI_MANIFEST})


def to(place: str, part: str = "/manifests/") -> Answer:
    """Redirects what asks for ``part``."""
    return lambda asked: Reply(307, b"", {"Location": place}) if part in asked.path else good(asked)


def for_tokens(realm: str) -> Answer:
    asks = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}
    return lambda asked: good(asked) if "authorization" in asked.headers else Reply(401, b"", asks)


@dataclass
class Internet:
    """``names``: the addresses of each name, the next for each time that somebody asks, the last for ever.
    ``dialled``: the addresses that somebody connected to."""

    context: ssl.SSLContext
    stack: ExitStack
    names: dict[str, list[str]] = field(default_factory=lambda: {name: [at] for name, at in NAMES.items()})
    dialled: list[str] = field(default_factory=list)

    def server(self, name: str, answer: Answer, *, tls: bool = True) -> tuple[str, list[Asked]]:
        """A server called ``name``: its host and port, and what it is asked."""
        log: list[Asked] = []

        def logged(asked: Asked) -> Reply:
            log.append(asked)
            return answer(asked)

        address = self.names[name][0]
        at = self.stack.enter_context(answering(logged, address=address, context=self.context if tls else None))
        return f"{name}:{at.rpartition(':')[2]}", log


@pytest.fixture
def internet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    folder = tmp_path_factory.mktemp("certificates")
    with ExitStack() as stack:
        made_up = Internet(certified(folder, *NAMES), stack)
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        resolve, connect = socket.getaddrinfo, socket.socket.connect

        def resolved(host: str, *arguments: object, **options: object) -> object:
            known = made_up.names.get(host)
            if known is None and not re.fullmatch(r"[0-9.]+|[0-9a-f:.]+|localhost", host):
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            address = host if known is None else known.pop(0) if len(known) > 1 else known[0]
            return resolve(address, *arguments, **options)  # type: ignore[arg-type]

        def connected(self: socket.socket, address: tuple[str, int]) -> None:
            made_up.dialled.append(address[0])
            assert address[0].startswith("127."), "nothing is asked outside of this machine"
            connect(self, address)

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        monkeypatch.setattr(socket.socket, "connect", connected)
        for module in (networks, transport):
            monkeypatch.setattr(module, "network_of", lambda at: STANDS_FOR.get(at) or network_of(at))
        yield made_up


def refusal(host: str, login: Finder = NOBODY, user: dict[str, Registry] | None = None) -> str:
    """What comes instead of the image ``app`` of ``host``; with the manifest only, why the config did not come."""
    client = Client(user, find_login=login, pause=lambda seconds: None)
    try:
        found = look_up(client, f"{host}/app", "1")
    except RegistryError as failure:
        said = str(failure)
    else:
        said = found.problem or ""
    finally:
        client.close()
    assert "\n" not in said
    assert PASSWORD not in said
    return said


def refused(host: str, target: str, where: Network) -> str:
    if where is Network.LINK:
        return f"{host}: sends to {target}, {where}: not asked, tell those who run {host}"
    return (
        f"{host}: sends to {target}, {where}, where it is not itself: "
        f"write {target}: {{}} under registries in {user_config.shown()} if that is meant"
    )


# What is asked.

ADDRESSES = [
    ("8.8.8.8", Network.PUBLIC), ("2606:4700::1111", Network.PUBLIC), ("64:ff9b::808:808", Network.PUBLIC),
    ("127.0.0.1", Network.LOOPBACK), ("127.9.9.9", Network.LOOPBACK), ("::1", Network.LOOPBACK),
    ("0.0.0.0", Network.LOOPBACK), ("::", Network.LOOPBACK), ("::ffff:127.0.0.1", Network.LOOPBACK),
    ("::127.0.0.1", Network.LOOPBACK), ("64:ff9b::7f00:1", Network.LOOPBACK), ("2002:7f00:1::", Network.LOOPBACK),
    ("169.254.169.254", Network.LINK), ("169.254.170.2", Network.LINK), ("fe80::1%eth0", Network.LINK),
    ("::ffff:169.254.169.254", Network.LINK), ("64:ff9b::a9fe:a9fe", Network.LINK), ("fd00:ec2::254", Network.LINK),
    ("100.100.100.200", Network.LINK), ("168.63.129.16", Network.LINK), ("10.0.0.1", Network.PRIVATE),
    ("172.16.0.1", Network.PRIVATE), ("192.168.1.1", Network.PRIVATE), ("100.64.0.1", Network.PRIVATE),
    ("fd12::1", Network.PRIVATE), ("fec0::1", Network.PRIVATE), ("64:ff9b:1::1", Network.PRIVATE),
    ("224.0.0.1", Network.PRIVATE), ("255.255.255.255", Network.PRIVATE), ("2002:a00:1::", Network.PRIVATE),
]  # fmt: skip


@pytest.mark.parametrize(("address", "where"), ADDRESSES)
def test_where_an_address_is(address: str, where: Network) -> None:
    assert network_of(address) is where


INSIDE = [
    ("metadata.example", Network.LINK), ("inner.example", Network.PRIVATE), ("this.example", Network.LOOPBACK),
]  # fmt: skip


@pytest.mark.parametrize("part", ["/manifests/", "/blobs/"])
@pytest.mark.parametrize(("name", "where"), INSIDE)
def test_a_redirect_inside_is_never_followed(name: str, where: Network, part: str, internet: Internet) -> None:
    target, asked = internet.server(name, good)
    host, _ = internet.server("registry.example", to(f"https://{target}/latest", part))
    assert refusal(host) == refused(host, target, where)
    assert (asked, set(internet.dialled)) == ([], {INTERNET})


@pytest.mark.parametrize(("name", "where"), INSIDE)
def test_nobody_inside_is_asked_for_a_token(name: str, where: Network, internet: Internet) -> None:
    target, asked = internet.server(name, good)
    host, _ = internet.server("registry.example", for_tokens(f"https://{target}/token"))
    for login in (NOBODY, alice, lambda *_: Login("<token>", PASSWORD, is_token=True)):
        assert refusal(host, login) == refused(host, target, where)
    assert (asked, set(internet.dialled)) == ([], {INTERNET})


WRITTEN = [
    ("https://169.254.169.254/", "169.254.169.254", Network.LINK),
    ("https://[::ffff:169.254.169.254]/", "[::ffff:169.254.169.254]", Network.LINK),
    ("https://[fd00:ec2::254]/", "[fd00:ec2::254]", Network.LINK),
    ("https://100.100.100.200/", "100.100.100.200", Network.LINK),
    ("https://10.0.0.1:8443/", "10.0.0.1:8443", Network.PRIVATE),
    ("https://127.0.0.1:6443/", "127.0.0.1:6443", Network.LOOPBACK),
    ("http://127.0.0.1:2375/", "127.0.0.1:2375", Network.LOOPBACK),
    ("http://localhost:2375/", "localhost:2375", Network.LOOPBACK),
    ("http://[::1]:2375/", "[::1]:2375", Network.LOOPBACK),
    ("https://2130706433/", "2130706433", Network.LOOPBACK),
    ("https://127.1/", "127.1", Network.LOOPBACK),
    ("https://0/", "0", Network.LOOPBACK),
]


@pytest.mark.parametrize(("place", "target", "where"), WRITTEN)
def test_no_way_to_write_an_address_leads_inside(place: str, target: str, where: Network, internet: Internet) -> None:
    host, _ = internet.server("registry.example", to(place))
    assert refusal(host) == refused(host, target, where)
    host, _ = internet.server("registry.example", for_tokens(f"{place}token"))
    assert refusal(host, alice) == refused(host, target, where)
    assert set(internet.dialled) == {INTERNET}


def test_a_login_in_a_redirect_is_not_sent(internet: Internet) -> None:
    host, _ = internet.server("registry.example", to("https://me:pw@cdn.example/"))
    assert refusal(host) == f"{host}: sends to an address with a login in it"


@pytest.mark.parametrize("how", [to, for_tokens])
def test_a_name_that_changes_its_address_is_not_asked_at_the_new_one(
    how: Callable[[str], Answer], internet: Internet
) -> None:
    target, asked = internet.server("metadata.example", good)
    internet.names["metadata.example"] = [INTERNET, "127.0.0.2"]
    host, _ = internet.server("registry.example", how(f"https://{target}/token"))
    assert refusal(host, alice) == refused(host, target, Network.LINK)
    assert asked == []


def test_a_name_that_changes_its_address_gets_not_one_byte_there(internet: Internet) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.2", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=lambda: heard.append(listener.accept()[0].recv(100)), daemon=True)
        thread.start()
        target = f"metadata.example:{listener.getsockname()[1]}"
        internet.names["metadata.example"] = [INTERNET, "127.0.0.2"]
        host, _ = internet.server("registry.example", to(f"https://{target}/"))
        assert refusal(host) == refused(host, target, Network.LINK)
        thread.join(10)
    assert heard == [b""], "no greeting of TLS either"


def test_a_connection_that_another_image_made_is_not_used_for_a_redirect(internet: Internet) -> None:
    target, asked = internet.server("inner.example", good)
    host, _ = internet.server("registry.example", to(f"https://{target}/v2/app/manifests/1"))
    client = Client(find_login=NOBODY, pause=lambda seconds: None)
    assert look_up(client, f"{target}/app", "1").digest == IMAGE.digest
    count = len(asked)
    internet.names["inner.example"] = [INTERNET]
    with pytest.raises(RegistryError, match=f"^{re.escape(refused(host, target, Network.PRIVATE))}$"):
        look_up(client, f"{host}/app", "1")
    assert len(asked) == count


def test_a_redirect_by_way_of_the_internet_leads_nowhere_inside(internet: Internet) -> None:
    target, asked = internet.server("auth.inner.example", good)
    through, _ = internet.server("cdn.example", to(f"https://{target}/"))
    for name in ("registry.example", "inner.example"):
        host, _ = internet.server(name, to(f"https://{through}/v2/app/manifests/1"))
        assert refusal(host) == refused(host, target, Network.PRIVATE)
    assert asked == []


def test_a_token_server_sends_nobody_inside(internet: Internet) -> None:
    target, asked = internet.server("metadata.example", good)
    realm, _ = internet.server("cdn.example", to(f"https://{target}/", "/token"))
    host, _ = internet.server("registry.example", for_tokens(f"https://{realm}/token"))
    assert refusal(host, alice) == refused(host, target, Network.LINK)
    assert asked == []


def test_who_is_inside_may_send_to_a_neighbour(internet: Internet) -> None:
    realm, asked = internet.server("auth.inner.example", lambda asked: Reply(200, b'{"token": "t1"}'))
    store, stored = internet.server("auth.inner.example", good)

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer t1":
            return for_tokens(f"https://{realm}/token")(asked)
        return to(f"https://{store}{asked.path}", "/blobs/")(asked)

    host, _ = internet.server("inner.example", answer)
    assert refusal(host, alice) == ""
    assert [one.headers.get("authorization") for one in asked] == [BASIC]
    assert [one.headers.get("authorization") for one in stored] == [None]


def test_whom_the_user_names_may_be_anywhere(internet: Internet) -> None:
    realm, asked = internet.server("inner.example", lambda asked: Reply(200, b'{"token": "t1"}'))
    host, _ = internet.server("registry.example", for_tokens(f"https://{realm}/token"))
    assert refusal(host, alice, {realm: Registry()}) == ""
    assert len(asked) == 1


def test_not_even_the_user_means_who_tells_the_secrets_of_a_machine(internet: Internet) -> None:
    for sender in ("registry.example", "metadata.example"):
        target, asked = internet.server("metadata.example", good)
        host, _ = internet.server(sender, to(f"https://{target}/"))
        assert refusal(host, alice, {target: Registry(), host: Registry()}) == refused(host, target, Network.LINK)
        assert asked == []


def test_no_image_is_looked_for_where_clouds_tell_their_secrets(internet: Internet) -> None:
    host, asked = internet.server("metadata.example", good)
    said = refusal(host)
    assert said.startswith(f"{host}: a link-local or metadata address, where no registry is: write {host}: {{}} under ")
    assert asked == []
    assert refusal(host, user={host: Registry()}) == ""


def test_localhost_is_this_machine_or_is_not_asked(internet: Internet) -> None:
    internet.names["localhost"] = ["127.0.0.3"]
    host, asked = internet.server("localhost", good, tls=False)
    assert refusal(host).startswith(f"{host}: a private address, where no registry is")
    assert asked == []


def test_a_proxy_does_not_stand_before_this_machine(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, asked = internet.server("cdn.example", good, tls=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    said = refusal("127.0.0.8:5000", alice, trusted("127.0.0.8:5000"))
    assert said == "127.0.0.8:5000: is this machine, and a proxy is configured for it: name it in NO_PROXY"
    assert asked == []


# Where logins go.


def test_a_login_goes_over_tls(internet: Internet) -> None:
    host, asked = internet.server("registry.example", lambda one: with_password(one))
    assert refusal(host, alice) == ""
    assert [one.headers.get("authorization") for one in asked] == [None, BASIC, BASIC]


def with_password(asked: Asked) -> Reply:
    if asked.headers.get("authorization") == BASIC:
        return good(asked)
    return Reply(401, b"", {"WWW-Authenticate": "Basic realm=x"})


def test_a_login_goes_nowhere_without_tls(internet: Internet) -> None:
    host, asked = internet.server("registry.example", with_password, tls=False)
    said = refusal(host, alice, {host: Registry(insecure=True)})
    assert said == f"{host}: wants a login (401), which is sent over TLS only: give it TLS"
    assert [one.headers.get("authorization") for one in asked] == [None]


def test_a_token_that_a_login_buys_goes_nowhere_without_tls(internet: Internet) -> None:
    realm, asked = internet.server("cdn.example", lambda one: Reply(200, b'{"token": "for-anybody"}'))
    host, _ = internet.server("registry.example", for_tokens(f"https://{realm}/token"), tls=False)
    assert refusal(host, alice, {host: Registry(insecure=True)}) == ""
    assert [one.headers.get("authorization") for one in asked] == [None]


def test_on_this_machine_a_login_needs_the_word_of_the_user() -> None:
    log: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        log.append(asked)
        return with_password(asked)

    with answering(answer) as host:
        said = refusal(host, alice)
        assert said == (
            f"{host}: wants a login (401), which is sent over TLS only: "
            f"write insecure: true for it to {user_config.shown()}"
        )
        assert refusal(host, alice, {host: Registry(mirrors=())}) == said, "to name it is not enough"
        assert {one.headers.get("authorization") for one in log} == {None}
        assert refusal(host, alice, trusted(host)) == ""
    assert BASIC in {one.headers.get("authorization") for one in log}


def test_a_token_server_without_tls_gets_no_login(internet: Internet) -> None:
    realm, asked = internet.server("cdn.example", lambda one: Reply(200, b'{"token": "t1"}'), tls=False)
    host, _ = internet.server("registry.example", for_tokens(f"http://{realm}/token"))
    said = refusal(host, alice, {realm: Registry(insecure=True)})
    assert said.startswith(f"{host}: names {realm} for tokens, which has no TLS, so it gets no login")
    assert asked == []
    assert refusal(host, NOBODY, {realm: Registry(insecure=True)}) == "", "nobody's token may come so"


def test_whom_a_registry_sends_to_cannot_ask_for_its_login(internet: Internet) -> None:
    thief, stolen = internet.server("cdn.example", lambda asked: Reply(200, b'{"token": "t1"}'))
    store, _ = internet.server("cdn.example", for_tokens(f"https://{thief}/token"))
    host, _ = internet.server("registry.example", to(f"https://{store}/app", "/blobs/"))
    assert refusal(host, alice) == f"{host}: sends to {store}, which wants a login"
    basic, asked = internet.server("cdn.example", with_password)
    host, _ = internet.server("registry.example", to(f"https://{basic}/app", "/blobs/"))
    assert refusal(host, alice) == f"{host}: sends to {basic}, which wants a login"
    assert (stolen, {one.headers.get("authorization") for one in asked}) == ([], {None})


def test_a_token_goes_to_the_registry_that_it_was_given_for(internet: Internet) -> None:
    """Two registries with one token server, which tells them apart by nothing."""
    count = iter(range(9))
    realm, _ = internet.server("cdn.example", lambda asked: Reply(200, f'{{"token": "t{next(count)}"}}'.encode()))
    hosts = [internet.server("registry.example", for_tokens(f"https://{realm}/token")) for _ in range(2)]
    client = Client(find_login=alice, pause=lambda seconds: None)
    for host, _ in (*hosts, *hosts):
        assert look_up(client, f"{host}/app", "1").problem is None
    sent = [{one.headers.get("authorization") for one in asked} - {None} for _, asked in hosts]
    assert sent == [{"Bearer t0"}, {"Bearer t1"}]


# What a repository says, and what its user does.


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user, outside of every repository."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(transport, "BACK_OFF", ())
    return folder


def logged_in(home: Path, *hosts: str) -> None:
    entry = {"username": USER, "password": PASSWORD}
    write(home, {".docker/config.json": json.dumps({"auths": dict.fromkeys(hosts, entry)})})


def repository(folder: Path, image: str, settings: str) -> None:
    manifest = DEPLOYMENT.replace("example.com/web:1.2.3", image)
    write(folder, {"web.yaml": manifest, ".harden.yaml": settings})
    commit(folder)


def test_a_repository_takes_no_tls_away(tmp_path: Path, home: Path, internet: Internet, harden: Harden) -> None:
    host, asked = internet.server("registry.example", with_password, tls=False)
    logged_in(home, host)
    repository(tmp_path, f"{host}/app:1", f"registries: {{'{host}': {{insecure: true}}}}\n")
    done = harden("lock")
    assert (done.status, asked) == (1, [])
    assert (
        f"not heeded: 1\n  {host} insecure  .harden.yaml alone cannot take TLS away: write it to "
        "~/.config/harden/config.yaml or to a file for --registries\n"
    ) in done.out
    assert f"{host}: it does not speak TLS (insecure: true for it in ~/.config/harden/config.yaml)" in done.out
    counts, last = done.out.splitlines()[-2:]
    assert counts.endswith(": 1 image named: 1 not resolved, 1 not heeded")
    assert "was not written; harden diff and harden apply work without it" in last
    assert PASSWORD not in done.all


@pytest.mark.parametrize("whose", ["registry", "mirror"])
def test_a_repository_brings_no_mirror_before_a_login(
    whose: str, tmp_path: Path, home: Path, internet: Internet, harden: Harden
) -> None:
    mirror, asked = internet.server("cdn.example", with_password)
    host, _ = internet.server("registry.example", good)
    login = {"registry": host, "mirror": mirror}[whose]
    repository(tmp_path, f"{host}/app:1", f"registries: {{'{host}': {{mirrors: ['{mirror}/hub']}}}}\n")
    logged_in(home, login)
    done = harden("lock")
    assert (done.status, asked) == (0, []), done.all
    where = "write it to ~/.config/harden/config.yaml or to a file for --registries"
    assert (
        f"  {host} mirror {mirror}/hub  .harden.yaml alone cannot name it, as {login} has a login: {where}\n"
    ) in done.out
    # The same words by the user count.
    write(home, {".config/harden/config.yaml": (tmp_path / ".harden.yaml").read_text(encoding="utf-8")})
    done = harden("lock", "--update")
    assert (done.status, "not heeded" in done.out, bool(asked)) == (0, False, True), done.all


def test_where_logins_are_not_known_no_mirror_comes_between(
    tmp_path: Path, home: Path, internet: Internet, harden: Harden
) -> None:
    mirror, asked = internet.server("cdn.example", good)
    host, _ = internet.server("registry.example", good)
    repository(tmp_path, f"{host}/app:1", f"registries: {{'{host}': {{mirrors: ['{mirror}']}}}}\n")
    write(home, {".docker/config.json": json.dumps({"credHelpers": {host: "is-not-there"}})})
    done = harden("lock")
    assert (done.status, asked) == (0, [])
    assert f"cannot name it, as whether there is a login for {host} is not known: " in done.out


def test_a_mirror_of_a_repository_serves_where_nobody_logs_in(
    tmp_path: Path, home: Path, internet: Internet, harden: Harden
) -> None:
    mirror, asked = internet.server("cdn.example", good)
    repository(tmp_path, "registry.example:1/app:1", f"registries: {{'registry.example:1': {{mirrors: ['{mirror}']}}}}")
    done = harden("lock")
    assert (done.status, "not heeded" in done.out, bool(asked)) == (0, False, True), done.all


def test_a_repository_may_ask_for_tls() -> None:
    client = Client(repository={"127.0.0.1:5000": Registry(insecure=False)}, find_login=NOBODY)
    assert client.is_plain("127.0.0.1:5000") is False
    assert client.is_plain("127.0.0.1:5001") is True


HOW = ["home", "xdg", "option"]


@pytest.mark.parametrize("how", HOW)
def test_what_the_user_says_counts(
    how: str, tmp_path: Path, home: Path, internet: Internet, harden: Harden, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, asked = internet.server("registry.example", good, tls=False)
    repository(tmp_path, f"{host}/app:1", "")
    path = {"home": ".config/harden/config.yaml", "xdg": "own/harden/config.yaml", "option": "mine.yaml"}[how]
    write(home, {path: f"registries: {{'{host}': {{insecure: true}}}}\n"})
    if how == "xdg":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "own"))
    done = harden("lock", *(("--registries", home / path) if how == "option" else ()))
    assert (done.status, bool(asked)) == (0, True), done.all


def test_the_option_stands_in_place_of_the_file(tmp_path: Path, home: Path) -> None:
    write(home, {".config/harden/config.yaml": "registries: {a.example: {insecure: true}}\n"})
    write(tmp_path, {"mine.yaml": "registries: {b.example: {mirrors: [m.example/x]}}\n"})
    named = str(tmp_path / "mine.yaml")
    assert user_config.registries(str(tmp_path)) == {"a.example": Registry(insecure=True)}
    assert user_config.registries(str(tmp_path), named) == {"b.example": Registry(("m.example/x",))}


WRONG = [
    ("registries: {'https://r.example': {insecure: true}}\n", "'https://r.example' is no registry: write its host"),
    ("registries: {r.example: {mirrors: [m.example/../x]}}\n", "'m.example/../x' is no registry"),
    ("registries: {r.example: {mirror: x}}\n", "known are mirrors, insecure"),
    ("profile: strict\n", "known are registries"),
    ("a: 1\n---\nb: 1\n", "a config file is one document"),
    ("{", "config.yaml:2: not valid YAML"),
]


@pytest.mark.parametrize(("content", "problem"), WRONG)
def test_a_file_of_the_user_that_is_wrong_is_one_line(
    content: str, problem: str, tmp_path: Path, home: Path, harden: Harden
) -> None:
    repository(tmp_path, "127.0.0.1:9/app:1", "")
    write(home, {".config/harden/config.yaml": content})
    done = harden("lock")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("harden: ~/.config/harden/config.yaml:"), done.err
    assert problem in done.err
    assert done.err.count("\n") == 1


def test_a_file_of_registries_that_is_not_there(tmp_path: Path, home: Path) -> None:
    assert user_config.registries(str(tmp_path)) == {}
    with pytest.raises(InputError, match=r"^no\.yaml: no such file of registries$"):
        user_config.registries(str(tmp_path), "no.yaml")


def test_a_home_in_the_repository_is_not_the_users(home: Path) -> None:
    write(home, {".config/harden/config.yaml": "registries: {r.example: {insecure: true}}\n"})
    for root in (home, home / ".config"):
        with pytest.raises(InputError, match=r"^~/\S+: lies in the repository, .*--registries$"):
            user_config.registries(str(root))
    named = str(home / ".config/harden/config.yaml")
    assert user_config.registries(str(home), named) == {"r.example": Registry(insecure=True)}


def test_a_relative_folder_of_settings_is_not_heeded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "settings")
    assert user_config.place() == str(home / ".config/harden/config.yaml")


# What never ends.


def test_a_layer_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_LAYER_SECONDS", 0.5)
    monkeypatch.setattr(transport, "BACK_OFF", ())
    with trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n\x1f\x8b", b"a") as host:
        client = Client(find_login=NOBODY, pause=lambda seconds: None)
        place = client.places(f"{host}/app")[0]
        with pytest.raises(RegistryError, match=f"^{host}: no answer in time$"):
            client.layer(place, IMAGE.digest, lambda chunks: sum(map(len, chunks)))


def test_a_layer_has_time_for_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    # What comes in one second takes a little more than that; each byte gives five more.
    monkeypatch.setattr(client_module, "_SLOWEST", 0.2)
    monkeypatch.setattr(client_module, "_LAYER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nx")
                for _ in range(11):
                    time.sleep(0.1)
                    connection.sendall(b"x")

        threading.Thread(target=serve, daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        client = Client(find_login=NOBODY, pause=lambda seconds: None)
        monkeypatch.setattr(transport, "BACK_OFF", ())
        place = client.places(f"{host}/app")[0]
        assert client.layer(place, IMAGE.digest, b"".join) == b"x" * 12


def test_slow_redirects_have_one_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.8)
    log: list[str] = []

    def answer(asked: Asked) -> Reply:
        log.append(asked.path)
        time.sleep(0.5)
        return Reply(307, b"", {"Location": f"/{len(log)}"})

    with answering(answer) as host, pytest.raises(RegistryError, match=f"^{host}: no answer in time$"):
        look_up(Client(find_login=NOBODY, pause=lambda seconds: None), f"{host}/app", "1")
    assert len(log) <= 4


def test_slow_failures_have_one_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 1.0)
    log: list[str] = []

    def answer(asked: Asked) -> Reply:
        log.append(asked.path)
        time.sleep(1.1)
        return Reply(503)

    client = Client(find_login=NOBODY, pause=lambda seconds: None)
    with answering(answer) as host:
        for name in ("a", "b", "c"):
            with pytest.raises(RegistryError, match=f"^{host}: "):
                look_up(client, f"{host}/{name}", "1")
    assert len(log) == 1, "nor is it asked for the next image"


def test_a_name_of_very_many_addresses_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[object] = []

    def away(self: socket.socket, address: object) -> None:
        dialled.append(address)
        time.sleep(0.3)
        raise TimeoutError

    many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.1.{number}", 443)) for number in range(200)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: many)
    monkeypatch.setattr(socket.socket, "connect", away)
    monkeypatch.setattr(transport, "CONNECTS_SECONDS", 1.0)
    monkeypatch.setattr(transport, "BACK_OFF", ())
    assert refusal("r.example") == "r.example: no answer in time"
    assert len(dialled) < 6


@pytest.mark.parametrize(
    "header",
    [
        "a" * 90_000,
        'Bearer realm="' + "a=" * 40_000,
        "Bearer " + "a " * 40_000,
        f'Bearer realm="https://{"a" * 90_000}"',
    ],
)
def test_a_challenge_of_great_length_is_none(header: str) -> None:
    assert challenge(header) is None


def test_a_token_of_great_length_is_none(internet: Internet) -> None:
    realm, _ = internet.server("cdn.example", lambda asked: Reply(200, b'{"token": "%s"}' % (b"t" * 100_000)))
    host, _ = internet.server("registry.example", for_tokens(f"https://{realm}/token"))
    assert refusal(host) == f"{host}: its token server {realm} gives no token"
