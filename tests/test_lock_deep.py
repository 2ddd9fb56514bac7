"""harden lock --deep: images with layers in a registry on loopback, and what apply makes of what was read."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring.config import Registry
from hardener.commands import lock as lock_command
from hardener.lock import writer as lock_file
from hardener.lock.oci import transport
from hardener.lock.oci.client import Client
from hardener.lock.oci.layers import Layers
from hardener.lock.oci.limits import Limits
from hardener.lock.oci.registry_error import RegistryError
from hardener.sources.files import run_folder

from . import oci_images as made
from .conftest import DEPLOYMENT, Harden, commit, write
from .oci_images import File, capability, layer
from .registries import BASIC, Asked, Reply, answering, logged_in_nowhere, running, trusted

pytestmark = pytest.mark.slow  # its many cases together

PASSWD = File("etc/passwd", b"root:x:0:0:::\nweb:x:2001:2002::/:/sbin/nologin\n")
BASE = layer(PASSWD, File("usr/bin/su", b"\x7fELF", 0o4755), File("tmp/", mode=0o1777), File("bin", target="usr/bin"))
PROGRAM = layer(
    File("usr/bin/serve", b"\x7fELF", 0o755, capability=capability(10)), File("var/cache/web/", owner=(2001, 2002))
)
SAID = {"User": "web", "Cmd": ["serve"], "ExposedPorts": {"80/tcp": {}}}
WEB = made.image(SAID, layers=(BASE, PROGRAM))
ARM = made.image({**SAID, "User": "0"}, architecture="arm64", layers=(BASE,))
FILES = {
    "platform": "linux/amd64", "uid": 2001, "gid": 2002, "groups": [], "starts": ["/usr/bin/serve"],
    "capabilities": {"/usr/bin/serve": "NET_BIND_SERVICE=ep"}, "setuid": ["/usr/bin/su"],
    "empty": ["/var/cache/web"], "occupied": [],
}  # fmt: skip


def deployment(image: str, name: str = "web") -> str:
    return DEPLOYMENT.replace("name: web\nspec", f"name: {name}\nspec").replace("example.com/web:1.2.3", image)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What fails is tried again without a wait; whoever runs the tests logs in nowhere."""
    logged_in_nowhere(monkeypatch, tmp_path_factory.getbasetemp())
    monkeypatch.setattr(transport, "BACK_OFF", (0.0, 0.0, 0.0))


Push = Callable[..., None]


@pytest.fixture
def push(tmp_path: Path, registry: str, request: pytest.FixtureRequest) -> Push:
    """Puts images into the part of ``registry`` that is ``r.example`` here, each with a Deployment that runs it."""
    part = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    write(tmp_path, {".harden.yaml": f"registries:\n  r.example: {{mirrors: [{registry}/{part}]}}\n"})
    commit(tmp_path)

    def put(**images: made.Image) -> None:
        for name, image in images.items():
            made.push(f"http://{registry}", f"{part}/{name}", "1.2.3", image)
            write(tmp_path, {f"{name}.yaml": deployment(f"r.example/{name}:1.2.3", name)})

    return put


def stanza(folder: Path, name: str = "web") -> dict[str, Any]:
    found = yaml.safe_load((folder / "harden.lock").read_text(encoding="utf-8"))["images"][f"r.example/{name}:1.2.3"]
    assert isinstance(found, dict)
    return found


def test_the_layers_of_an_image_are_read(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=WEB)
    done = harden("lock", "--deep")
    assert (done.status, done.err) == (0, "")
    assert (
        "files read: 1\n  r.example/web:1.2.3  linux/amd64  user 2001:2002  /usr/bin/serve carries NET_BIND_SERVICE=ep"
        "  1 setuid program  1 folder to write to\n"
    ) in done.out
    assert done.out.splitlines()[-2] == "harden.lock: 1 image named: 1 added, 1 read"
    assert stanza(tmp_path)["files"] == FILES
    assert list(stanza(tmp_path)) == ["digest", "mediaType", "platforms", "config", "files"]
    text = (tmp_path / "harden.lock").read_text(encoding="utf-8")
    for again in (("lock", "--deep"), ("lock",), ("lock", "--update"), ("lock", "--update", "--deep")):
        assert (harden(*again).status, (tmp_path / "harden.lock").read_text(encoding="utf-8")) == (0, text), again
    assert harden("lock", "--frozen").status == harden("lock", "--check").status == 0


def test_what_was_read_decides(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=WEB)
    assert harden("lock").status == 0
    assert "its image runs as web, whose number is not known" in harden("diff", "web.yaml", "-v").all
    assert harden("lock", "--deep").status == 0
    assert harden("apply", "web.yaml").status == 0
    (pod,) = (one["spec"]["template"]["spec"] for one in yaml.safe_load_all((tmp_path / "web.yaml").read_text())
              if one["kind"] == "Deployment")  # fmt: skip
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == 2001 and "runAsGroup" not in pod["securityContext"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp", "/var/cache/web"]
    assert harden("diff", "web.yaml").status == 0, "a second run changes nothing"


def test_of_several_platforms_one_is_read_and_named(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=made.index({"arm64": ARM, "amd64": WEB, "unknown": made.image()}), arm=made.index({"arm64": ARM}))
    assert harden("lock", "--deep").status == 0
    assert (stanza(tmp_path)["files"]["platform"], stanza(tmp_path)["files"]["uid"]) == ("linux/amd64", 2001)
    assert stanza(tmp_path, "arm")["files"] == {
        "platform": "linux/arm64", "uid": 0, "gid": 0, "groups": [], "starts": [], "script": True, "capabilities": {},
        "setuid": ["/usr/bin/su"], "writer": 65532, "empty": [], "occupied": [],
    }  # fmt: skip


@pytest.mark.parametrize("pack", ["gzip", "zstd", ""])
def test_docker_and_oci_layers_however_they_are_packed(tmp_path: Path, harden: Harden, push: Push, pack: str) -> None:
    if pack == "zstd":
        pytest.importorskip("backports.zstd")
    one = layer(PASSWD, pack=pack)
    kinds = {"gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip"}
    push(
        web=made.image(
            SAID, media_type=made.DOCKER_MANIFEST, layers=(made.Blob(one.body, kinds.get(pack, one.media_type)),)
        )
    )
    assert harden("lock", "--deep").status == 0
    assert stanza(tmp_path)["files"]["uid"] == 2001


def test_files_go_with_the_digest_that_they_are_of(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=WEB)
    assert harden("lock", "--deep").status == 0
    push(web=made.image(SAID, layers=(BASE,)))
    assert harden("lock", "--check").status == 1
    assert stanza(tmp_path)["files"] == FILES
    done = harden("lock", "--update")
    assert (done.status, "  its files are not read: harden lock --deep\n" in done.out) == (0, True)
    assert "files" not in stanza(tmp_path), "they are those of another image"
    assert harden("lock", "--update", "--deep").status == 0
    assert stanza(tmp_path)["files"]["empty"] == []


def test_what_is_completed_keeps_its_files(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=WEB)
    files = "{platform: linux/amd64, uid: 7, gid: 7}"
    write(
        tmp_path,
        {"harden.lock": f"version: 1\nimages:\n  r.example/web:1.2.3: {{digest: {WEB.digest}, files: {files}}}\n"},
    )
    assert harden("lock").status == 0
    assert stanza(tmp_path)["files"]["uid"] == 7
    assert "config" in stanza(tmp_path)


def test_only_what_is_named_is_read(tmp_path: Path, harden: Harden, push: Push) -> None:
    push(web=WEB, other=made.image({}, layers=(BASE,)))
    assert harden("lock").status == 0
    assert harden("lock", "--update", "--deep", "r.example/web").status == 0
    assert ("files" in stanza(tmp_path), "files" in stanza(tmp_path, "other")) == (True, False)
    assert harden("lock", "--deep", "other.yaml").status == 0
    assert "files" in stanza(tmp_path, "other")


@pytest.mark.parametrize("option", ["--check", "--frozen"])
def test_deep_does_not_go_with_what_reads_nothing(harden: Harden, push: Push, option: str) -> None:
    push(web=WEB)
    done = harden("lock", "--deep", option)
    assert (done.status, done.err) == (
        2, "harden: --deep reads the layers of images: it goes with neither --check nor --frozen\n",
    )  # fmt: skip


def test_what_cannot_be_read_is_one_line_and_the_rest_is_read(tmp_path: Path, harden: Harden, push: Push) -> None:
    kind = "application/vnd.oci.image.layer"
    images = {
        "large": layer(PASSWD, File("zeros", bytes(3 << 20))), "damaged": made.Blob(b"no tar", made.LAYER),
        "odd": made.Blob(BASE.body, f"{kind}.v1.tar+rar"),
        "foreign": made.Blob(BASE.body, f"{kind}.nondistributable.v1.tar+gzip"),
    }  # fmt: skip
    push(web=WEB, none=made.image(SAID), **{name: made.image(SAID, layers=(one,)) for name, one in images.items()})
    with open(tmp_path / ".harden.yaml", "a", encoding="utf-8") as settings:
        settings.write("deep: {uncompressed: 1Mi}\n")
    done = harden("lock", "--deep")
    assert done.status == 1
    assert [line for line in done.out.splitlines() if line.endswith(".yaml:14)")] == [
        "  r.example/damaged:1.2.3  a layer is no tar that can be read (damaged.yaml:14)",
        "  r.example/foreign:1.2.3  it has layers that are not its registry's to give (foreign.yaml:14)",
        "  r.example/large:1.2.3  its layers unpack to more than 1 MiB, the limit (deep: in .harden.yaml sets it)"
        " (large.yaml:14)",
        "  r.example/none:1.2.3  it has no layers (none.yaml:14)",
        "  r.example/odd:1.2.3  it has a layer of a type that is not known (odd.yaml:14)",
    ]
    assert "harden.lock: 6 images named: 6 added, 1 read, 5 not read\n" in done.out
    assert stanza(tmp_path)["files"] == FILES
    assert "files" not in stanza(tmp_path, "large")
    assert "config" in stanza(tmp_path, "large"), "its config is known all the same"


@pytest.mark.parametrize(
    ("deep", "problem"),
    [
        ("{compressed: lots}", ".harden.yaml: deep: compressed is a number, such as 2Gi\n"),
        ("{members: 0}", ".harden.yaml: deep: members is a number, such as 500000\n"),
        ("{size: 2Gi}", "known are compressed, uncompressed, members, ratio\n"),
        ("{ratio: many}", ".harden.yaml: deep: ratio is a number, such as 200\n"),
        ("{ratio: 1001}", ".harden.yaml: deep: ratio is 1000 at the most\n"),
        ("{uncompressed: 1Pi}", ".harden.yaml: deep: uncompressed is 128Gi at the most\n"),
        ("{compressed: 33Gi}", ".harden.yaml: deep: compressed is 32Gi at the most\n"),
        ("{members: 4000001}", ".harden.yaml: deep: members is 4000000 at the most\n"),
    ],
)
@pytest.mark.parametrize("command", [["lock", "--deep"], ["lock"], ["check", "."]], ids=" ".join)
def test_a_limit_that_is_none(
    tmp_path: Path, harden: Harden, push: Push, command: list[str], deep: str, problem: str
) -> None:
    """Every command that reads the file says so, and no layer has to be read for it."""
    push(web=WEB)
    with open(tmp_path / ".harden.yaml", "a", encoding="utf-8") as settings:
        settings.write(f"deep: {deep}\n")
    done = harden(*command)
    assert done.status == 2
    assert done.err.endswith(problem)


def test_an_interrupted_run_keeps_what_was_read(tmp_path: Path, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images are done when the third stops the run."""
    push(web=WEB)
    names = ["r.example/a:1", "r.example/b:1", "r.example/c:1"]
    entries = {name: {"digest": WEB.digest, "mediaType": made.OCI_MANIFEST} for name in names}
    lock_file.save(str(tmp_path), entries)

    def facts(self: Layers, normalized: str, digest: str, writer: tuple[int, int]) -> dict[str, Any]:
        if normalized.endswith("/c"):
            raise KeyboardInterrupt
        return dict(FILES)

    monkeypatch.setattr(Layers, "facts", facts)
    monkeypatch.setattr(lock_command, "_IMAGES_AT_ONCE", 1)
    from hardener.authoring.config import Config
    from hardener.commands.progress import Progress
    from hardener.kubernetes.images.reference import parse

    errands = [lock_command.Errand(name, parse(name), digest=WEB.digest) for name in names]  # type: ignore[arg-type]
    result = lock_command.Result(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        lock_command._read_files(Client(), errands, Config(), result, Progress())
    held = lock_file.stanzas(str(tmp_path))
    assert [name for name in names if "files" in held[name]] == names[:2]


def test_what_another_run_changes_until_the_lock_is_ours_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_file.save(str(tmp_path), {"a:1": {"digest": WEB.digest}})
    alone = run_folder.alone

    @contextmanager
    def after_another(folder: str) -> Iterator[None]:
        monkeypatch.setattr(run_folder, "alone", alone)
        lock_file.save(folder, {"a:1": {"digest": ARM.digest}})
        with alone(folder):
            yield

    monkeypatch.setattr(run_folder, "alone", after_another)
    lock_file.save_files(str(tmp_path), {"a:1": (WEB.digest, {"uid": 1})})
    assert lock_file.stanzas(str(tmp_path)) == {"a:1": {"digest": ARM.digest}}


def test_what_another_run_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    lock_file.save(str(tmp_path), {"a:1": {"digest": WEB.digest}, "b:1": {"digest": ARM.digest}})
    lock_file.save_files(str(tmp_path), {name: (WEB.digest, {"uid": 1}) for name in ("a:1", "b:1", "gone:1")})
    held = lock_file.stanzas(str(tmp_path))
    assert held == {"a:1": {"digest": WEB.digest, "files": {"uid": 1}}, "b:1": {"digest": ARM.digest}}


# A registry that does as it is told.


def serving(
    image: made.Image, instead: Callable[[Asked], Reply | None] = lambda asked: None
) -> Callable[[Asked], Reply]:
    blobs = {one.digest: one.body for one in (image.config, *image.layers) if one is not None}

    def answer(asked: Asked) -> Reply:
        reply = instead(asked)
        if reply is not None:
            return reply
        if "/manifests/" in asked.path:
            return Reply(200, image.manifest.body, {"Content-Type": image.manifest.media_type})
        return Reply(200, blobs[asked.path.rpartition("/")[2]])

    return answer


def facts_from(
    host: str, image: made.Image, tell: Callable[[int], object] = lambda count: None, **mirrors: Any
) -> dict[str, Any]:
    client = Client({host: Registry(**mirrors)}, find_login=lambda *_: None, pause=lambda _: None)
    try:
        return Layers(client, Limits(), tell).facts(f"{host}/app", image.digest, (65532, 0))
    finally:
        client.close()


LAST = PROGRAM.digest


@pytest.mark.parametrize(
    ("reply", "problem", "times"),
    [
        (Reply(404), "HOST: no such image (404)", 1),
        (Reply(500), "HOST: answers 500", 4),
        (Reply(200, PROGRAM.body[:200], length=len(PROGRAM.body)), "HOST: the answer ends early", 4),
        (Reply(200, BASE.body), "HOST: a layer is not what its digest says", 1),
        (Reply(200, PROGRAM.body + b"x"), "HOST: a layer is not what its digest says", 1),
        (Reply(307, b"", {"Location": "http://r.example/"}), "HOST: sends to an address without TLS", 1),
    ],
    ids=["404", "500", "truncated", "another layer", "one byte more", "without TLS"],
)
def test_a_layer_that_does_not_come(reply: Reply, problem: str, times: int) -> None:
    asked: list[str] = []

    def answer(one: Asked) -> Reply | None:
        asked.append(one.path)
        return reply if LAST in one.path else None

    with answering(serving(WEB, answer)) as host:
        with pytest.raises(RegistryError) as caught:
            facts_from(host, WEB)
    assert str(caught.value) == problem.replace("HOST", host)
    assert sum(LAST in path for path in asked) == times


def test_what_breaks_off_is_read_anew() -> None:
    replies = [Reply(200, PROGRAM.body[:100], length=len(PROGRAM.body))]
    with answering(serving(WEB, lambda one: replies.pop() if LAST in one.path and replies else None)) as host:
        assert facts_from(host, WEB) == FILES


def test_the_next_place_is_asked_where_a_mirror_has_another_layer() -> None:
    with answering(serving(WEB, lambda one: Reply(200, BASE.body) if LAST in one.path else None)) as mirror:
        with answering(serving(WEB)) as host:
            assert facts_from(host, WEB, mirrors=(mirror,)) == FILES


def test_a_login_does_not_follow_to_where_layers_are_kept() -> None:
    from hardener.lock.oci.credentials import Login

    headers: list[dict[str, str]] = []

    def stored(asked: Asked) -> Reply:
        headers.append(asked.headers)
        return serving(WEB)(asked)

    with answering(stored) as store:

        def answer(asked: Asked) -> Reply | None:
            if asked.headers.get("authorization") != BASIC:
                return Reply(401, b"", {"WWW-Authenticate": "Basic realm=x"})
            return Reply(307, b"", {"Location": f"http://{store}{asked.path}"}) if LAST in asked.path else None

        with answering(serving(WEB, answer)) as host:
            client = Client(trusted(host), find_login=lambda *_: Login("alice", "s3cret"), pause=lambda _: None)
            assert Layers(client, Limits(), lambda count: None).facts(f"{host}/app", WEB.digest, (1, 1)) == FILES
            client.close()
    assert len(headers) == 1
    assert "authorization" not in headers[0]


def test_nothing_is_sent_but_names_and_a_layer_comes_once_for_all_images() -> None:
    other = made.image({"User": "1"}, layers=(BASE,))
    asked: list[Asked] = []
    assert other.config
    of_other = (other.digest, other.config.digest)

    def answer(one: Asked) -> Reply:
        asked.append(one)
        return serving(other if one.path.endswith(of_other) else WEB)(one)

    with answering(answer) as host:
        sizes: list[int] = []
        client = Client(find_login=lambda *_: None, pause=lambda _: None)
        layers = Layers(client, Limits(), sizes.append)
        layers.facts(f"{host}/app", WEB.digest, (65532, 0))
        layers.facts(f"{host}/app", other.digest, (65532, 0))
        client.close()
    assert sum(BASE.digest in one.path for one in asked) == 1
    assert sum(sizes) == len(BASE.body) + len(PROGRAM.body)
    assert all(one.method == "GET" and not one.body for one in asked)
    names = {name for one in asked for name in one.headers}
    assert names <= {"host", "accept", "accept-encoding", "user-agent", "connection"}


def test_a_layer_that_two_threads_want_at_once_comes_once() -> None:
    """The first request for the shared layer is answered when the second thread has asked for it, too."""
    other = made.image({"User": "1"}, layers=(BASE,))
    assert other.config
    of_other = (other.digest, other.config.digest)
    asked: list[str] = []
    wanted = threading.Semaphore(0)

    class Watched(Layers):
        def _layer(self, place: Any, digest: str, *rest: Any) -> Any:
            wanted.release()
            return super()._layer(place, digest, *rest)

    def answer(one: Asked) -> Reply:
        asked.append(one.path)
        if BASE.digest in one.path:
            for _ in range(2):
                wanted.acquire(timeout=60)
        return serving(other if one.path.endswith(of_other) else WEB)(one)

    with answering(answer) as host:
        client = Client(find_login=lambda *_: None, pause=lambda _: None)
        layers = Watched(client, Limits(), lambda count: None)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: layers.facts(f"{host}/app", one.digest, (1, 1)), (WEB, other)))
        client.close()
    assert sum(BASE.digest in path for path in asked) == 1


def test_a_run_asks_for_nothing_twice(tmp_path: Path, harden: Harden) -> None:
    asked: list[tuple[str, str]] = []
    with answering(serving(WEB, lambda one: asked.append((one.method, one.path.rpartition("/")[2])))) as host:
        write(tmp_path, {"web.yaml": deployment(f"{host}/web:1.2.3")})
        commit(tmp_path)
        done = harden("lock", "--deep")
    assert done.status == 0, done.all
    assert WEB.config
    assert sorted(asked) == sorted(("GET", name) for name in ("1.2.3", WEB.config.digest, BASE.digest, PROGRAM.digest))


def test_what_an_image_says_of_the_size_of_its_layers_may_save_the_download() -> None:
    content = json.loads(WEB.manifest.body)
    content["layers"][0]["size"] = 3 << 30
    huge = made.Image(made.blob(content, made.OCI_MANIFEST), WEB.config, layers=WEB.layers)
    asked: list[str] = []
    with answering(serving(huge, lambda one: asked.append(one.path))) as host:
        with pytest.raises(RegistryError, match=r"^its layers are larger than 2 GiB"):
            facts_from(host, huge)
    assert not [path for path in asked if BASE.digest in path]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"digest": "../../etc"}, "it has a layer that is named by no digest"),
        ({"size": -1}, "it has a layer that is named by no digest"),
        ({"size": "1"}, "it has a layer that is named by no digest"),
        ({"urls": ["https://r.example/layer"]}, "it has layers that are not its registry's to give"),
        ({"mediaType": None}, "it has a layer of a type that is not known"),
    ],
)
def test_a_layer_that_is_none(changed: dict[str, Any], problem: str) -> None:
    content = json.loads(WEB.manifest.body)
    content["layers"][1].update(changed)
    image = made.Image(made.blob(content, made.OCI_MANIFEST), WEB.config, layers=WEB.layers)
    with answering(serving(image)) as host:
        with pytest.raises(RegistryError, match=f"^{problem}$"):
            facts_from(host, image)


def test_windows_has_no_files_to_read() -> None:
    image = made.image(SAID, layers=(BASE,))
    assert image.config
    config = made.blob({**json.loads(image.config.body), "os": "windows"}, image.config.media_type)
    content = {**json.loads(image.manifest.body), "config": config.descriptor}
    windows = made.Image(made.blob(content, made.OCI_MANIFEST), config, layers=(BASE,))
    with answering(serving(windows)) as host:
        with pytest.raises(RegistryError, match="no linux platform"):
            facts_from(host, windows)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_bar_shows_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    from hardener.commands import progress

    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "_TELL_SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with progress.Progress() as bar:
        bar.begin("reading layers", 2)
        bar.tell(5 << 20)
        bar.tell(7 << 20)
        assert bar._bar is not None
        assert [(task.description, task.completed, task.total) for task in bar._bar.tasks] == [
            ("reading layers 0 of 2 12 MiB", 0, 2)
        ]
        bar("r.example/web:1.2.3")
        assert [(task.description, task.completed) for task in bar._bar.tasks] == [
            ("reading layers 1 of 2 r.example/web:1.2.3", 1)
        ]


def test_credentials_in_layers_are_named_and_never_kept(tmp_path: Path, harden: Harden, push: Push) -> None:
    password = "vT9mQe2xLw7b"  # made up
    lower = layer(PASSWD, File("app/.env", f"DB_PASSWORD={password}\n".encode()), File("app/.netrc", b"# none\n"))
    upper = layer(File("app/.wh..env"))
    said = {**SAID, "Env": [f"API_TOKEN={password}"]}
    push(web=made.image(said, layers=(lower, upper), history=(f"RUN |1 OLD_TOKEN={password} /bin/sh -c true",)))
    done = harden("lock", "--deep")
    assert done.status == 0
    assert stanza(tmp_path)["files"]["secrets"] == {"/app/.env": "a credential, which a later layer removes"}
    assert (stanza(tmp_path)["config"]["secretEnv"], stanza(tmp_path)["config"]["secretArgs"]) == (
        ["API_TOKEN"], ["OLD_TOKEN"],
    )  # fmt: skip
    found = harden("diff", "web.yaml", "-v")
    assert "its image holds credentials: in variables API_TOKEN; in build arguments OLD_TOKEN" in found.all
    assert password not in found.all + done.all + (tmp_path / "harden.lock").read_text(encoding="utf-8")
