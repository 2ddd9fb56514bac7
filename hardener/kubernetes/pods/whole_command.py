"""A command that is read whole: of every program that it starts it is known what that needs and where it writes.

`command_evidence` looks for signs, and passes over what it does not understand. Here a word, a flag or a sign that is
not understood leaves the command open. A program is here where it needs neither root nor what only root may read,
and where it is known which of its operands it writes to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from getopt import GetoptError, getopt, gnu_getopt

from msgspec import Struct

from hardener.kubernetes.pods.command_evidence import known_path, node_paths
from hardener.kubernetes.pods.script_parts import VALUE, parts
from hardener.kubernetes.pods.shell import MOST_WRAPPERS, SHELLS, Command, runs, script_commands, unique
from hardener.support.late_pattern import late_pattern


class Reading(Struct, frozen=True):
    """Where a command writes, a file or a folder each; ``open``: what keeps it from being read whole, None if it is."""

    writes: tuple[str, ...] = ()
    open: str | None = None


def read_whole(starts: Iterable[Sequence[str]], workdir: str | None = None) -> Reading:
    """Read each of ``starts``, the words of a program and its arguments, that run in the folder ``workdir``.

    /dev and the like, which are no files of the image, are left out of what is written.
    """
    written: list[str] = []
    try:
        for words in starts:
            written += _Reader(workdir).of_words(words, 0)
    except _OpenError as found:
        return Reading(open=str(found))
    return Reading(tuple(unique(written)))


class _OpenError(Exception):
    """What is not understood, in words."""


# ---------------------------------------------------------------------------------------------------------------------
# Programs

# They read, count, compare, print, wait or end, whatever their words are.
_HARMLESS = frozenset(
    """: [ [[ base64 basename break cat cksum clear cmp comm continue cut declare df diff dig dirname du echo egrep
    envsubst exit expand export expr false fgrep fold for free getent grep head hexdump host id join jq let local ls
    md5sum mountpoint netstat nl nproc nslookup od paste pg_isready printenv printf ps pwd read readlink readonly
    realpath return rev seq set sha1sum sha256sum sha512sum shift sleep ss stat tac tail telnet test tr true type
    typeset umask uname unexpand unset uptime wait wc which whoami yes zcat""".split()
)
# They run the program that follows, as the same user.
_WRAPPERS = frozenset(
    {"builtin", "busybox", "command", "dumb-init", "env", "exec", "nice", "nohup", "setsid", "stdbuf"}
)
_WRAPPERS |= {"time", "timeout", "tini", "xargs"}


_NONE, _LAST, _ALL = slice(0, 0), slice(-1, None), slice(None)


class _Writer(Struct, frozen=True):
    """A program that writes to files that its words name, in the notation of getopt.

    - `flags`, `long`: those that are understood. `targets`: those of them whose value is written.
    - `operands`: which of its operands it writes to. `elsewhere`: with one of these flags it writes to no operand.
    - `here`: where nothing else is named it writes to the folder that it runs in.
    """

    flags: str
    long: tuple[str, ...] = ()
    targets: frozenset[str] = frozenset()
    operands: slice = _NONE
    elsewhere: frozenset[str] = frozenset()
    here: bool = False


_TARGET_DIRECTORY = frozenset({"-t", "--target-directory"})
# Left out are flags that keep an owner or set a mode (cp -a, mkdir -m), and those that name files of another kind.
_WRITERS = {
    "cp": _Writer(
        "rRfinuvLPHTlst:",
        ("dereference", "force", "no-clobber", "recursive", "target-directory=", "update", "verbose"),
        _TARGET_DIRECTORY, _LAST, _TARGET_DIRECTORY,
    ),
    "curl": _Writer(
        "sSfLkvigGI046#X:H:d:w:m:u:A:e:b:F:x:r:o:D:c:",
        (
            "cacert=", "cert=", "compressed", "connect-timeout=", "data=", "data-binary=", "data-raw=",
            "data-urlencode=", "dump-header=", "fail", "fail-with-body", "get", "head", "header=", "http1.1", "include",
            "insecure", "ipv4", "key=", "location", "max-time=", "no-progress-meter", "output=", "proxy=", "request=",
            "resolve=", "retry=", "retry-all-errors", "retry-connrefused", "retry-delay=", "retry-max-time=",
            "show-error", "silent", "url=", "user=", "user-agent=", "verbose", "write-out=",
        ),
        frozenset({"-o", "--output", "-D", "--dump-header", "-c"}),
    ),
    "ln": _Writer("sfinrvTt:", ("force", "no-dereference", "symbolic"), frozenset({"-t"}), _LAST, frozenset({"-t"})),
    "mkdir": _Writer("pv", ("parents", "verbose"), operands=_ALL),
    "mv": _Writer("finuvTt:", ("force", "no-clobber", "target-directory="), _TARGET_DIRECTORY, _ALL),
    "rm": _Writer("rRfiIdv", ("dir", "force", "recursive", "verbose"), operands=_ALL),
    "rmdir": _Writer("pv", ("ignore-fail-on-non-empty", "parents"), operands=_ALL),
    "tee": _Writer("ai", ("append",), operands=_ALL),
    "touch": _Writer("acmhd:t:r:", ("date=", "no-create", "reference="), operands=_ALL),
    "unzip": _Writer("nojqd:", (), frozenset({"-d"}), elsewhere=frozenset({"-d"}), here=True),
    "wget": _Writer(
        "qvSc46dT:t:U:w:O:P:o:a:",
        (
            "connect-timeout=", "directory-prefix=", "header=", "no-check-certificate", "no-verbose",
            "output-document=", "output-file=", "post-data=", "quiet", "retry-connrefused", "server-response", "spider",
            "timeout=", "tries=", "user-agent=", "waitretry=",
        ),
        frozenset({"-O", "--output-document", "-P", "--directory-prefix", "-o", "--output-file", "-a"}),
        elsewhere=frozenset({"-O", "--output-document", "-P", "--directory-prefix", "--spider"}), here=True,
    ),
}  # fmt: skip
_HERE = "."
_SCRATCH = "/tmp"
_STANDARD_OUTPUT = "-"

# What kubectl does to the cluster. It goes on without its cache where that cannot be written.
_OF_CLUSTER = frozenset(
    """annotate api-resources api-versions apply auth autoscale cluster-info cordon create delete describe drain exec
    explain get label logs patch replace rollout run scale set taint top uncordon version wait""".split()
)
_OF_KUBECONFIG = frozenset({"config", "cp", "plugin", "port-forward", "proxy"})  # they write files, or listen
_WRITES_OF_AWK = late_pattern(r">|(?<!\|)\|(?!\|)|\bsystem\b|\bgetline\b")
_OUTPUT_OF_SED = late_pattern(r"(?:^|[;{}/|,#@:\d$!\s])[gpiImM0-9]{0,4}[eWw](?:\s|;|$|\})|[wW]\s+/")
_LOWEST_FREE_PORT = 1024
_OTHER_ACTIONS_OF_FIND = frozenset({"-execdir", "-ok", "-okdir", "-fprint", "-fprint0", "-fprintf", "-fls"})


def _written_by(program: str, arguments: Sequence[str], writer: _Writer) -> list[str]:
    given, operands = _read(program, arguments, writer.flags, writer.long)
    found = [value for flag, value in given if flag in writer.targets and value != _STANDARD_OUTPUT]
    if any(flag in writer.elsewhere for flag, _ in given):
        return found + (operands if program == "mv" else [])
    if writer.here:
        return [*found, _HERE]
    if program in ("cp", "ln", "mv") and len(operands) < 2:
        return [*found, *operands[writer.operands], _HERE]
    return [*found, *operands[writer.operands]]


def _read(
    program: str, arguments: Sequence[str], flags: str, long: Sequence[str] = ()
) -> tuple[list[tuple[str, str]], list[str]]:
    """The flags of ``program`` with their values, and its operands."""
    try:
        return gnu_getopt(list(arguments), flags, list(long))
    except GetoptError as error:
        raise _OpenError(f"a flag of {program} is not known") from error


def _of_awk(arguments: Sequence[str]) -> list[str]:
    try:
        _, operands = getopt(list(arguments), "F:v:")  # the rest is for its script
    except GetoptError as error:
        raise _OpenError("a flag of awk is not known") from error
    if not operands or _WRITES_OF_AWK.search(operands[0]):
        raise _OpenError("the script of awk may write, or run a command")
    return []


def _of_sed(arguments: Sequence[str]) -> list[str]:
    long = ("expression=", "in-place", "quiet", "regexp-extended", "silent")
    given, operands = _read("sed", arguments, "nErsuzie:", long)
    scripts = [value for flag, value in given if flag in ("-e", "--expression")]
    if not scripts:
        scripts, operands = operands[:1], operands[1:]
    if not scripts or any(_OUTPUT_OF_SED.search(script) for script in scripts):
        raise _OpenError("the script of sed may write, or run a command")
    return operands if any(flag in ("-i", "--in-place") for flag, _ in given) else []


def _of_find(arguments: Sequence[str]) -> list[str]:
    if not _OTHER_ACTIONS_OF_FIND.isdisjoint(arguments) or arguments.count("-exec") > 1:
        raise _OpenError("what find does is not known")
    return _starts_of_find(arguments) if "-delete" in arguments else []


def _starts_of_find(arguments: Sequence[str]) -> list[str]:
    found = []
    for word in arguments:
        if word in ("-H", "-L", "-P"):
            continue
        if word.startswith(("-", "(", "!")):
            break
        found.append(word)
    return found or [_HERE]


def _filled_in(arguments: Sequence[str], starts: Sequence[str]) -> list[str]:
    """The words of `-exec`, with the paths where find starts in the place of what it finds."""
    end = next((index for index, word in enumerate(arguments) if word in (";", "+")), len(arguments))
    found: list[str] = []
    for word in arguments[:end]:
        found += starts if word == "{}" else [word]
    return found


def _of_tar(arguments: Sequence[str]) -> list[str]:
    words = list(arguments)
    if words and not words[0].startswith("-"):
        words[0] = f"-{words[0]}"
    long = ("create", "directory=", "extract", "file=", "gzip", "list", "no-same-owner", "strip-components=", "verbose")
    given, _ = _read("tar", words, "cxtvzjJohf:C:", long)
    values = dict(given)
    if "-t" in values or "--list" in values:
        return []
    archive = [value for flag, value in given if flag in ("-f", "--file") and value != _STANDARD_OUTPUT]
    if "-c" in values or "--create" in values:
        return archive
    return [value for flag, value in given if flag in ("-C", "--directory")] or [_HERE]


def _of_dd(arguments: Sequence[str]) -> list[str]:
    return [word.removeprefix("of=") for word in arguments if word.startswith("of=")]


def _of_sort(arguments: Sequence[str]) -> list[str]:
    given, _ = _read("sort", arguments, "bdfghiMnRrVcCmsuzk:t:T:o:", ("key=", "output=", "reverse", "unique"))
    return [_SCRATCH, *(value for flag, value in given if flag in ("-o", "--output", "-T"))]


def _of_uniq(arguments: Sequence[str]) -> list[str]:
    _, operands = _read("uniq", arguments, "cduizf:s:w:")
    return operands[1:]


def _of_date(arguments: Sequence[str]) -> list[str]:
    given, operands = _read("date", arguments, "uRI:d:r:D:", ("date=", "iso-8601=", "rfc-3339=", "universal", "utc"))
    if not all(word.startswith("+") for word in operands) or (("-I", "") in given):
        raise _OpenError("it may set the clock")
    return []


def _of_hostname(arguments: Sequence[str]) -> list[str]:
    if not all(word.startswith("-") for word in arguments):
        raise _OpenError("it sets the name of the host")
    return []


def _of_netcat(arguments: Sequence[str]) -> list[str]:
    letters = "".join(word[1:] for word in arguments if word.startswith("-") and not word.startswith("--"))
    if any(word.startswith("--") for word in arguments) or not {"e", "c", "U"}.isdisjoint(letters):
        raise _OpenError("a flag of nc is not known")
    numbers = [int(word) for word in arguments if len(word) <= 5 and word.isdecimal() and word.isascii()]
    if "l" in letters and (not numbers or min(numbers) < _LOWEST_FREE_PORT):
        raise _OpenError("it may listen on a port below 1024")
    return []


def _of_kill(arguments: Sequence[str]) -> list[str]:
    if any(VALUE in word for word in arguments):
        raise _OpenError("which process it ends is not known")
    return []


def _of_kubectl(arguments: Sequence[str]) -> list[str]:
    # A namespace may have the name of a task.
    is_read = not _OF_CLUSTER.isdisjoint(arguments) and _OF_KUBECONFIG.isdisjoint(arguments)
    if not is_read or any(word.startswith("--cache-dir") for word in arguments):
        raise _OpenError("what kubectl does is not known")
    return []


def _of_yq(arguments: Sequence[str]) -> list[str]:
    written = ("-i", "--inplace", "-s", "--split-exp")
    if any(word.startswith(written) for word in arguments):
        raise _OpenError("where yq writes is not known")
    return []


def _of_wait4x(arguments: Sequence[str]) -> list[str]:
    if "--" in arguments:
        raise _OpenError("it runs another program then")
    return []


_SPECIAL: dict[str, Callable[[Sequence[str]], list[str]]] = {
    **dict.fromkeys(("awk", "gawk", "mawk"), _of_awk),
    **dict.fromkeys(("nc", "ncat", "netcat"), _of_netcat),
    "date": _of_date,
    "dd": _of_dd,
    "find": _of_find,
    "hostname": _of_hostname,
    "kill": _of_kill,
    "kubectl": _of_kubectl,
    "sed": _of_sed,
    "sort": _of_sort,
    "tar": _of_tar,
    "uniq": _of_uniq,
    "wait4x": _of_wait4x,
    "yq": _of_yq,
}


# ---------------------------------------------------------------------------------------------------------------------
# Scripts

# Of what stands in no quotes: a file opened to read and to write, output to what may be a file, and variables that
# change what a name runs.
_NOT_UNDERSTOOD = late_pattern(r"<>|>&(?!(?:\d+|-)(?:[\s;|&()<>]|$))|(?<![\w$])(?:PATH|LD_\w+|BASH_ENV)\+?=")
_OF_ROOT = late_pattern(r"(?:^|[^\w.-])(?:/root(?![\w.-])|/etc/g?shadow\b|~|\$HOME\b|\$\{HOME\b)")
_OTHER_PROGRAMS = late_pattern(r"(?:PATH|LD_\w+|BASH_ENV)\+?=\S*")
_SHELL_FLAGS = late_pattern(r"[-+][a-zA-Z]+")
_TAKES_OPTION = late_pattern(r"[-+][a-zA-Z]*o")
_DEEPEST = 5  # scripts within scripts
_MOST_FOLDERS = 10
_PROGRAM = late_pattern(r"[\w./+-]{1,60}")


class _Reader:
    """Reads one start. Which of its commands run, and whether a `cd` holds for the next, is not followed: it may be in
    each of the folders that are met, None among them for one that is not known."""

    def __init__(self, workdir: str | None) -> None:
        self._folders = [workdir]

    def of_words(self, words: Sequence[str], depth: int, *, fed: bool = False) -> Iterator[str]:
        """What the program that ``words`` start writes to. ``fed``: it gets further operands, which nobody knows."""
        if depth > _DEEPEST:
            raise _OpenError("scripts within scripts")
        _refuse_words(words)
        found = list(runs([Command(list(words))]))
        if not found:
            raise _OpenError("nothing is started")
        if len(found) >= MOST_WRAPPERS:
            raise _OpenError("programs within programs")
        starts: list[str] | None = None  # where find starts, of what it runs
        for program, arguments in found:
            if program in SHELLS:
                yield from self._of_shell(program, arguments, depth)
                return
            if program == "command" and arguments[:1] in (["-v"], ["-V"]):
                return
            arguments = arguments if starts is None else _filled_in(arguments, starts)
            yield from self._of_program(program, arguments, depth, fed)
            fed = fed or program == "xargs"
            if program == "find" and "-exec" in arguments:
                starts = _starts_of_find(arguments)

    def _of_program(self, program: str, arguments: list[str], depth: int, fed: bool) -> Iterator[str]:
        if program in _HARMLESS or program in _WRAPPERS:
            return
        if fed:
            raise _OpenError(f"xargs tells {program} what to work on")
        if program in _WRITERS:
            yield from self._places(_written_by(program, arguments, _WRITERS[program]))
        elif program == "trap":
            yield from self._of_trap(arguments, depth)
        elif program == "cd":
            self._change_to(arguments)
        elif program in _SPECIAL:
            yield from self._places(_SPECIAL[program](arguments))
        else:
            raise _OpenError(f"what {_named(program)} needs is not known")

    def _of_shell(self, program: str, arguments: Sequence[str], depth: int) -> Iterator[str]:
        if program in ("su", "eval"):
            raise _OpenError(f"what {program} runs is not known")
        has_script = False
        words = iter(arguments)
        for word in words:
            if word == "--":
                word = next(words, "")
            elif _SHELL_FLAGS.fullmatch(word):
                has_script = has_script or "c" in word
                if _TAKES_OPTION.fullmatch(word):
                    next(words, None)
                continue
            if has_script and VALUE not in word:
                yield from self.of_script(word, depth + 1)
                return
            raise _OpenError("the script that it runs is not known")
        raise _OpenError("the shell reads what it runs")

    def of_script(self, text: str, depth: int) -> Iterator[str]:
        """What a shell script writes to."""
        if depth > _DEEPEST:
            raise _OpenError("scripts within scripts")
        found = parts(text)
        if found is None or _NOT_UNDERSTOOD.search(found.plain):
            raise _OpenError("a part of the script is not understood")
        for script in found.substituted:
            yield from self.of_script(script, depth + 1)
        if found.has_documents:
            yield _SCRATCH  # bash keeps them there
        for command in script_commands(found.text):
            yield from self._of_command(command, depth)

    def _of_command(self, command: Command, depth: int) -> Iterator[str]:
        if command.words:
            yield from self.of_words(command.words, depth)
        yield from self._places(command.targets)

    def _of_trap(self, arguments: Sequence[str], depth: int) -> Iterator[str]:
        operands = [word for word in arguments if word != "--"]
        if operands and operands[0] != "-" and not operands[0].startswith("-"):
            yield from self.of_script(operands[0], depth + 1)

    def _change_to(self, arguments: Sequence[str]) -> None:
        target = arguments[-1] if arguments and arguments[-1] != "-" else ""
        self._folders += [path for path in self._paths(target) if path not in self._folders]

    def _paths(self, target: str) -> list[str | None]:
        """The absolute paths that ``target`` may be; None among them for one that is not known."""
        if target.startswith("/"):
            return [target]
        if target[:1] in ("$", "~", VALUE, "") or len(self._folders) > _MOST_FOLDERS:
            return [None]
        return [None if folder is None else posixpath.join(folder, target) for folder in self._folders]

    def _places(self, targets: Iterable[str]) -> Iterator[str]:
        """The paths of what is written to, without those that are no files of the image."""
        for path in (path for target in targets for path in self._paths(target)):
            known = known_path(path.replace(VALUE, "*")) if path is not None else None
            if path is not None and known is None and _is_no_file(path):
                continue
            if known is None:
                raise _OpenError("a place that it writes to is not known")
            yield known


def _refuse_words(words: Sequence[str]) -> None:
    """Raise for words of which one shows that more than the program of that name is at work."""
    if any(_OF_ROOT.search(word) for word in words):
        raise _OpenError("it names what is root's alone")
    if any(_OTHER_PROGRAMS.fullmatch(word) for word in words):
        raise _OpenError("it may start other programs under their names")
    if of_node := node_paths(words, ()):
        raise _OpenError(f"it works with {of_node[0]}")


def _is_no_file(path: str) -> bool:
    """Whether ``path`` is one of the devices and entries of /proc that each container has for its user."""
    return path.startswith(("/dev/", "/proc/")) and VALUE not in path and "$" not in path and not node_paths([path], ())


def _named(program: str) -> str:
    return program if _PROGRAM.fullmatch(program) else "a program"
