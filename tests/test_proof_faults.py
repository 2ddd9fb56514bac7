"""Faults put into the writer and the engine: each is noticed, nothing wrong is written, and all else is made."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hardener.authoring import registry
from hardener.authoring.edits import Grade, Set, replay
from hardener.authoring.profile import Profile
from hardener.authoring.transform import Steps, Transform, transform
from hardener.engine import assemble_files, pipeline, proof
from hardener.engine.outcome import Outcome
from hardener.engine.step import Step
from hardener.engine.text_checks import patched
from hardener.sources import yaml
from hardener.sources.python import rewrite as program
from hardener.sources.terraform import rewrite as terraform
from hardener.sources.yaml import text_templates
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.tree import Tree

from .conftest import Harden, write

BODY = "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
WEB = """\
# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "web"  # as in the DNS

spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: example.com/web:1
        tty: false  # for the debugger
        stdin: true
        stdinOnce: false
        args:
        # talk
        - -v
        - -w
"""
OTHER = WEB.replace("web", "other")
HARDENED = OTHER.replace("tty: false", "tty: true ").replace("        stdin: true\n", "").replace("-v", "-q")
STRAY = "a line would change that no edit asked for"
DECIDED = "the text does not come out as it was decided"
LOST = "a comment would be lost"
Text = Callable[[str], str]
Run = Callable[..., Outcome]


def declared(function: Callable[..., Any], each: type = Container) -> Transform:
    function.__doc__ = BODY
    return transform(each=each, stage="user")(function).__transform__  # type: ignore[attr-defined,no-any-return]


def terminal(container: Container) -> Steps:
    """One step of two edits."""
    yield container.set("tty", to=True, grade=Grade.SAFE)
    yield container.drop("stdin", grade=Grade.SAFE)


def quiet(container: Container) -> Steps:
    yield container.set("args", to=["-q", "-w"], grade=Grade.SAFE)


def version(pod: PodTemplate) -> Steps:
    """An edit of the first line of some documents."""
    piece = pod.object.piece
    basis = pod.set("x", to=1, grade=Grade.SAFE).basis
    yield Set(piece=piece, path=(*pod.object.path, "apiVersion"), value="apps/v1", grade=Grade.SAFE, basis=basis)


TERMINAL, QUIET, VERSION = declared(terminal), declared(quiet), declared(version, PodTemplate)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run transforms on files."""

    def running(texts: dict[str, str], *transforms: Transform) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
        write(tmp_path, {name: text.encode() for name, text in texts.items()})
        workspace = Tree.read([str(tmp_path)], root=str(tmp_path))
        return pipeline.run(workspace, Profile("test", members={item.id: True for item in transforms}))

    return running


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def hunks(before: str, after: str) -> list[yaml.Hunk]:
    """What really changed."""
    old, new = lines(before), lines(after)
    return [
        yaml.Hunk(i + 1, old[i:i2], j + 1, new[j:j2])
        for tag, i, i2, j, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


@dataclass
class Fault:
    """A writer that gives ``wrong`` of the right text of web.yaml. It says what it changed (``hides``: as if it had
    not), and reads what it wrote (``unread``: only what it should have written)."""

    reason: str
    wrong: Text
    text: str = WEB
    transforms: tuple[Transform, ...] = (TERMINAL, QUIET)
    hides: bool = False
    unread: bool = False

    def put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        right = yaml.rewrite

        def faulty(text: str, mutate: Any, **options: Any) -> yaml.Rewrite:
            found = right(text, mutate, **options)
            if "other" in text:
                return found
            wrong = self.wrong(found.text)
            assert wrong != found.text, "no fault"
            return yaml.Rewrite(
                wrong,
                found.hunks if self.hides else hunks(text, wrong),
                found.before,
                found.after if self.unread else yaml.parse(wrong),
            )

        monkeypatch.setattr(yaml, "rewrite", faulty)


def swapped(one: str, other: str = "") -> Text:
    return lambda text: text.replace(one, other, 1)


def exchanged(one: str, other: str) -> Text:
    return lambda text: text.replace(one, "\0").replace(other, one).replace("\0", other)


CRLF = WEB.replace("\n", "\r\n")
MIXED = WEB.replace("DNS\n", "DNS\r\n")
MARKED = "---\n" + WEB.removeprefix("# The shop.\n").replace("v1", "v1beta1")
FIRST = (VERSION,)
ONE = (TERMINAL,)
ABOVE = WEB.replace("        args:\n        # talk\n        - -v\n        - -w\n", "").replace(
    "        tty:", "        args:\n        - -v\n        - -w\n        tty:"
)
OLD = MARKED.removeprefix("---\n")
TWO = f"%YAML 1.2\n---\n{WEB}---\n{WEB.replace('web', 'two')}"

FAULTS = {
    # A line that no edit asked for.
    "other quotes": Fault(STRAY, swapped('"web"', "web")),
    "blanks within a line": Fault(STRAY, swapped("image: ", "image:  ")),
    "blanks at the end of a line": Fault(STRAY, swapped("kind: Deployment", "kind: Deployment  ")),
    "another indentation": Fault(STRAY, swapped('  name: "web"', '    name: "web"')),
    "another indentation beside an edit": Fault(
        STRAY, swapped("- -v\n        - -w", "  - -v\n          - -w"), ABOVE, ONE
    ),
    "a blank line lost": Fault(STRAY, swapped("DNS\n\n", "DNS\n")),
    "a blank line that came": Fault(STRAY, swapped("spec:\n", "spec:\n\n")),
    "a flow laid out": Fault(STRAY, swapped("{matchLabels: {app: web}}", "\n    matchLabels: {app: web}")),
    "what another edit left": Fault(STRAY, swapped("- -w", "- '-w'"), transforms=ONE),
    # A comment.
    "a comment alone on its line": Fault(STRAY, swapped("# The shop.\n")),
    "a comment alone in what is changed": Fault(LOST, swapped("        # talk\n")),
    "the comment of a line that stays": Fault(STRAY, swapped("  # as in the DNS")),
    "the comment of a line that changes": Fault(LOST, swapped("  # for the debugger")),
    "the words of a comment": Fault(LOST, swapped("# for the debugger", "# for a debugger")),
    "a comment that nobody wrote": Fault(LOST, swapped("- -q", "- -q  # hardened")),
    # Data.
    "another value": Fault(DECIDED, swapped("tty: true", "tty: false")),
    "another type": Fault(DECIDED, swapped("tty: true", 'tty: "true"')),
    "a key too many": Fault(DECIDED, swapped("tty: true", "privileged: true\n        tty: true")),
    "a key missing": Fault(DECIDED, swapped("        image: example.com/web:1\n")),
    "items swapped": Fault(DECIDED, swapped("- -q\n        - -w", "- -w\n        - -q")),
    "a document swapped": Fault(DECIDED, exchanged("web", "two"), TWO),
    "half of a step": Fault(DECIDED, swapped("        stdinOnce", "        stdin: true\n        stdinOnce")),
    # Form.
    "all line ends": Fault("line ends would change", lambda text: text.replace("\n", "\r\n")),
    "the line end of a line that changes": Fault("line ends would change", swapped("debugger\r\n", "debugger\n"), CRLF),
    "a line end that no other has": Fault("line ends would change", swapped("debugger\n", "debugger\r\n")),
    "one of several line ends": Fault(
        "line ends would change", swapped("- -q\n        - -w\n", "- -q\n        - -w\r\n"), MIXED
    ),
    "no end of the last line": Fault("the end of the last line would change", lambda text: text.removesuffix("\n")),
    "no end of a last line that stays": Fault(STRAY, lambda text: text.removesuffix("\n"), transforms=ONE),
    "an end of the last line": Fault(STRAY, lambda text: text + "\n", WEB.removesuffix("\n"), transforms=ONE),
    "a byte order mark": Fault("the byte order mark would change", lambda text: "\ufeff" + text, OLD, FIRST),
    "no document marker": Fault("a document marker would change", swapped("---\n", "   \n"), MARKED, FIRST),
    "another document marker": Fault(STRAY, swapped("---\n", "--- \n"), MARKED),
    # Text.
    "not readable": Fault("the text is not the one that was read again", swapped("- -q", "- [-q"), unread=True),
    "not said": Fault("the text does not come out as it is reported", swapped('"web"', "web"), hides=True),
    "said to be elsewhere": Fault(
        "the text does not come out as it is reported", lambda text: "# The shop.\n" + text, hides=True
    ),
}


def our_bug(reason: str) -> str:
    return f"our bug: {reason}; please report it"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_writer_costs_the_document_and_nothing_else(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS[name]
    fault.put(monkeypatch)
    outcome = run({"other.yaml": OTHER.replace("apps/v1", "apps/v1beta1"), "web.yaml": fault.text}, *fault.transforms)
    (refused,) = outcome.refused
    assert (refused.file, refused.reason) == ("web.yaml", our_bug(fault.reason))
    assert refused.edits and refused.what == "kept byte for byte"
    assert [file.file.name for file in outcome.files] == ["other.yaml"]
    assert {change.object.piece.file.name for change in outcome.changes} == {"other.yaml"}


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_fault_both_are_made(name: str, run: Run) -> None:
    fault = FAULTS[name]
    outcome = run({"other.yaml": OTHER.replace("apps/v1", "apps/v1beta1"), "web.yaml": fault.text}, *fault.transforms)
    assert outcome.refused == []
    assert [file.file.name for file in outcome.files] == ["other.yaml", "web.yaml"]


def test_the_documents_beside_it_are_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS["other quotes"].put(monkeypatch)
    outcome = run({"all.yaml": f"{OTHER}---\n{WEB}---\n{OTHER.replace('other', 'another')}"}, TERMINAL, QUIET)
    assert [(refused.line, refused.edits) for refused in outcome.refused] == [(OTHER.count("\n") + 6, 3)]
    (file,) = outcome.files
    assert file.text == f"{HARDENED}---\n{WEB}---\n{HARDENED.replace('other', 'another')}"


REPORTED = [
    ([(2, ["b\n"], 2, ["x\n"])], "a\nx\nc"),
    ([(1, [], 1, ["x\n"]), (3, ["c"], 4, ["c\n", "d"])], "x\na\nb\nc\nd"),
    ([(4, [], 4, ["d"])], "a\nb\ncd"),  # as it stands
    ([(2, ["a\n"], 2, ["x\n"])], None),  # another line went
    ([(2, ["b\n"], 3, ["x\n"])], None),  # it came elsewhere
    ([(3, ["c"], 3, ["x"]), (2, ["b\n"], 4, [])], None),  # twice over the same lines
]


@pytest.mark.parametrize(("given", "text"), REPORTED)
def test_hunks_that_do_not_fit_are_no_report(given: list[Any], text: str | None) -> None:
    assert patched("a\nb\nc", [yaml.Hunk(*each) for each in given]) == text


# Of the engine.


def lazy(step: list[Any]) -> list[Any]:
    """All edits of a step but the last one."""
    return list(step)[:-1] if len(step) > 1 else list(step)


def wrong_value(step: list[Any]) -> list[Any]:
    return [replace(edit, value="maybe") if getattr(edit, "value", None) is True else edit for edit in step]


def greedy(step: list[Any]) -> list[Any]:
    """All edits of a step, and the last one at the next item, too."""
    *path, last = step[-1].path
    return [*step, replace(step[-1], path=(*path, last + 1))]


ENGINE = {"half of a step": lazy, "another value": wrong_value}


@pytest.fixture(params=ENGINE)
def fault(request: pytest.FixtureRequest) -> Callable[[list[Any]], list[Any]]:
    return ENGINE[request.param]


def replaying(fault: Callable[[list[Any]], list[Any]], monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    right = replay

    def faulty(documents: list[Any], step: Any) -> None:
        right(documents, step if step[0].piece.file.name == "other.yaml" else fault(step))

    for module in modules:
        monkeypatch.setattr(f"hardener.engine.{module}.replay", faulty)


@pytest.mark.parametrize("module", ["proof", "step"])
def test_what_is_written_is_what_was_decided(
    fault: Callable[[list[Any]], list[Any]], module: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaying(fault, monkeypatch, module)
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, TERMINAL, QUIET)
    assert [(refused.file, refused.reason) for refused in outcome.refused] == [("web.yaml", our_bug(DECIDED))]
    assert [file.text for file in outcome.files] == [HARDENED]


def test_what_is_decided_is_what_the_edits_ask_for(
    fault: Callable[[list[Any]], list[Any]], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaying(fault, monkeypatch, "proof", "step")
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, TERMINAL, QUIET)
    (refused,) = outcome.refused
    place = "tty" if fault is wrong_value else "stdin"
    where = f"spec.template.spec.containers[0].{place} does not come out as it was decided"
    assert (refused.reason, refused.edits) == (our_bug(where), 3)
    assert WEB.splitlines()[refused.line - 1].startswith(f"        {place}:")
    assert [file.text for file in outcome.files] == [HARDENED]


def goes(container: Container) -> Steps:
    yield container.set("tty", to=True, grade=Grade.SAFE)
    yield container.drop("args", 0, grade=Grade.SAFE)


def comes(container: Container) -> Steps:
    yield container.set("tty", to=True, grade=Grade.SAFE)
    yield container.append("args", value="-x", grade=Grade.SAFE)


@pytest.mark.parametrize(("function", "fault"), [(goes, lazy), (goes, greedy), (comes, lazy)])
def test_an_item_that_does_not_go_or_come_is_missed(
    function: Callable[..., Steps], fault: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaying(fault, monkeypatch, "proof", "step")
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, declared(function))
    (refused,) = outcome.refused
    assert "our bug: spec.template.spec.containers[0].args" in refused.reason
    assert [file.file.name for file in outcome.files] == ["other.yaml"]


def test_items_come_and_go_in_lists_that_steps_made_or_replaced(run: Run) -> None:
    def first(container: Container) -> Steps:
        yield container.set("command", to=["a", "b"], grade=Grade.SAFE)
        yield container.append("env", value={"name": "A"}, grade=Grade.SAFE)
        yield container.set("workingDir", to="/a", grade=Grade.SAFE)

    def second(container: Container) -> Steps:
        yield container.drop("command", 0, grade=Grade.SAFE)
        yield container.append("command", value="c", grade=Grade.SAFE)
        yield container.append("env", value={"name": "B"}, grade=Grade.SAFE)
        yield container.drop("args", 1, grade=Grade.SAFE)
        yield container.set("workingDir", to="/b", grade=Grade.SAFE)

    def third(container: Container) -> Steps:
        yield container.set("env", 0, "value", to="x", grade=Grade.SAFE)
        yield container.drop("args", grade=Grade.SAFE)

    outcome = run({"web.yaml": WEB}, *map(declared, (first, second, third)))
    assert outcome.refused == []
    container = yaml.parse(outcome.files[0].text).documents[0]["spec"]["template"]["spec"]["containers"][0]
    assert (container["command"], container["env"]) == (["b", "c"], [{"name": "A", "value": "x"}, {"name": "B"}])
    assert "args" not in container


def test_what_is_made_again_with_what_holds_it_is_not_missed(run: Run) -> None:
    def part(container: Container) -> Steps:
        yield container.set("securityContext", "runAsUser", to=1, grade=Grade.SAFE)

    def whole(container: Container) -> Steps:
        yield container.set("securityContext", to={"runAsGroup": 1}, grade=Grade.SAFE)

    def more(container: Container) -> Steps:
        yield container.set("securityContext", "runAsNonRoot", to=True, grade=Grade.SAFE)

    outcome = run({"web.yaml": WEB}, *map(declared, (part, whole, more)))
    assert outcome.refused == []
    container = yaml.parse(outcome.files[0].text).documents[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"] == {"runAsGroup": 1, "runAsNonRoot": True}


def test_an_edit_without_a_record_is_not_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    text = WEB.replace("        tty: false  # for the debugger\n", "        securityContext: {runAsUser: 1}\n")

    def user(container: Container) -> Steps:
        if container.object.piece.file.name == "web.yaml":
            yield container.set("securityContext", "runAsGroup", to=1, grade=Grade.SAFE)
            yield container.set("securityContext", "runAsUser", to=2, grade=Grade.SAFE)

    right = Step.apply

    def forgetful(step: Step) -> None:
        right(step)
        if step.target.object.piece.file.name == "web.yaml":
            del step.changes[-1]

    monkeypatch.setattr(Step, "apply", forgetful)
    outcome = run({"other.yaml": OTHER, "web.yaml": text}, declared(user), QUIET)
    reason = our_bug("other edits would be written than are reported")
    assert [(refused.file, refused.reason) for refused in outcome.refused] == [("web.yaml", reason)]
    assert [file.file.name for file in outcome.files] == ["other.yaml"]


# Steps of several documents.


def both(pod: PodTemplate) -> Steps:
    """A step of two documents, which needs a third."""
    if pod.object.name != "web":
        return
    other = next(item for item in pod.object.tree.objects if item.name == "other")
    yield pod.set("serviceAccountName", to="fresh", grade=Grade.SAFE)
    yield other.set("metadata", "labels", "calls", to="web", grade=Grade.SAFE)
    yield pod.create("accounts", ACCOUNT, grade=Grade.SAFE)


ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "fresh"}}
BOTH = declared(both, PodTemplate)


def test_a_step_of_several_documents_is_made_whole(run: Run) -> None:
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, BOTH)
    assert [file.file.name for file in outcome.files] == ["other.yaml", "web.yaml", "harden-accounts.yaml"]


def test_or_not_at_all_where_a_document_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS["other quotes"].put(monkeypatch)
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, BOTH, TERMINAL, QUIET)
    assert [(refused.step, refused.file, refused.edits) for refused in outcome.refused] == [
        ("both", "web.yaml", 3), (None, "web.yaml", 3),
    ]  # fmt: skip
    assert outcome.refused[0].reason == our_bug(f"both needs web.yaml, too: {STRAY}")
    assert outcome.refused[0].what == "step both rolled back"
    assert [(file.file.name, file.text) for file in outcome.files] == [("other.yaml", HARDENED)]
    assert "fresh" not in {item.name for item in outcome.tree.objects}


def test_without_the_step_that_cannot_be_written_the_others_of_its_document_are(run: Run) -> None:
    tagged = WEB.replace("      containers:", "      serviceAccountName: !!str old\n      containers:")
    outcome = run({"other.yaml": OTHER, "web.yaml": tagged}, BOTH, TERMINAL, QUIET)
    (refused,) = outcome.refused
    assert (refused.step, refused.what) == ("both", "step both not made")
    assert refused.reason == "both needs web.yaml, too: a value with an anchor or a tag would be replaced"
    assert [file.file.name for file in outcome.files] == ["other.yaml", "web.yaml"]
    assert outcome.files[0].text == HARDENED
    assert "serviceAccountName: !!str old\n" in outcome.files[1].text and "-q" in outcome.files[1].text


def test_a_document_that_a_step_forgot_is_missed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Step.apply

    def half(step: Step) -> None:
        if step.transform.id == "both":
            del step.edits[next(piece for piece in step.edits if piece.file.name == "other.yaml")]
        right(step)

    monkeypatch.setattr(Step, "apply", half)
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, BOTH)
    assert [refused.step for refused in outcome.refused] == ["both"]
    assert outcome.refused[0].reason.startswith("our bug: both needs other.yaml, too: ")
    assert outcome.files == [] and outcome.changes == []


# Of the assembly.


def misplaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line end between two documents comes twice."""
    right = assemble_files._File.add

    def add(file: Any, piece: Any, changes: list[Any], found: proof.Proof) -> None:
        right(file, piece, changes, found)
        if piece.file.name == "web.yaml":
            file.position -= 1

    monkeypatch.setattr(assemble_files._File, "add", add)


def mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two documents swap their texts."""
    right = assemble_files._proofs

    def proofs(jobs: list[assemble_files.Job], forks: bool) -> Iterator[proof.Proof]:
        found = list(right(jobs, forks))
        ours = [number for number, (piece, _, _) in enumerate(jobs) if piece.file.name == "web.yaml"]
        if len(ours) > 1:
            found[ours[0]], found[ours[1]] = found[ours[1]], found[ours[0]]
        return iter(found)

    monkeypatch.setattr(assemble_files, "_proofs", proofs)


@pytest.mark.parametrize("fault", [misplaced, mixed_up])
def test_a_file_is_its_parts(fault: Callable[..., None], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    outcome = run({"other.yaml": OTHER, "web.yaml": f"{WEB}---\n{WEB.replace('web', 'two')}"}, TERMINAL, QUIET)
    reason = our_bug("the file does not come out as its parts")
    assert [(refused.file, refused.reason) for refused in outcome.refused] == [("web.yaml", reason)] * 2
    assert [file.text for file in outcome.files] == [HARDENED]


# New documents.


def test_a_new_document_is_what_was_decided(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = yaml.dump
    monkeypatch.setattr(yaml, "dump", lambda value: right(value).replace("fresh", "stale"))
    outcome = run({"other.yaml": OTHER, "web.yaml": WEB}, BOTH, TERMINAL, QUIET)
    (refused,) = outcome.refused
    reason = "both needs harden-accounts.yaml, too: the new document does not come out as it was decided"
    assert (refused.step, refused.reason) == ("both", our_bug(reason))
    assert [file.file.name for file in outcome.files] == ["other.yaml", "web.yaml"]
    assert outcome.files[0].text == HARDENED


def account(pod: PodTemplate) -> Steps:
    """An object that is alike for all pods."""
    value = {**ACCOUNT, "metadata": {"name": pod.object.name}}
    yield pod.create("accounts", value, grade=Grade.SAFE)


ACCOUNTS = declared(account, PodTemplate)


def test_many_new_documents_that_are_alike_are_what_was_decided(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["one", "two", "three", "four"]
    for module in (yaml, text_templates):
        right = module.dump
        monkeypatch.setattr(module, "dump", lambda value, right=right: right(value).replace("kind", "type"))
    outcome = run({"web.yaml": "---\n".join(WEB.replace("web", name) for name in names)}, ACCOUNTS)
    assert [refused.reason for refused in outcome.refused] == [
        our_bug("the new document does not come out as it was decided")
    ] * len(names)
    assert outcome.files == []


# Each check is needed.

ALONE = {
    proof.is_read_again: "not readable",
    proof.is_what_was_decided: "another value",
    proof.changes_own_lines: "other quotes",
    proof.keeps_form: "the line end of a line that changes",
}


@pytest.mark.parametrize("check", ALONE)
def test_without_a_check_its_fault_is_written(check: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[ALONE[check]]
    fault.put(monkeypatch)
    monkeypatch.setattr(proof, "CHECKS", tuple(each for each in proof.CHECKS if each is not check))
    outcome = run({"web.yaml": fault.text}, *fault.transforms)
    assert outcome.refused == [] and [file.file.name for file in outcome.files] == ["web.yaml"]


def test_no_other_check_stands_in_for_holds_every_edit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    replaying(lazy, monkeypatch, "proof", "step")
    monkeypatch.setattr(proof, "CHECKS", tuple(each for each in proof.CHECKS if each is not proof.holds_every_edit))
    outcome = run({"web.yaml": WEB}, TERMINAL)
    assert outcome.refused == [] and "stdin: true" in outcome.files[0].text


def test_what_is_not_reported_costs_one_document_and_not_its_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS["not said"].put(monkeypatch)
    text = f"{OTHER}---\n{WEB}"
    assert [file.text for file in run({"all.yaml": text}, TERMINAL, QUIET).files] == [f"{HARDENED}---\n{WEB}"]
    monkeypatch.setattr(proof, "CHECKS", tuple(each for each in proof.CHECKS if each is not proof.is_as_reported))
    outcome = run({"all.yaml": text}, TERMINAL, QUIET)
    assert len(outcome.refused) == 2 and outcome.files == []


def test_every_check_is_among_them() -> None:
    # The last two have a test of their own: what is not reported, an edit without a record.
    shown = {*ALONE, proof.holds_every_edit, proof.is_as_reported, proof.is_on_record}
    assert shown == set(proof.CHECKS)


# As a person meets it.


def test_the_report_says_that_it_is_our_bug(harden: Harden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"web.yaml": WEB, "other.yaml": OTHER})
    FAULTS["other quotes"].put(monkeypatch)
    only = ("--only", "no-privilege-escalation")
    done = harden("diff", "web.yaml", *only)
    assert done.status == 0 and "Refused: 1 document, kept byte for byte" in done.all
    assert f"web.yaml:5 {our_bug(STRAY)} (1 edit not made): changes to this file were left out" in done.all
    assert harden("diff", ".", *only).status == 1
    assert harden("apply", ".", *only).status == 0
    assert (tmp_path / "web.yaml").read_text() == WEB
    assert "allowPrivilegeEscalation: false" in (tmp_path / "other.yaml").read_text()
    assert harden("diff", ".", *only).status == 0


# Terraform and programs.

NODES = """\
# Nodes.
locals {
  size = 3   # of each zone
}

resource "aws_launch_template" "nodes" {
  image_id   = "ami-1" # from March
  name       = "nodes"

  # since 2023
  metadata_options {
    http_tokens = "optional" # as the old agents need it
  }
}
"""
JOB = '''\
"""Nightly."""
from kubernetes import client

SIZE = 3   # of each zone


def job():
    container = client.V1Container(
        name="web",  # the only one
        image="example.com/web:1",
        # since 2023
        security_context=client.V1SecurityContext(run_as_user=1000),  # for the old kernel
    )
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name="web"), spec=client.V1PodSpec(containers=[container])
    )
'''


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Text], None]:
    """A writer, ``module.rewrite``, that gives the wrong text of what holds no "other"."""

    def faulty(module: Any, wrong: Text) -> None:
        right, parse = module.rewrite, module.parse

        def writer(text: str, *arguments: Any) -> Any:
            found = right(text, *arguments)
            if "other" in text or not found.hunks:
                return found
            changed = wrong(found.text)
            found.text, found.hunks, found.after = changed, hunks(text, changed), parse(changed)
            return found

        monkeypatch.setattr(module, "rewrite", writer)

    return faulty


BLOCK_FAULTS = {
    "another value": (DECIDED, swapped('"required"', '"optional"')),
    "a key too many": (DECIDED, swapped('  name       = "nodes"', '  name       = "nodes"\n  key = "x"')),
    "a key missing": (DECIDED, swapped('  name       = "nodes"\n')),
    "a line that no edit asked for": (STRAY, swapped('name       = "nodes"', 'name = "nodes"')),
    "a blank line lost": (STRAY, swapped('"nodes"\n\n', '"nodes"\n')),
    "a comment alone on its line": (STRAY, swapped("  # since 2023\n")),
    "the comment of a line that stays": (STRAY, swapped(" # from March")),
    "the comment of a line that changes": (LOST, swapped(" # as the old agents need it")),
    "a line end": ("line ends would change", swapped("need it\n", "need it\r\n")),
}


@pytest.mark.parametrize("name", BLOCK_FAULTS)
def test_a_fault_in_terraform(name: str, harden: Harden, tmp_path: Path, writing: Callable[[Any, Text], None]) -> None:
    reason, wrong = BLOCK_FAULTS[name]
    write(tmp_path, {"main.tf": NODES, "other.tf": NODES.replace("nodes", "other_nodes")})
    writing(terraform, wrong)
    done = harden("apply", ".")
    assert done.status == 0 and our_bug(reason) in done.out
    assert (tmp_path / "main.tf").read_text() == NODES
    assert '"required" # as the old' in (tmp_path / "other.tf").read_text()


PROGRAM_FAULTS = {
    "another value": (DECIDED, swapped("escalation=False", "escalation=True")),
    "a key too many": (DECIDED, swapped('name="web",', 'name="web", tty=True,')),
    "a line that no edit asked for": (STRAY, swapped("SIZE = 3   ", "SIZE = 3  ")),
    "code that goes": (STRAY, swapped("SIZE = 3   # of each zone\n", "# of each zone\n")),
    "code that comes": (STRAY, swapped("# of each zone\n", "# of each zone\nSIZE = 4\n")),
    "a comment alone on its line": (LOST, swapped("        # since 2023\n")),
    "the comment of a line that stays": (LOST, swapped("  # the only one")),
    "the comment of a line that changes": (LOST, swapped("  # for the old kernel")),
    "a comment outside": (STRAY, swapped("   # of each zone")),
    "a line end": ("line ends would change", swapped("old kernel\n", "old kernel\r\n")),
}


@pytest.mark.parametrize("name", PROGRAM_FAULTS)
def test_a_fault_in_a_program(name: str, harden: Harden, tmp_path: Path, writing: Callable[[Any, Text], None]) -> None:
    reason, wrong = PROGRAM_FAULTS[name]
    write(tmp_path, {"job.py": JOB, "others.py": JOB.replace("web", "other")})
    writing(program, wrong)
    done = harden("apply", ".", "--only", "no-privilege-escalation")
    assert done.status == 0 and our_bug(reason) in done.out
    assert (tmp_path / "job.py").read_text() == JOB
    assert "allow_privilege_escalation=False" in (tmp_path / "others.py").read_text()
