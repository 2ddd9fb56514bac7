"""What the last lines of a container that did not come up say of the reason: what it may not write, which capabilities
it lacks, which changes may stop it. A hint decides what is tried first, and nothing else.

Sources: errno(3) and strerror(3) of glibc and musl; capabilities(7).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from hardener.observe.accepted import is_path

_READ_ONLY = re.compile(r"(?i)read-only file ?system|\bEROFS\b")
_REFUSED = re.compile(r"(?i)not permitted|\bEPERM\b|permission denied|\bEACCES\b|access denied")
_OF_MODES = re.compile(r"(?i)permission denied|\bEACCES\b|access denied")
_ABOVE = 4  # lines of a traceback that may show what was called
_FAILED = re.compile(r"(?i)fail|cannot|can't|could ?n.t|unable|error")
# A path in quotes, else a word that begins with a slash; the mark of a line number or of a reason ends it.
_PATH = re.compile(r"""["'`]\s*(/[^"'`\n]{1,512}?)\s*["'`]|(?<![\w./:-])(/[\w.@+%~/-]{1,512})""")
_SLASHES = re.compile("//+")
_MOST = 32  # paths
# What a program was about when it was refused, and the capability for that; where several may be meant, all of them.
_LACKS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"(?i){pattern}"), tuple(names.split()))
    for pattern, names in (
        (r"chroot", "SYS_CHROOT"),
        (r"initgroups|set ?groups|set(?:res|re|e|fs|ting)? ?gid|group (?:id|list)|supplementary group", "SETGID"),
        (r"set(?:res|re|e|fs|ting)? ?uid|switch(?:ing)? to user|drop(?:ping)? privileges|change user", "SETUID"),
        (r"setcap|cap_set_file|security\.capability", "SETFCAP"),
        (r"cap_set_proc|prctl\(PR_CAPBSET|capset|bounding set", "SETPCAP"),
        (r"\bl?f?chown|chang\w+ (?:of )?owner|set(?:ting)? owner", "CHOWN"),
        (r"\bf?chmod|(?:chang|set)\w* (?:of )?(?:mode|permissions)|utimes?\b", "FOWNER"),
        (r"\bmknod", "MKNOD"),
        (r"\bkill\b|send(?:ing)? signal", "KILL"),
        (r"port \d{1,3}\b|(?:\.\d{1,3}|[\]*]|localhost):\d{1,3}\b", "NET_BIND_SERVICE"),
        (r"^(?!.*(?<![\w.])/\w).*(?:\bbind|listen)", "NET_BIND_SERVICE"),  # a path is that of a socket of another kind
        (r"(?<!\w)audit(?! plugin)", "AUDIT_WRITE"),  # sudo calls its own plugin so
    )
)
_FILES = ("DAC_OVERRIDE",)  # past the modes of files, where nothing else is named
_BY_USER = ("run-as-user", "run-as-non-root", "fs-group", "root-group")
# What a line speaks of, and the changes that may be the reason.
_STOPS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_READ_ONLY, ("read-only-root-filesystem",)),
    # A volume hides what the image has there.
    (re.compile(r"(?i)no such file or directory|\bENOENT\b"), ("read-only-root-filesystem",)),
    (_REFUSED, ("drop-capabilities", *_BY_USER)),
    (re.compile(r"(?i)chroot|set(?:res|re|e|ting)? ?[ug]id|setgroups|must be (?:run|started) (?:as|by) root"),
     ("drop-capabilities", *_BY_USER)),
    (re.compile(r"(?i)no new privileges|effective uid is not 0|setuid root"), ("no-privilege-escalation",)),
    (re.compile(r"(?i)runAsNonRoot|non-root policy"), ("run-as-non-root", "run-as-user")),
    (re.compile(r"(?i)must be root|not root\b|need\w* root|(?:as|by|the) (?:root|superuser)\b"),
     ("run-as-non-root", "run-as-user")),
    (re.compile(r"(?i)out of memory|more memory|cannot allocate memory|OOM"), ("memory-limit",)),
    (re.compile(r"(?i)bad system call|seccomp|function not implemented"), ("seccomp-runtime-default",)),
    (re.compile(r"(?i)serviceaccount|\btoken\b"), ("automount-token", "projected-token")),
)  # fmt: skip


def paths(lines: Iterable[str], *, read_only: bool = False) -> list[str]:
    """The paths that ``lines`` name, in their order; ``read_only``: of those that speak of a read-only file system."""
    found: dict[str, None] = {}
    for line in lines:
        if read_only and not _READ_ONLY.search(line):
            continue
        found.update(dict.fromkeys(_paths_of(line)))
    return list(found)[:_MOST]


def _paths_of(line: str) -> Iterator[str]:
    for match in _PATH.finditer(line):
        path = _SLASHES.sub("/", match[1] or match[2]).rstrip(".,:;/")
        if is_path(path) and path.isprintable():
            yield path


def is_refused(lines: Iterable[str]) -> bool:
    """Whether a line speaks of something that it may not do."""
    return any(_REFUSED.search(line) for line in lines)


def lacking(lines: Iterable[str], among: Collection[str]) -> dict[str, bool]:
    """The capabilities of ``among`` that ``lines`` may speak of, and whether a line names that one alone."""
    found: dict[str, bool] = {}
    before: list[str] = []
    for line in lines:
        names = _lacking_by(line, before) if not _READ_ONLY.search(line) and _is_about_rights(line) else {}
        for name in sorted(names.keys() & set(among)):
            found[name] = found.get(name, False) or names[name]
        before = [*before[1 - _ABOVE :], line]
    return found


def _lacking_by(line: str, before: Iterable[str]) -> dict[str, bool]:
    """The same of one line, which says that something failed; those ``before`` it may show the call that did."""
    own = _about(line)
    if not own and _REFUSED.search(line):
        own = {name for each in before for name in _about(each)}
    if own:
        return dict.fromkeys(own, len(own) == 1)
    return dict.fromkeys(_FILES, False) if _OF_MODES.search(line) else {}


def _about(line: str) -> set[str]:
    return {name for pattern, names in _LACKS if pattern.search(line) for name in names}


def _is_about_rights(line: str) -> bool:
    """Whether a line that names what a program does says that it failed."""
    return _REFUSED.search(line) is not None or _FAILED.search(line) is not None


def suspected(lines: Iterable[str]) -> set[str]:
    """The transforms whose changes ``lines`` may speak of."""
    return {id for line in lines for pattern, ids in _STOPS if pattern.search(line) for id in ids}
