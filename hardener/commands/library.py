"""What a program calls: a text or files hardened, and what was decided, as records. Nothing is asked or printed.

The options are those of the command line, and so are the messages of a wrong one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from threading import RLock

from hardener.authoring import config as configuration
from hardener.authoring.edits import Grade
from hardener.commands.filter import hardened
from hardener.commands.run import Choices, informed, plan_with, read
from hardener.commands.write_files import write_files
from hardener.errors import HardenError, InputError
from hardener.report.redactor import Redactor
from hardener.report.results import HardenedText, HardenedTree, records
from hardener.sources import files
from hardener.sources.files.run_folder import recover_around
from hardener.tree.tree import Tree

PathName = str | os.PathLike[str]
Names = str | Iterable[str]
"""One name, or several; one text may also hold several, with commas."""
Options = Mapping[str, str | int | float | bool]

POLICY_ENGINES = ("vap", "kyverno", "gatekeeper", "none")
PIN_FORMATS = ("tag-digest", "digest-only")

# A run is all computing, so a second thread would win no time; and the registry, warnings filters and parsers are of
# the whole process. A run that a transform starts is in the same thread.
_turn = RLock()


class NotWrittenError(HardenError):
    """Not all files could be written, so none was; where even that failed, the message says which were.

    ``result`` is what was decided, without what was not written; a finding ``not-written`` names each file that stood
    in the way.
    """

    def __init__(self, message: str, result: HardenedTree) -> None:
        super().__init__(message, result)  # both, so that it can be sent to another process
        self.result = result

    def __str__(self) -> str:
        return str(self.args[0])


def harden_text(
    text: str,
    *,
    profile: PathName | None = None,
    max_grade: str | None = None,
    accept: Names = (),
    only: Names = (),
    skip: Names = (),
    kubernetes_version: str | None = None,
    config: PathName | None = None,
    set: Options | None = None,
    as_of: date | str | None = None,
    max_risk: str | None = None,
) -> HardenedText:
    """Harden the manifests in ``text``, a stream of YAML or JSON, as ``harden filter`` does.

    The text is all there is: no file is read but a profile or configuration that is named, and no ``harden.lock``. What
    would have to be concluded from objects that are not there is a finding. The options are those of ``harden_tree``;
    ``profile`` is "restricted" where nothing names one, and ``max_grade`` "review". The ``text`` of the result and its
    ``files`` hold the real text, secrets included.

    Raises InputError for a wrong option, and for a text that UTF-8 cannot write.
    """
    with _one_at_a_time():
        choices = _choices(
            profile=profile, max_grade=max_grade or max_risk, accept=accept, only=only, skip=skip,
            kubernetes_version=kubernetes_version, config=config, set=set, as_of=as_of,
        )  # fmt: skip
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError("the text is not UTF-8") from None
        found = configuration.load("", choices.config) if choices.config else configuration.Config()
        plan = plan_with(choices, found)
        outcome = plan.run(Tree.from_text(text, plan.settings), _silent, forks=False)
        return HardenedText(text=hardened(text, outcome), **records(outcome, informed(outcome)))


def harden_tree(
    path: PathName | Iterable[PathName],
    *,
    profile: PathName | None = None,
    max_grade: str | None = None,
    write: bool = False,
    accept: Names = (),
    only: Names = (),
    skip: Names = (),
    kubernetes_version: str | None = None,
    config: PathName | None = None,
    set: Options | None = None,
    evidence: PathName | None = None,
    as_of: date | str | None = None,
    prune_managed: bool = False,
    out_of_band: PathName | None = None,
    secrets_out: PathName | None = None,
    policy_engine: str | None = None,
    audit_log: PathName | Iterable[PathName] = (),
    pin_format: str | None = None,
    since: str | None = None,
    whole: bool = False,
    chart_values: bool = False,
    max_risk: str | None = None,
) -> HardenedTree:
    """Harden the files of ``path``, a file, folder or pattern, or several; evidence comes from the Git root.

    Without ``write`` no file is touched, as with ``harden diff``: ``files`` of the result hold the new texts. With it
    they are written as by ``harden apply --yes``: all of them or none. Those texts are the real ones, secrets included.

    ``profile`` is a name or a file; None is the one of ``.harden.yaml``, else "restricted". Steps up to ``max_grade``
    ("safe", "review", "guess" or "breaking"; None is that of ``.harden.yaml``, else "review") are made, and those of
    the transforms in ``accept``; ``max_risk`` is an earlier name of ``max_grade``. ``only`` and ``skip`` are
    transforms, or risks such as "K01". ``set`` are profile options: ``{"resources.cpu-limit": "none"}``. ``since`` is a
    revision of Git: only documents that differ from it are looked at, and what the change touched or made worse there,
    with ``whole`` all of them; nothing is written. ``chart_values`` is
    ``--values``. The others mean what the options of their names mean to ``harden apply``.

    Raises InputError for a wrong option or path, with the message of the command line, and NotWrittenError when the
    files could not be written.
    """
    names = [os.fspath(each) for each in ([path] if isinstance(path, str | os.PathLike) else path)]
    logs = [os.fspath(each) for each in ([audit_log] if isinstance(audit_log, str | os.PathLike) else audit_log)]
    with _one_at_a_time():
        choices = _choices(
            profile=profile, max_grade=max_grade or max_risk, accept=accept, only=only, skip=skip,
            kubernetes_version=kubernetes_version, config=config, set=set, as_of=as_of, evidence=evidence,
            prune_managed=prune_managed, out_of_band=out_of_band, secrets_out=secrets_out, policy_engine=policy_engine,
            audit_log=logs, pin_format=pin_format, since=since, whole=whole, chart_values=chart_values,
        )  # fmt: skip
        if not names:
            raise InputError("no path is named")
        if since and write:
            raise InputError("since narrows what is reported: it does not go with write")
        if write:
            recover_around(files.expand(names))
        tree, plan = read(names, choices, _silent)
        outcome = plan.run(tree, _silent, forks=False)
        is_written = write_files(outcome) if write else True
        redactor = informed(outcome)
        result = HardenedTree(written=write and is_written, **records(outcome, redactor))
        if not is_written:
            raise NotWrittenError(redactor.text(outcome.failure or ""), result)
        return result


def _choices(
    *,
    profile: PathName | None,
    max_grade: str | None,
    accept: Names,
    only: Names,
    skip: Names,
    kubernetes_version: str | None,
    config: PathName | None,
    set: Options | None,
    as_of: date | str | None,
    evidence: PathName | None = None,
    prune_managed: bool = False,
    out_of_band: PathName | None = None,
    secrets_out: PathName | None = None,
    policy_engine: str | None = None,
    audit_log: list[str] | None = None,
    pin_format: str | None = None,
    since: str | None = None,
    whole: bool = False,
    chart_values: bool = False,
) -> Choices:
    """The options as the command line gives them. Raises InputError for what it would not take itself."""
    _check("--max-grade", max_grade, [str(grade) for grade in Grade])
    _check("--policy-engine", policy_engine, POLICY_ENGINES)
    _check("--pin-format", pin_format, PIN_FORMATS)
    return Choices(
        profile=_text(profile), max_grade=max_grade, accept=_list(accept), only=_list(only), skip=_list(skip),
        kubernetes_version=kubernetes_version, config=_text(config),
        set=[f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in (set or {}).items()],
        evidence=_text(evidence), as_of=date.isoformat(as_of) if isinstance(as_of, date) else as_of,
        prune_managed=prune_managed, out_of_band=_text(out_of_band), secrets_out=_text(secrets_out),
        policy_engine=policy_engine, audit_log=audit_log, pin_format=pin_format, since=since, whole=whole,
        chart_values=chart_values,
    )  # fmt: skip


def _check(option: str, value: str | None, known: Iterable[str]) -> None:
    if value is not None and value not in known:
        raise InputError(f"Invalid value for '{option}': '{value}' is not one of {', '.join(map(repr, known))}")


def _text(path: PathName | None) -> str | None:
    return None if path is None else os.fspath(path)


def _list(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One run after the other; no message of an error shows a secret."""
    with _turn:
        try:
            yield
        except InputError as error:
            shown = Redactor().text(str(error))  # as the command line prints it
            if shown == str(error):
                raise
            raise InputError(shown) from None


def _silent(name: str) -> None:
    """Nobody looks at how far a run is."""
