"""The parts of a fleet: its list of addresses, the owners of files, and the file with the results."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hardener.errors import InputError
from hardener.fleet import addresses, store
from hardener.fleet.owners import Owners

from .conftest import Harden, write

TAKEN = {
    "https://example.com/shop.git": ("https://example.com/shop.git", "https://example.com/shop.git"),
    "https://token@example.com/shop": ("https://example.com/shop", "https://example.com/shop"),
    "https://example.com/shop?token=x#y": ("https://example.com/shop", "https://example.com/shop"),
    "HTTPS://example.com/shop": ("HTTPS://example.com/shop", "HTTPS://example.com/shop"),
    "ssh://git@example.com:2222/shop": ("ssh://git@example.com:2222/shop", "ssh://git@example.com:2222/shop"),
    "ssh://ann@example.com/shop": ("ssh://ann@example.com/shop", "ssh://example.com/shop"),
    "git@example.com:shop.git": ("git@example.com:shop.git", "git@example.com:shop.git"),
    "ann@example.com:shop.git": ("ann@example.com:shop.git", "example.com:shop.git"),
    "/srv/shop": ("/srv/shop", "/srv/shop"),
    "/srv/./x/../shop/": ("/srv/shop", "/srv/shop"),
    "file:///srv/shop.git": ("/srv/shop.git", "/srv/shop.git"),
    "file:///srv/a%20b": ("/srv/a b", "/srv/a b"),
    "/srv/a%20b": ("/srv/a%20b", "/srv/a%20b"),
    "file://localhost/srv/shop": ("/srv/shop", "/srv/shop"),
    "./-shop": (f"{os.getcwd()}/-shop", f"{os.getcwd()}/-shop"),
    "./a:b": (f"{os.getcwd()}/a:b", f"{os.getcwd()}/a:b"),
}


@pytest.mark.parametrize("text", TAKEN)
def test_what_git_gets_and_what_is_kept(text: str) -> None:
    found = addresses.parsed(text)
    assert (found.source, found.address) == TAKEN[text]


REFUSED = {
    "ext::sh -c touch% /tmp/x": "run a program",
    "fd::17": "run a program",
    "-uhttps://example.com/x": "begins with -",
    "--upload-pack=touch /tmp/x": "begins with -",
    "https://me:s3cretpw@example.com/x": "password",
    "ssh://me:s3cretpw@example.com/x": "password",
    "HTTPS://me:s3cretpw@example.com/x": "password",
    "ftp://me:s3cretpw@example.com/x": "password",
    "me:s3cretpw@example.com:x": "password",
    "me:s3cretpw@example.com/x": "password",
    "http://example.com/x": "http:// is not taken",
    "git://example.com/x": "git:// is not taken",
    "ssh://-oProxyCommand=touch/x": "name of a host",
    "ssh:///x": "name of a host",
    "-oProxyCommand=x:y": "begins with -",
    "git@-oProxyCommand=x:y": "name of a host",
    "file://example.com/x": "names no host",
    "file://": "without a path",
    "file:///x%0ay": "character",
    "https://exa\x1bmple.com/x": "character",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_in_one_line_that_shows_no_password(text: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"# ours\n\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"list: line 3: ") as refused:
        addresses.read(str(tmp_path / "list"))
    assert REFUSED[text] in str(refused.value) and "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value) and "\x1b" not in str(refused.value)


def test_a_list_has_comments_and_each_address_once(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(
        "\ufeff# all of them\nhttps://example.com/a  # the first\n  https://me@example.com/a\r\n\nhttps://example.com/#b\n",
        encoding="utf-8",
    )
    found = addresses.read(str(tmp_path / "list"))
    assert [each.address for each in found] == ["https://example.com/a", "https://example.com/"]


@pytest.mark.parametrize("raw", [b"", b"# nothing\n", b"caf\xe9\n", b"\0\n"])
def test_a_list_that_is_none(raw: bytes, tmp_path: Path, harden: Harden) -> None:
    (tmp_path / "list").write_bytes(raw)
    done = harden("fleet", "run", "list")
    assert done.status == 2 and done.err.startswith("harden: list: ") and done.err.count("\n") == 1
    assert not (tmp_path / "harden-fleet.db").exists()


# docs.github.com, "About code owners", the example there.
GITHUB = """\
* @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment. @nobody
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
bad\\
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    {
        "main.c": "@global-owner1 @global-owner2",
        "lib/x.js": "@js-owner",
        "x.go": "docs@example.com",
        "build/logs/a/b": "@octocat",
        "deep/docs/x.md": "@global-owner1 @global-owner2",
        "docs/x.md": "@doctocat",
        "docs/build-app/x.md": "@doctocat",
        "src/apps/x.c": "@octocat",
        "scripts/x": "@doctocat @octocat",
        "build/deep/logs": "@octocat",
        "apps/github": None,
        "apps/github/x": None,
        "apps/githubber": "@octocat",
    }.items(),
)
def test_owners_as_github_documents_them(tmp_path: Path, path: str, owners: str | None) -> None:
    write(tmp_path, {".github/CODEOWNERS": GITHUB, "CODEOWNERS": "* @not-read\n"})
    assert Owners(str(tmp_path)).of(path) == owners


def test_a_star_at_the_end_owns_no_folder_below(tmp_path: Path) -> None:
    write(tmp_path, {"docs/CODEOWNERS": "docs/* docs@example.com\nmy\\ file?.md @x\n"})
    of = Owners(str(tmp_path)).of
    assert [of("docs/a.md"), of("docs/build/a.md"), of("my file1.md")] == ["docs@example.com", None, "@x"]


# docs.gitlab.com, "Code Owners syntax and error handling".
GITLAB = """\
README.md @user1
internal/README.md @user2
[Documentation] @docs
docs/
config/ @ops
^[Database][2] @database @agent
model/db/
!model/db/generated/
[DOCUMENTATION]
model/db/README.md @user3
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    {
        "README.md": "@user1",
        "a/b/README.md": "@user1",
        "lib/internal/README.md": "@user2",
        "docs/a/x": "@docs",
        "src/config/x": "@ops",
        "model/db/x": "@database @agent",
        "model/db/README.md": "@user1 @user3 @database @agent",
        "model/db/generated/x": None,
        "other": None,
    }.items(),
)
def test_owners_as_gitlab_documents_them(tmp_path: Path, path: str, owners: str | None) -> None:
    write(tmp_path, {".gitlab/CODEOWNERS": GITLAB})
    assert Owners(str(tmp_path)).of(path) == owners


def test_a_repository_without_owners(tmp_path: Path) -> None:
    (tmp_path / "CODEOWNERS").symlink_to("/dev/zero")
    assert Owners(str(tmp_path)).of("x") is None


def _entry(fingerprint: str, state: str = "pending") -> store.Entry:
    return store.Entry("a.yaml", "Pod//a", "rule", "K01", state, "safe", "high", fingerprint, None)


def _result(*fingerprints: str) -> store.Result:
    return store.Result("c" * 40, None, 1.0, 2, 3, tuple(map(_entry, fingerprints)))


SETTINGS = store.Settings("1", "restricted", "x")


def test_what_was_seen_first_when_and_a_result_is_replaced_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "f.db")
    with store.writing(path) as connection:
        numbers = store.repositories(connection, ["a", "b"])
        assert store.repositories(connection, ["b", "c", "a"]) == {"b": numbers["b"], "c": 3, "a": numbers["a"]}
        first = store.new_run(connection, SETTINGS)
        store.record(connection, first, 1, _result("p", "q"))
        store.record(connection, first, 1, _result("p"))
        begun = store.unfinished(connection)
        assert begun is not None and (begun.number, begun.settings, begun.repositories) == (1, SETTINGS, frozenset({1}))
        store.finish(connection, first)
        assert store.unfinished(connection) is None
        second = store.new_run(connection, SETTINGS)
        store.repeat(connection, first, second, 1)
        store.record(connection, second, 2, store.Result(None, "no", 0.1, None, None))
        assert store.known_commits(connection, SETTINGS) == {1: {"c" * 40: second}}
        assert store.known_commits(connection, store.Settings("2", "restricted", "x")) == {}
    with store.reading(path) as connection:
        assert connection.execute("SELECT run, fingerprint FROM entry ORDER BY 1, 2").fetchall() == [(1, "p"), (2, "p")]
        assert connection.execute("SELECT * FROM seen ORDER BY 2").fetchall() == [(1, "p", 1), (1, "q", 1)]
        assert store.results(connection, 2) == {1: ("done", None), 2: ("failed", "no")}
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM run")


def test_a_second_writer_is_told_and_a_reader_is_not_kept_out(tmp_path: Path, harden: Harden) -> None:
    (tmp_path / "list").write_text("/srv/none\n", encoding="utf-8")
    with store.writing(str(tmp_path / "f.db")) as connection:
        store.new_run(connection, SETTINGS)
        done = harden("fleet", "run", "list", "--db", "f.db")
        assert (done.status, done.err.count("\n")) == (2, 1) and "another harden fleet run writes to it" in done.err
        assert "has not ended" in harden("fleet", "status", "--db", "f.db").out


def _other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks(id)")
        connection.commit()


def _other_version(path: Path) -> None:
    with store.writing(str(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"not a database" * 100), "is no file of harden fleet"),
        (_other_program, "is the file of another program"),
        (_other_version, "was written by another version of harden, with tables 2 and not 1"),
        (lambda path: path.mkdir(), "unable to open|no such file"),
    ],
)
def test_a_file_of_something_else_is_refused_and_stays(make: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for opened in (store.reading, store.writing):
        with pytest.raises(InputError, match=said) as refused, opened(str(path)):
            pass
        assert "\n" not in str(refused.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_file_in_a_folder_where_nothing_may_be_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "f.db"
    path.parent.mkdir()
    with store.writing(str(path)) as connection:
        store.new_run(connection, SETTINGS)
    path.parent.chmod(0o500)
    try:
        with store.reading(str(path)) as connection:
            assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)
    finally:
        path.parent.chmod(0o700)
