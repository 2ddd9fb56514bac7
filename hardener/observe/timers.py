"""What a container does at some hour: the entries of its crontabs, each as a command that is started once.

Sources: crontab(5) of Debian (cron) and of BusyBox (crond).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

DAEMONS = frozenset(("cron", "crond", "fcron", "supercronic", "yacron"))
MOST = 6  # entries that are started
_FIELD = r"[-\d*/,A-Za-z~?#]+"
_WHEN = re.compile(rf"(?:@(?!reboot)\w+|{_FIELD}(?:\s+{_FIELD}){{4}})\s+")
_SETS = re.compile(r"\w+\s*=")
_SYSTEM, _OF_PACKAGES = "/etc/crontab", "/etc/cron.d/"  # entries of these name a user
# Another user is become as a daemon does it, which takes the same privileges.
_SCRIPT = """\
if [ "$(id -un)" = "${1:-$(id -un)}" ]; then exec sh -c "$2"; fi
if command -v setpriv >/dev/null; then
  exec setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups sh -c "$2"
fi
exec su -s /bin/sh "$1" -c "$2"
"""


class Entry(Struct, frozen=True):
    """What an entry runs, and as whom ("": as whoever the daemon is)."""

    command: str
    user: str = ""

    @property
    def words(self) -> list[str]:
        """What starts it in a container."""
        return ["sh", "-c", _SCRIPT, "sh", self.user, self.command]


def entries(crontabs: Iterable[tuple[str, str]]) -> list[Entry]:
    """The entries of files, each given by its path and its text, the first of them."""
    found = [entry for path, text in crontabs for entry in _of_file(path, text)]
    return list(dict.fromkeys(found))[:MOST]


def _of_file(path: str, text: str) -> Iterator[Entry]:
    owner = path.rpartition("/")[2] if "/crontabs/" in path else ""
    for line in map(str.strip, text.splitlines()):
        when = None if line.startswith("#") or _SETS.match(line) else _WHEN.match(line)
        if when is None:
            continue
        rest = line[when.end() :]
        user = owner
        if path == _SYSTEM or path.startswith(_OF_PACKAGES):
            user, rest = (*rest.split(None, 1), "", "")[:2]
        command = re.split(r"(?<!\\)%", rest.strip())[0].replace("\\%", "%").strip()
        if command:
            yield Entry(command, user)


def has_daemon(programs: Collection[str]) -> bool:
    """Whether one of ``programs`` starts others at their hour."""
    return not DAEMONS.isdisjoint(programs)
