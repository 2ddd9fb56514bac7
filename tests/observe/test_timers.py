"""What the entries of crontabs run, and as whom."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hardener.observe import namespace_agent as agent
from hardener.observe.timers import MOST, Entry, entries, has_daemon

OWN = "/etc/cron.d/job"


@pytest.mark.parametrize(
    ("path", "line", "wanted"),
    [
        (OWN, "* * * * * www-data date > /var/www/last.txt", Entry("date > /var/www/last.txt", "www-data")),
        (OWN, "17 *\t* * *\troot\tcd / && run-parts hourly", Entry("cd / && run-parts hourly", "root")),
        ("/etc/crontab", "@daily root backup --all", Entry("backup --all", "root")),
        ("/var/spool/cron/crontabs/bob", "*/5 1-3 * JAN mon-fri /usr/bin/report", Entry("/usr/bin/report", "bob")),
        ("/etc/crontabs/root", "0 3 * * * echo a%b", Entry("echo a", "root")),
        ("/etc/crontabs/root", r"0 3 * * * date +\%F", Entry("date +%F", "root")),
        (OWN, "# * * * * * root never", None), (OWN, "PATH=/usr/bin:/bin", None), (OWN, "@reboot root never", None),
        (OWN, "", None), (OWN, "* * * * * root", None),
    ],
)  # fmt: skip
def test_an_entry(path: str, line: str, wanted: Entry | None) -> None:
    assert entries([(path, f"{line}\n")]) == ([wanted] if wanted else [])


def test_no_more_than_some_are_started_and_none_twice() -> None:
    lines = [f"* * * * * root job {number}" for number in range(40)]
    found = entries([(OWN, "\n".join(lines)), (OWN, lines[0])])
    assert found == [Entry(f"job {number}", "root") for number in range(MOST)]


def test_who_starts_others_at_their_hour() -> None:
    assert has_daemon({"sh": 1, "cron": 1}) and not has_daemon({"nginx": 2})


def test_an_entry_of_whoever_the_daemon_is_runs_as_that(tmp_path: Path) -> None:
    file = tmp_path / "made"
    subprocess.run(Entry(f"echo yes > {file}").words, check=True)
    assert file.read_text(encoding="utf-8") == "yes\n"


def test_crontabs_are_read_where_the_container_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cron.d").mkdir()
    (tmp_path / "cron.d" / "job").write_text("* * * * * root x\n", encoding="utf-8")
    monkeypatch.setattr(agent, "_CRONTABS", (f"{tmp_path}/cron.d/", f"{tmp_path}/none", f"{tmp_path}/missing/"))
    own = int(Path("/proc/self").readlink().name)
    assert agent.crontabs(own) == [(f"{tmp_path}/cron.d/job", "* * * * * root x\n")]
