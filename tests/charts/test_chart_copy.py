"""What a copy of a chart holds, what it leaves out, and what is refused."""

from __future__ import annotations

import base64
import gzip
import io
import os
import sys
import tarfile
import tempfile
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hardener.charts.files import copy as chart_copy
from hardener.charts.files import helm_ignore
from hardener.charts.files.copy import Copied
from hardener.charts.helm import ChartError, Helm
from hardener.charts.values.computed_values import computed_values
from hardener.support.programs import ProgramError
from tests import helm as helms
from tests.conftest import git, write

CHART = "apiVersion: v2\nname: demo\nversion: 0.1.0\n"
CACHE = "apiVersion: v2\nname: cache\nversion: 1.2.3\n"


@pytest.fixture(params=[3, 4])
def rendered(request: pytest.FixtureRequest) -> Helm:
    """A real helm."""
    return Helm.found(str(helms.program(request.param)), "/")


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies lie while they are used."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def names(folder: str) -> list[str]:
    """All files of a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if not path.is_dir())


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def archive(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=format) as made:
        for info, content in members:
            made.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def packed(files: Mapping[str, str | bytes], top: str = "demo/") -> bytes:
    return archive(
        *(member(top + name, text if isinstance(text, bytes) else text.encode()) for name, text in files.items())
    )


def refusal(
    chart: Path, *, tree: str | None = None, helm: Helm | None = None, values: Sequence[str] = (),
    sets: Sequence[str] = (),
) -> str:  # fmt: skip
    """Why the chart is not copied, without the name of the folder it lies in."""
    with pytest.raises(ChartError) as caught, Copied(str(chart), tree=tree, helm=helm, values=values, sets=sets):
        pass
    return str(caught.value).replace(f"{chart.parent}/", "")


def test_a_folder_is_copied_and_goes_again(tmp_path: Path, scratch: Path) -> None:
    files: dict[str, str | bytes] = {
        "Chart.yaml": CHART, "values.yaml": "a: 1\n", "templates/a.yaml": "a: 1\n", "files/x": b"\xff",
    }  # fmt: skip
    write(tmp_path / "my-chart", files)
    write(tmp_path / "my-chart", {".git/config": "a token", "charts/a/.git": "x", ".harden-run/journal": "x"})
    with Copied(str(tmp_path / "my-chart")) as copy:
        assert (copy.name, copy.is_library, copy.dropped) == ("demo", False, ())
        assert os.path.basename(copy.folder) == "my-chart" and copy.folder.startswith(str(scratch))
        assert {name: (Path(copy.folder) / name).read_bytes() for name in names(copy.folder)} == {
            name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()
        }
    assert not list(scratch.iterdir())


def test_no_room_for_a_copy(rendered: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "demo", {"Chart.yaml": CHART})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    why = r"^a temporary folder cannot be used: No such file or directory$"
    assert refusal(tmp_path / "demo") == why[1:-1]
    for work in (rendered.template, rendered.lint, lambda folder: computed_values(rendered, folder)):
        with pytest.raises(ChartError, match=why):
            work(str(tmp_path / "demo"))
    with pytest.raises(ProgramError, match=why):
        Helm.found(rendered.program, "/")


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_of_any_bytes(rendered: Helm, tmp_path: Path) -> None:
    write(tmp_path / "demo", {"Chart.yaml": CHART, "templates/a.yaml": "a: 1\n"})
    (tmp_path / "demo" / os.fsdecode(b"\xff")).write_text("x", encoding="utf-8")
    with Copied(str(tmp_path / "demo")) as copy:
        assert os.fsdecode(b"\xff") in names(copy.folder) and "a: 1" in rendered.template(copy.folder)


@pytest.mark.parametrize("name", ["-x", "a b", "..x", "\x1b[2J"])
def test_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, {"Chart.yaml": CHART + "type: library\n"})
    with Copied(str(tmp_path / name)) as copy:
        assert os.path.basename(copy.folder) == "chart" and copy.is_library


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"values.yaml": ""}, "demo is no chart: it has no Chart.yaml"),
        ({"Chart.yaml": "a: ["}, "Chart.yaml of demo cannot be read: "),
        ({"Chart.yaml": "- a\n"}, "Chart.yaml of demo is no map of keys"),
        ({"Chart.yaml": ""}, "Chart.yaml of demo is no map of keys"),
        ({"Chart.yaml": b"\xff"}, "Chart.yaml of demo is no UTF-8"),
        ({"Chart.yaml": "#" * 1100000}, "Chart.yaml of demo is larger than 1 MiB"),
        ({"Chart.yaml": CHART, ".helmignore": "**/x\n"}, "chart demo: ** in .helmignore is not understood by helm"),
        ({"Chart.yaml": CHART, "charts/a.tgz": "x"}, "demo: a.tgz is no chart: neither a folder nor a whole .tgz"),
    ],
)
def test_what_is_no_chart(files: dict[str, str | bytes], why: str, tmp_path: Path, scratch: Path) -> None:
    write(tmp_path / "demo", files)
    assert refusal(tmp_path / "demo").startswith(why)
    assert not list(scratch.iterdir())


def test_what_is_no_chart_at_all(tmp_path: Path) -> None:
    write(tmp_path, {"values.yaml": "a: 1\n"})
    assert refusal(tmp_path / "values.yaml") == "values.yaml is no chart: neither a folder nor a whole .tgz"
    assert refusal(tmp_path / "none") == "none: no such chart"


@pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs")
def test_links_are_followed_inside_of_the_chart(tmp_path: Path) -> None:
    write(tmp_path / "demo", {"Chart.yaml": CHART, "shared/a.yaml": "a: 1\n", ".helmignore": "skipped\n*.out\n"})
    write(tmp_path, {"outside": "x"})
    for name, target in {
        "templates": "shared", "values.yaml": "shared/a.yaml", "b.yaml": str(tmp_path / "demo/shared/a.yaml"),
        "skipped": "../outside", "a.out": "nowhere", "shared/up.yaml": "../Chart.yaml",
    }.items():  # fmt: skip
        (tmp_path / "demo" / name).symlink_to(target)
    with Copied(str(tmp_path / "demo")) as copy:
        assert names(copy.folder) == [
            ".helmignore",
            "Chart.yaml",
            "b.yaml",
            "shared/a.yaml",
            "shared/up.yaml",
            "templates/a.yaml",
            "templates/up.yaml",
            "values.yaml",
        ]
        assert not any(path.is_symlink() for path in Path(copy.folder).rglob("*"))
    (tmp_path / "linked").symlink_to("demo")
    with Copied(str(tmp_path / "linked")) as copy:
        assert "templates/a.yaml" in names(copy.folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs")
@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("a", "../outside", "a is a link that leads out of the chart"),
        ("templates/a", "/etc/passwd", "templates/a is a link that leads out of the chart"),
        ("a", "..", "a is a link that leads out of the chart"),
        ("a", "nowhere", "a is a link to nothing"),
        ("a", "a", "a is a link to nothing"),
        ("a", ".", "a is a link to a folder that it lies in"),
        ("x/a", "../x", "x/a is a link to a folder that it lies in"),
        ("charts/a", "../../outside", "charts/a is a link that leads out of the chart"),
        ("charts/a", "../../plain", "charts/a is a link that leads out of the chart"),
        ("charts/a", "/usr", "charts/a is a link that leads out of the chart"),
        ("a", "../cache", "a is a link that leads out of the chart"),
        ("a", "", "a is neither a file nor a folder"),
    ],
)
def test_a_link_out_of_the_chart_is_refused(name: str, target: str, why: str, tmp_path: Path) -> None:
    write(tmp_path / "demo", {"Chart.yaml": CHART})
    write(tmp_path, {"outside": "x", "plain/x": "x", "cache/Chart.yaml": CACHE})
    place = tmp_path / "demo" / name
    place.parent.mkdir(exist_ok=True)
    if target:
        place.symlink_to(target)
    else:
        os.mkfifo(place)
    assert refusal(tmp_path / "demo") == f"chart demo: {why}"


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_licence_of_the_repository_may_be_linked(tmp_path: Path) -> None:
    write(tmp_path, {"demo/Chart.yaml": CHART, "LICENSE": "x", "README.md": "x"})
    for name, target in (("LICENSE", "../LICENSE"), ("README.md", "../README.md"), ("NOTICE", "../gone")):
        (tmp_path / "demo" / name).symlink_to(target)
    with Copied(str(tmp_path / "demo")) as copy:
        assert names(copy.folder) == ["Chart.yaml"]


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_chart_of_the_tree_may_be_linked_in_charts(tmp_path: Path) -> None:
    write(tmp_path, {"demo/Chart.yaml": CHART, "cache/Chart.yaml": CACHE, "cache/values.yaml": "a: 1\n", "secret": "x"})
    (tmp_path / "demo" / "charts").mkdir()
    (tmp_path / "demo" / "charts" / "cache").symlink_to("../../cache")
    (tmp_path / "cache" / "b.yaml").symlink_to("values.yaml")
    with Copied(str(tmp_path / "demo")) as copy:
        assert "charts/cache/b.yaml" in names(copy.folder)
    assert refusal(tmp_path / "demo", tree=str(tmp_path / "demo")).endswith(
        "charts/cache is a link that leads out of the chart"
    )
    (tmp_path / "cache" / "c").symlink_to("../secret")
    assert refusal(tmp_path / "demo") == "chart demo: charts/cache/c is a link that leads out of the chart"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({f"files/{n}": "x" for n in range(30)}, "chart demo has more than 20 files"),
        ({"files/x": "x" * 120_000}, "chart demo has more than 0 MiB"),
        ({f"f{n}": "x" * 30_000 for n in range(6)}, "chart demo has more than 0 MiB"),
    ],
)
@pytest.mark.parametrize("as_archive", [False, True])
def test_a_chart_has_limits(
    files: dict[str, str], why: str, as_archive: bool, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart_copy, "FILES", 20)
    monkeypatch.setattr(chart_copy, "BYTES", 100_000)
    place = tmp_path / "demo"
    if as_archive:
        place.write_bytes(packed({"Chart.yaml": CHART, **files}))
    else:
        write(place, {"Chart.yaml": CHART, **files})
    assert refusal(place) == why and not list(scratch.iterdir())


def test_an_archive_is_unpacked_with_those_in_its_charts(tmp_path: Path) -> None:
    inner = packed({"Chart.yaml": CACHE, "templates/a.yaml": "a: 1\n"}, "cache/")
    middle = packed({"Chart.yaml": CACHE.replace("cache", "db"), "charts/cache-1.2.3.tgz": inner}, "db/")
    files: dict[str, str | bytes] = {
        "Chart.yaml": CHART, ".helmignore": "*.tgz\n", "charts/db-1.tgz": middle, "charts/_off.tgz": "x",
        "charts/db-1/x": "y", "other.tgz": "x",
    }  # fmt: skip
    write(tmp_path, {"demo-0.1.0.tgz": packed(files)})
    with Copied(str(tmp_path / "demo-0.1.0.tgz")) as copy:
        assert os.path.basename(copy.folder) == "demo-0.1.0" and copy.name == "demo"
        assert names(copy.folder) == [
            ".helmignore", "Chart.yaml", "charts/_off.tgz",
            "charts/db-1-/Chart.yaml", "charts/db-1-/charts/cache-1.2.3/Chart.yaml",
            "charts/db-1-/charts/cache-1.2.3/templates/a.yaml", "charts/db-1/x", "other.tgz",
        ]  # fmt: skip


def test_a_copy_renders_what_the_chart_does(rendered: Helm, tmp_path: Path) -> None:
    """A folder with ignored files and packed charts, and the archive of it: helm says the same of each."""
    inner = packed(
        {"Chart.yaml": CACHE, "templates/tests/a.yaml": "in: {{ .Values.x }}\n", "values.yaml": "x: 1\n"}, "c/"
    )
    folder: dict[str, str | bytes] = {
        "Chart.yaml": CHART, ".helmignore": "tests/\n!*\n*.md\n", "charts/cache-1.2.3.tgz": inner,
        "templates/a.yaml": "on: 1\n", "templates/tests/b.yaml": "off: 1\n", "templates/.c.yaml": "off: 1\n",
        "files/a.md": "x", "templates/d.yaml": '{{ range $k, $v := .Files.Glob "**" }}{{ $k | quote }}: 1\n{{ end }}',
    }  # fmt: skip
    write(tmp_path / "demo", folder)
    write(tmp_path, {"demo.tgz": packed(folder)})
    for chart in ("demo", "demo.tgz"):
        plain = rendered.template(str(tmp_path / chart))
        with Copied(str(tmp_path / chart)) as copy:
            printed = rendered.template(copy.folder)
        assert ("off: 1" in plain) == (chart == "demo.tgz")
        if chart == "demo":
            assert sorted(printed.split("---\n")) == sorted(plain.split("---\n")) and "in: 1" in plain
        else:
            assert "in: 1" in printed


@pytest.mark.parametrize("top", ["demo/", "./", "demo\\", "a/./"])
def test_how_archives_name_their_folder(top: str, tmp_path: Path) -> None:
    files = {"Chart.yaml": CHART, "templates/a.yaml": "a: 1\n"}
    files = {name.replace("/", "\\") if "\\" in top else name: text for name, text in files.items()}
    write(tmp_path, {"demo.tgz": packed(files, top)})
    with Copied(str(tmp_path / "demo.tgz")) as copy:
        assert names(copy.folder) == ["Chart.yaml", "templates/a.yaml"]


HOSTILE = {
    "up": (member("demo/../../x"), "demo.tgz: demo/../../x in it leads out of the chart"),
    "up at once": (member("../x"), "demo.tgz: ../x in it leads out of the chart"),
    "absolute": (member("/tmp/x"), "demo.tgz: /tmp/x in it leads out of the chart"),
    "backslash": (member("demo\\..\\..\\x"), r"demo.tgz: demo\..\..\x in it leads out of the chart"),
    "drive": (member("demo/c:/x"), "demo.tgz: demo/c:/x in it leads out of the chart"),
    "link": (
        member("demo/a", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        "demo.tgz: demo/a in it is neither a file nor a",
    ),
    "hard link": (member("demo/a", kind=tarfile.LNKTYPE, link="/etc/passwd"), "demo.tgz: demo/a in it is neither"),
    "device": (member("demo/a", kind=tarfile.CHRTYPE), "demo.tgz: demo/a in it is neither a file nor a folder"),
    "FIFO": (member("demo/a", kind=tarfile.FIFOTYPE), "demo.tgz: demo/a in it is neither a file nor a folder"),
    "file as folder": (member("demo/Chart.yaml/x"), "chart demo.tgz cannot be read"),
    "long": (member("demo/" + "a" * 300), "chart demo.tgz cannot be read"),
    "terminal": (member("demo/../\x1b[2J"), r"demo.tgz: demo/../\x1b[2J in it leads out of the chart"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused(case: str, tmp_path: Path, scratch: Path) -> None:
    bad, why = HOSTILE[case]
    write(tmp_path, {"demo.tgz": archive(member("demo/Chart.yaml", CHART.encode()), bad)})
    assert refusal(tmp_path / "demo.tgz").startswith(why)
    write(tmp_path / "demo", {"Chart.yaml": CHART, "charts/demo.tgz": (tmp_path / "demo.tgz").read_bytes()})
    assert refusal(tmp_path / "demo").startswith(("demo: " + why, "chart demo cannot be read"))
    assert not list(scratch.iterdir()) and names(str(tmp_path)) == [
        "demo.tgz",
        "demo/Chart.yaml",
        "demo/charts/demo.tgz",
    ]


def _cut(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


@pytest.mark.parametrize(
    "raw",
    [b"", b"x" * 1000, gzip.compress(b"x" * 1000), _cut(packed({"Chart.yaml": CHART, "x": os.urandom(5000)})),
     gzip.compress(b"")[:5], packed({"Chart.yaml": CHART})[:60] + b"\xff" * 60, b"PK\3\4" + b"\0" * 600],
    # Names of cases, not their bytes: packed ones hold the second at which they were packed, and workers compare names.
    ids=["empty", "no archive", "packed, no tar", "half", "cut off in its head", "damaged", "zip"],
)  # fmt: skip
def test_an_archive_that_is_not_whole(raw: bytes, tmp_path: Path) -> None:
    write(tmp_path, {"demo.tgz": raw})
    assert refusal(tmp_path / "demo.tgz").removeprefix("chart ").startswith("demo.tgz ")


def _zeros(size: int) -> bytes:
    """A gzip of so many zeros."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=9) as stream:
        for _ in range(size // 1024**2):
            stream.write(b"\0" * 1024**2)
    return made.getvalue()


def _header(name: str, kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


BOMBS = {
    "one file": _header("demo/a", tarfile.REGTYPE, 20 * 1024**2),
    "a long name": _header("demo/a", tarfile.GNUTYPE_LONGNAME, 20 * 1024**2),
    "a header of words": _header("demo/a", tarfile.XHDTYPE, 20 * 1024**2),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_not_unpacked(name: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_copy, "BYTES", 1024**2)
    monkeypatch.setattr(chart_copy, "FILES", 100)
    write(tmp_path, {"demo.tgz": gzip.compress(BOMBS[name]) + _zeros(20 * 1024**2)})
    assert (tmp_path / "demo.tgz").stat().st_size < 30_000
    tracemalloc.start()
    try:
        assert refusal(tmp_path / "demo.tgz") == "chart demo.tgz has more than 1 MiB"
        assert tracemalloc.get_traced_memory()[1] < 6 * 1024**2
    finally:
        tracemalloc.stop()
    assert not list(scratch.iterdir())


def test_archives_in_archives_come_to_an_end(tmp_path: Path) -> None:
    raw = packed({"Chart.yaml": CACHE})
    for _ in range(120):
        raw = packed({"Chart.yaml": CACHE, "charts/a.tgz": raw})
    write(tmp_path, {"demo.tgz": raw, "demo/Chart.yaml": CHART, f"demo/{'a/' * 120}b": "x"})
    assert refusal(tmp_path / "demo.tgz") == "chart demo.tgz has folders that are nested too deeply"
    assert refusal(tmp_path / "demo") == "chart demo has folders that are nested too deeply"


def dependency(name: str = "cache", **more: str) -> str:
    keys = {"name": name, "version": "1.x", "repository": "https://example.com/charts", **more}
    return "- {" + ", ".join(f"{key.replace('_', '-')}: {value}" for key, value in keys.items()) + "}\n"


OFF = [
    ("a condition", dependency(condition="cache.enabled"), "cache: {enabled: false}", "", []),
    ("of the user", dependency(condition="cache.enabled"), "cache: {enabled: true}", "cache: {enabled: false}", []),
    ("by --set", dependency(condition="cache.enabled"), "cache: {enabled: true}", "", ["cache.enabled=false"]),
    ("the first that is there", dependency(condition='"a.b,cache.enabled"'), "cache: {enabled: false}", "", []),
    ("tags", dependency(tags="[extras, more]"), "tags: {extras: false}", "", []),
    ("the condition over the tags", dependency(tags="[extras]", condition="c.run"), 
     "tags: {extras: true}\nc: {run: false}", "", []),
    ("under each alias", dependency(alias="a", condition="a.run") + dependency(alias="b", condition="b.run"),
     "a: {run: false}\nb: {run: false}", "", []),
]  # fmt: skip
ON = [
    ("no condition", dependency(), "", "", []),
    ("a condition that says nothing", dependency(condition="cache.enabled"), "", "", []),
    ("a word is no boolean", dependency(condition="cache.enabled"), 'cache: {enabled: "false"}', "", []),
    ("of the user", dependency(condition="cache.enabled"), "cache: {enabled: false}", "cache: {enabled: true}", []),
    ("by --set", dependency(condition="cache.enabled"), "cache: {enabled: false}", "", ["cache.enabled=true"]),
    ("one tag of two", dependency(tags="[extras, more]"), "tags: {extras: false, more: true}", "", []),
    ("the default is taken away", dependency(condition="c.run"), "c: {run: false}", "c: {run: null}", []),
    ("under one alias", dependency(alias="a", condition="a.run") + dependency(alias="b", condition="b.run"),
     "a: {run: false}\nb: {run: true}", "", []),
]  # fmt: skip
IDS = [case[0] for case in OFF], [case[0] for case in ON]


def parent(folder: Path, entries: str, values: str, mine: str, name: str = "Chart.yaml") -> list[str]:
    """A chart with dependencies, and the values of its user."""
    chart = {"Chart.yaml": CHART if name == "Chart.yaml" else CHART.replace("v2", "v1")}
    chart[name] = chart.get(name, "") + "dependencies:\n" + entries
    locks = {"Chart.lock": "dependencies: []\n"}
    write(folder / "demo", {**chart, **locks, "values.yaml": values + "\n", "templates/a.yaml": "a: 1\n"})
    write(folder, {"mine.yaml": mine + "\n"})
    return [str(folder / "mine.yaml")]


@pytest.mark.parametrize(("entries", "values", "mine", "sets"), [case[1:] for case in OFF], ids=IDS[0])
def test_a_missing_dependency_that_is_off_is_left_out(
    entries: str, values: str, mine: str, sets: list[str], rendered: Helm, tmp_path: Path
) -> None:
    given = parent(tmp_path, entries, values, mine)
    with Copied(str(tmp_path / "demo"), helm=rendered, sets=sets, values=given) as copy:
        assert copy.dropped == ("cache",) and "Chart.lock" not in names(copy.folder)
        assert "a: 1\n" in rendered.template(copy.folder, sets=sets, values=given)


@pytest.mark.parametrize(("entries", "values", "mine", "sets"), [case[1:] for case in ON], ids=IDS[1])
def test_a_missing_dependency_that_is_on_is_an_error(
    entries: str, values: str, mine: str, sets: list[str], rendered: Helm, tmp_path: Path
) -> None:
    given = parent(tmp_path, entries, values, mine)
    why = refusal(tmp_path / "demo", helm=rendered, sets=sets, values=given)
    assert why == "chart demo: cache is on and missing in charts/: run helm dependency build demo"


def test_a_dependency_that_an_archive_lacks(rendered: Helm, tmp_path: Path) -> None:
    files = {"Chart.yaml": CHART + "dependencies:\n" + dependency(), "templates/a.yaml": "a: 1\n"}
    write(tmp_path, {"demo.tgz": packed(files)})
    why = refusal(tmp_path / "demo.tgz", helm=rendered)
    assert why == "chart demo.tgz: cache is on and missing in charts/: take a whole archive"


def test_dependencies_that_are_on_off_there_and_missing(rendered: Helm, tmp_path: Path) -> None:
    entries = dependency("there", condition="there.run") + dependency("idle", condition="idle.run") + dependency("used")
    entries += dependency("used-too") + dependency("idle-too", version='">=2.0.0-0 <3"', condition="idle.run")
    given = parent(tmp_path, entries, "idle: {run: false}", "")
    packed_chart = packed({"Chart.yaml": CACHE.replace("cache", "there")}, "there/")
    write(tmp_path / "demo", {"charts/there-1.2.3.tgz": packed_chart})
    why = refusal(tmp_path / "demo", helm=rendered, values=given)
    assert why == "chart demo: used, used-too are on and missing in charts/: run helm dependency build demo"
    write(
        tmp_path / "demo", {f"charts/{name}/Chart.yaml": CACHE.replace("cache", name) for name in ("used", "used-too")}
    )
    with Copied(str(tmp_path / "demo"), helm=rendered, values=given) as copy:
        assert copy.dropped == ("idle", "idle-too") and "a: 1\n" in rendered.template(copy.folder)
        assert '"name": "there"' in (Path(copy.folder) / "Chart.yaml").read_text(encoding="utf-8")


def test_dependencies_of_an_older_chart(rendered: Helm, tmp_path: Path) -> None:
    given = parent(tmp_path, dependency(condition="c.run"), "c: {run: false}", "", "requirements.yaml")
    with Copied(str(tmp_path / "demo"), helm=rendered, values=given) as copy:
        assert copy.dropped == ("cache",) and "a: 1\n" in rendered.template(copy.folder)


def test_without_helm_a_missing_dependency_stays_missing(rendered: Helm, tmp_path: Path) -> None:
    parent(tmp_path, dependency(condition="c.run"), "c: {run: false}", "")
    with Copied(str(tmp_path / "demo")) as copy:
        assert copy.dropped == ()
        with pytest.raises(ChartError, match=r"missing in charts/ directory: cache$"):
            rendered.template(copy.folder)


@pytest.mark.parametrize("place", ["../cache", "../libs/../cache", "TREE/cache"])
def test_a_dependency_in_a_folder_of_the_tree_is_copied(place: str, rendered: Helm, tmp_path: Path) -> None:
    entries = dependency(repository=f'"file://{place}"').replace("TREE", str(tmp_path))
    given = parent(tmp_path, entries, "cache: {size: 2}", "")
    files = {"Chart.yaml": CACHE, "templates/a.yaml": "size: {{ .Values.size }}\n", "values.yaml": "size: 1\n"}
    write(tmp_path / "cache", {**files, ".helmignore": "*.md\n", "a.md": "x"})
    with Copied(str(tmp_path / "demo"), helm=rendered, values=given) as copy:
        assert copy.dropped == () and "size: 2\n" in rendered.template(copy.folder)
        assert "charts/cache-of-tree/templates/a.yaml" in names(copy.folder)
        assert "charts/cache-of-tree/a.md" not in names(copy.folder)
    assert names(str(tmp_path / "demo")) == ["Chart.lock", "Chart.yaml", "templates/a.yaml", "values.yaml"]


def test_a_dependency_of_the_tree_has_the_version_that_is_asked_for(rendered: Helm, tmp_path: Path) -> None:
    parent(tmp_path, dependency(version="2.x", repository="file://../cache", condition="c.run"), "c: {run: false}", "")
    write(tmp_path / "cache", {"Chart.yaml": CACHE, "templates/a.yaml": "on: 1\n"})
    why = refusal(tmp_path / "demo", helm=rendered)
    assert why == "chart demo: its dependency cache has another version there than it asks for"


def test_a_vendored_dependency_is_not_copied_again(tmp_path: Path) -> None:
    parent(tmp_path, dependency(repository="file://../cache"), "", "")
    write(tmp_path, {"cache/Chart.yaml": CACHE, "demo/charts/old/Chart.yaml": CACHE})
    with Copied(str(tmp_path / "demo")) as copy:
        assert [name for name in names(copy.folder) if name.startswith("charts/")] == ["charts/old/Chart.yaml"]


def test_the_tree_is_the_repository(tmp_path: Path) -> None:
    parent(tmp_path / "a" / "b", dependency(repository="file://../../../cache"), "", "")
    write(tmp_path, {"cache/Chart.yaml": CACHE})
    demo = tmp_path / "a" / "b" / "demo"
    assert refusal(demo) == "chart demo: its dependency cache lies outside of the tree"
    git(tmp_path, "init", "-q")
    with Copied(str(demo)) as copy:
        assert "charts/cache-of-tree/Chart.yaml" in names(copy.folder)


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        ("file:///etc", "its dependency cache lies outside of the tree"),
        ("file://../..", "its dependency cache lies outside of the tree"),
        ("file://../none", "its dependency cache is not where its repository says"),
        ("file://../other", "its dependency cache is called other there"),
    ],
)
def test_a_dependency_that_is_not_in_the_tree(repository: str, why: str, rendered: Helm, tmp_path: Path) -> None:
    write(tmp_path, {"other/Chart.yaml": CACHE.replace("cache", "other")})
    parent(tmp_path, dependency(repository=repository, condition="c.run"), "c: {run: true}", "")
    assert refusal(tmp_path / "demo") == f"chart demo: {why}"
    assert refusal(tmp_path / "demo", helm=rendered) == f"chart demo: {why}"
    with Copied(str(tmp_path / "demo"), helm=rendered, sets=["c.run=false"]) as copy:
        assert copy.dropped == ("cache",) and "a: 1\n" in rendered.template(copy.folder)


IGNORED = [
    ("*.md", "docs/a.md", True), ("docs/*.md", "docs/a.md", True), ("*.md", "a.txt", False), ("docs/", "docs", False),
    ("/a", "a", True), ("/a", "x/a", False), ("a?c", "abc", True), ("a?c", "a/c", False), ("[a-c]x", "bx", True),
    ("[^a-c]x", "bx", False), ("[a\\-]x", "-x", True), ("\\*", "*", True), ("\\*", "a", False), ("# a", "# a", False),
    ("  a  ", "a", True), ("!a", "a", False), ("!a", "b", True), ("!a\nb", "b", True), ("a\n!b", "b", False),
    ("", "templates/.a.yaml", True), ("", "charts/x/templates/.a.yaml", False), ("*a*b", "xaxb", True),
    ("*a*b", "xbxa", False), ("a*/b", "ax/b", True), ("a*/b", "a/x/b", False), ("é?", "éü", True),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "path", "ignored"), IGNORED)
def test_helmignore(rules: str, path: str, ignored: bool) -> None:
    assert helm_ignore.Rules(rules + "\n").ignores(path, is_folder=False) is ignored


def test_helm_reads_helmignore_the_same(rendered: Helm, tmp_path: Path) -> None:
    """What is a file below templates/ or beside them is in ``.Files`` or not, as the rules say."""
    # A rule with ! would take Chart.yaml away, and what is a folder is no file.
    cases = [case for case in IGNORED if "!" not in case[0] and "docs" != case[1] and case[0]]
    for number, (rules, path, ignored) in enumerate(cases):
        folder = tmp_path / str(number)
        template = '{{ range $k, $v := .Files.Glob "**" }}{{ $k | b64enc | quote }}: 1\n{{ end }}'
        write(folder, {"Chart.yaml": CHART, ".helmignore": rules, path: "x", "templates/z.yaml": template})
        shown = f'"{base64.b64encode(path.encode()).decode()}": 1\n'
        assert (shown not in rendered.template(str(folder))) is ignored, (rules, path)


def test_helmignore_takes_no_time() -> None:
    assert not helm_ignore.Rules("*a" * 200 + "*b").ignores("a" * 255, is_folder=False)


@pytest.mark.parametrize("rules", ["**/x", "[", "[a", "[]a]", "[a-", "a\\", "[-a]"])
def test_a_helmignore_that_helm_refuses(rules: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"in \.helmignore is not"):
        helm_ignore.Rules(rules)
