"""Makes `hardener/kubernetes/data/surveyed-images.yaml` from a survey of Dockerfiles, and counts what it leaves out.

`.venv/bin/python -m tests.image_survey FILE... > hardener/kubernetes/data/surveyed-images.yaml`

Each FILE holds a list of rows that people wrote after reading the Dockerfile, the entrypoint or the documentation
of an image (`image`), or of fields that were read for rows that are there (`match`). What they wrote for other people
becomes a comment; only what is plainly a value becomes one:

- USER: nothing is `root`; a group goes to `gid` where it is a number, else it is left out. A number 0 of a root image
  and a group 0 are left out: they are nobody's own.
- `needs_root` becomes `root: required` where the text says that it works on the node or its kernel (`_CANNOT`), and
  `root-start: required` where it says that it does not start without root (`_STARTS_AS_ROOT`). Where it copes, needs
  root in one of its modes only, or where the text does not say it (`_COPES`, `_SOMETIMES`, else), there is no value.
- `data` is written to. `copes_unless` is `root-start-required-with`. A number that must stay (`fixed_uid`) is one that
  its maintainers set. A base by name and variant has no tag where its folders depend on its version (`_BY_VERSION`).
- A row shows which version was read where its tags name one, where a newest source has a day and its entrypoint was
  read, too, where its source was read again (`checked`), and of an official image where the folder of its source is
  that of a version.
- Paths and capabilities with a remark in brackets are values, unless the remark is a condition (`_CONDITION`). With a
  remark outside brackets they are not. `(file capability ...)` makes it one of `file-caps`.
- `memory` is a value where the text begins with a quantity, not that of a heap; `jvm` and `dotnet` are `runtime`.
- A name that stands in two rows for the same tags gets the facts of both; those that disagree are left out, and `read`
  is the lesser. Places that are written or filled are those of both; of a user by number and by name it is the name,
  which a number helps. A row for all tags beside rows for some is one for the other tags. Tags that no row speaks of
  get a row without facts, so that an unknown tag is not taken for a known one.
- Fields for tags that no row has are added to what the row for all tags says, as a row for these; where they name a
  user, they are a row of their own. What was read again wins; else two that disagree are left out, and of lists both
  are taken.

Rows that are then alike stand once, with all their names. The output depends on the input alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hardener.kubernetes.images.reference import normalize, parse
from hardener.kubernetes.images.row_schema import CAPABILITIES, CLASSES, is_clean_path, mistakes
from hardener.kubernetes.images.table import READ
from hardener.kubernetes.objects import quantity

HEADER = """\
# Facts about public images, made by tests/image_survey.py. Not edited by hand: rows of images.yaml come before these.
# Each value stands on the line of its key: a string in double quotes, a number, a list of these, or true.
"""

_COPES = re.compile(
    r"copes|^no\b|non-root (start|works|is)|(runs|works|starts) non-root|as non-root|starts directly|arbitrary users"
    r"|parent starts as root, children"
)
_SOMETIMES = re.compile(
    r"^only (the|for mount)|\b(node|kernel) mode\b|node (plugin|part)\b(?!\))|^node-agent|same image|^some |^as CNI"
    r"|is set$"
)
_STARTS_AS_ROOT = re.compile(r"no branch for a non-root|fails without root|entrypoint lies in /root")
_CANNOT = re.compile(
    r"over its own root|privileged|iptables"
    r"|\bmounts\b.*\b(host|pods|volume)\b|\bhost\b|firewall|kubelet|\bkernel\b|network namespaces|/dev/kmsg"
    r"|USER root: reads host"
)
_CONDITION = re.compile(r"\b(when|where|if|or|unless|only|given|set|default|changes)\b")
_KINDS = {"database": "data-store"}  # of others only those that are classes say something of the image
_READ = {"source": "dockerfile"}  # not all of it
_FIELDS = {
    "root_start": "root-start", "root_start_unless": "root-start-unless", "copes_unless": "root-start-required-with",
    "root_start_required_with": "root-start-required-with", "writes_complete": "writes-complete", "runtime": "runtime",
    "fixed_uid": "shipped-uid", "shipped_uid": "shipped-uid", "shipped_gid": "shipped-gid", "setuid": "setuid",
    "rofs_ok_with": "rofs-ok-with", "rofs_ok_with_arg": "rofs-ok-with", "version_unknown": "version-unknown",
}  # fmt: skip
# Nothing asks for these, or another fact says it.
_LEFT_OUT = (
    "any_uid_needs_gid", "memory_heap", "needs_for_port", "only_uid", "port_if_hardened", "shipped_rofs",
    "uid_inferred", "writes_only_with", "writes_only_with_arg",
)  # fmt: skip
_CONDITIONS = {"root-start-unless", "root-start-required-with", "rofs-ok-with"}
_BOTH = {"writable", "filled"}  # two who read saw what each of them saw
_LISTS = {"writable", "volumes", "filled", "ports", "capabilities", "file-caps"}
_BY_VERSION = {"docker.io/library/postgres"}
_NOT_EMPTY = {"SKIP_SETCAP"}  # variables of scripts that ask for a text, and not whether they are set
_DAY = re.compile(r"^(?:newest )?snapshot (20[0-9]{2}-[0-9]{2}(?:-[0-9]{2})?)\b")
_OFFICIAL = "docker.io/library/"
_OF_VERSION = re.compile(r"^\S+ (?:repos/\w+/remote/)?((?:latest|[0-9][0-9.]*)/|[0-9][0-9.]+\.md$)")
_FROM = re.compile(r"^FROM ([a-z0-9./-]+:[A-Za-z0-9_.-]*[0-9][A-Za-z0-9_.-]*)")
_API = {"yes": "needed", "no": "no", "optional": "optional"}
_ORDER = (
    "match", "tags", "behaves-as", "user", "uid", "gid", "shipped-uid", "shipped-gid", "any-user", "writable",
    "writes-complete", "filled", "volumes", "ports", "file-caps", "capabilities", "rofs", "rofs-ok-with", "root",
    "root-start", "root-start-unless", "root-start-required-with", "setuid", "class", "runtime", "api", "memory",
    "source", "read", "verified", "version-unknown",
)  # fmt: skip


@dataclass
class Survey:
    """Rows in the form of the table, with their comments, and what was left out, by reason."""

    rows: list[Row] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    roots: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass
class Row:
    """A row of one name: its facts by key, and the remarks that go with them."""

    name: str
    tags: str | None
    facts: dict[str, Any]
    comments: list[str]


def mapped(entries: Iterable[dict[str, Any]]) -> Survey:
    """The rows of a survey in the form of the table."""
    survey = Survey()
    by_name: dict[str, list[Row]] = defaultdict(list)
    entries = list(entries)
    for entry in entries:
        if "match" in entry:
            continue
        facts, comments = _facts(entry, survey)
        names = entry["image"] if isinstance(entry["image"], list) else [entry["image"]]
        legal = [name for name in names if "*" in name or parse(name) is not None]
        survey.counts["name: no reference of an image (ko://)"] += len(names) - len(legal)
        for name in dict.fromkeys(map(normalize, legal)):
            by_name[name].append(Row(name, entry.get("tags"), facts | _version(name, entry), [*comments]))
    for entry in entries:
        for name in dict.fromkeys(map(normalize, entry.get("match", ()))):
            _add_fields(by_name[name], Row(name, entry.get("tags"), *_fields(entry, survey.counts)), survey.counts)
    for name, rows in by_name.items():
        survey.rows += _of_name(name, rows, survey.counts)
    return survey


def _facts(entry: dict[str, Any], survey: Survey) -> tuple[dict[str, Any], list[str]]:
    counts = survey.counts
    read = _READ.get(entry["read"], entry["read"])
    facts: dict[str, Any] = {"source": ", ".join(entry["source"]), "read": read}
    comments: list[str] = []
    if read == READ[2] and (day := _DAY.match(entry.get("note", ""))):
        facts["verified"] = f"{day[1]}, the newest snapshot of its source"
    facts |= _user(entry, counts)
    if entry.get("runs_as_any_uid"):
        facts["any-user"] = True
    for key in ("writable", "filled", "volumes"):
        if paths := _paths(entry, key, comments, counts):
            facts[key] = paths
    if ports := sorted({port for port in entry.get("ports", ()) if isinstance(port, int)}):
        facts["ports"] = ports
    if others := [port for port in entry.get("ports", ()) if not isinstance(port, int)]:
        counts["ports: no plain number"] += len(others)
        comments.append(f"ports: {', '.join(others)}")
    _capabilities(entry, facts, comments, counts)
    if "rofs" in entry:
        said, _, reason = entry["rofs"].partition(" ")
        only = re.match(r"only with ([A-Z_]+)\b", reason)
        if only:
            facts |= {"rofs": "no", "rofs-ok-with": _conditions(f"{only[1]}=*")}
        elif said == "ok" and re.search(r"\b(without|unless)\b", reason):
            counts["rofs: ok under a condition"] += 1
        else:
            facts["rofs"] = said
        if reason:
            comments.append(f"rofs: {reason.strip('()')}")
    if text := entry.get("needs_root"):
        found = root_class(text)
        survey.roots[found][text] += 1
        comments.append(f"root: {text}")
        if found in ("required", "required to start"):
            facts["root" if found == "required" else "root-start"] = "required"
        else:
            counts[f"needs_root: {found}"] += 1
    kind = _KINDS.get(entry["kind"], entry["kind"])
    if kind in CLASSES:
        facts["class"] = kind
    else:
        counts["kind: says nothing (app)"] += 1
    if "api" in entry:
        facts["api"] = _API[entry["api"]]
    if text := entry.get("memory"):
        _memory(text, facts, comments, counts)
    if note := entry.get("note"):
        comments.append(note)
    facts |= _decided(entry, facts, counts)
    return facts, [" ".join(comment.split()) for comment in comments]


def _version(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """What shows the version that was read of an official image."""
    found = list(filter(None, map(_OF_VERSION.match, entry["source"]))) if name.startswith(_OFFICIAL) else []
    return {"verified": f"of version {found[0][1].strip('/').removesuffix('.md')}"} if found else {}


def _fields(entry: dict[str, Any], counts: Counter[str]) -> tuple[dict[str, Any], list[str]]:
    """What was read for rows that are there."""
    facts: dict[str, Any] = _user(entry, counts)
    comments: list[str] = []
    for key in ("writable", "filled"):
        if (paths := _paths(entry, key, comments, counts)) and not (key == "writable" and "writes_only_with" in entry):
            facts[key] = paths
    if (data := _paths(entry, "data", comments, counts)) and not _is_family(entry):  # else it is a pattern of paths
        facts["writable"] = list(dict.fromkeys([*facts.get("writable", ()), *data]))
    if entry.get("runs_as_any_uid"):
        facts["any-user"] = True
    facts |= {key: entry[key] for key in ("ports", "capabilities", "rofs") if key in entry}
    facts |= {"file-caps": entry["file_caps"]} if "file_caps" in entry else {}
    facts |= _decided(entry, facts, counts)
    if checked := entry.get("checked"):
        facts |= {"verified": f"read again: {checked}", "source": checked}
    return facts, [*comments, " ".join(entry["why"].split())]


def _decided(entry: dict[str, Any], facts: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
    """The fields that are values as they are."""
    found: dict[str, Any] = {}
    for key, name in _FIELDS.items():
        if key in entry and (key != "root_start" or facts.get("root") != "required"):
            found[name] = _conditions(entry[key]) if name in _CONDITIONS else entry[key]
    for key in ("shipped-uid", "shipped-gid"):
        if found.get(key) == 0 or _is_family(
            entry
        ):  # what most of a family run as is shown by no manifest of one of them
            found.pop(key, None)
    if base := entry.get("behaves_as"):
        said = _FROM.match(entry.get("why", entry.get("note", "")))
        tag = entry.get("behaves_as_tag") if base not in _BY_VERSION else None
        if said and normalize(said[1].partition(":")[0]) == base:
            tag = said[1].partition(":")[2]
        if "*" in base or parse(base) is None:
            counts["behaves_as: no name of an image"] += 1
        else:
            found["behaves-as"] = f"{base}:{tag}" if tag else base
    for key in _LEFT_OUT:
        counts[f"{key}: nothing asks for it"] += key in entry
    return found


def _is_family(entry: dict[str, Any]) -> bool:
    return any("*" in name for name in entry.get("match", ()))


def _conditions(said: str | list[str]) -> list[str]:
    found = [said] if isinstance(said, str) else said
    names = {f"{name}=*": f"{name}=?*" for name in _NOT_EMPTY}
    return [names.get(condition, condition) for condition in found]


def _add_fields(rows: list[Row], added: Row, counts: Counter[str]) -> None:
    """Add fields to the rows of a name, which are those for the same tags, or for all."""
    same = [row for row in rows if added.tags in (None, row.tags)]
    whole = [row for row in rows if row.tags is None]
    if not same and "user" not in added.facts:
        if rows and not whole:
            counts["fields for tags that no row has"] += 1
            return
        if whole and all(added.facts.items() <= row.facts.items() for row in whole):
            return
        same = [Row(row.name, added.tags, dict(row.facts), [*row.comments]) for row in whole]
        rows += same
    if not same:
        comments = [comment for comment in added.comments if "verified" in added.facts]
        read = {"read": READ[1]} if "verified" in added.facts else {"source": added.comments[-1], "read": READ[0]}
        rows.append(Row(added.name, added.tags, read | added.facts, comments))
    for row in same:
        _add_to(row, added, counts)
    tags = {row.tags for row in rows}
    if whole and any(_complements(one, other) for one in tags for other in tags if other is not None):
        rows[:] = [row for row in rows if row.tags is not None]


def _add_to(row: Row, added: Row, counts: Counter[str]) -> None:
    again = "verified" in added.facts
    for key, value in added.facts.items():
        known = row.facts.get(key, value)
        if key == "source":
            row.facts[key] = ", ".join(dict.fromkeys([*known.split(", "), *value.split(", ")]))
        elif key in _LISTS:
            row.facts[key] = list(dict.fromkeys([*known, *value]))
        elif known == value or again:
            row.facts[key] = value
        else:
            counts[f"two rows disagree: {key}"] += 1
            del row.facts[key]
    if row.facts.get("root") == "required":
        row.facts.pop("root-start", None)
    row.comments += (comment for comment in added.comments if comment not in row.comments)


def _user(entry: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    uid, gid = entry.get("uid"), entry.get("gid")
    if "user" in entry:
        user, _, group = str(entry["user"]).partition(":")
        user = "root" if user in ("", "0", "root") else user
        facts["user"] = user
        if user.isdecimal():
            uid = int(user) if uid is None else uid
        if group.isdecimal():
            gid = int(group) if gid is None else gid
        elif group:
            counts["user: name of a group"] += 1
    if uid == 0:
        counts["uid: 0 is nobody's own"] += 1
        uid = None
    if gid == 0:
        counts["gid: 0 is what a process has without a group"] += 1
        gid = None
    return facts | {key: value for key, value in (("uid", uid), ("gid", gid)) if value is not None}


def _paths(entry: dict[str, Any], key: str, comments: list[str], counts: Counter[str]) -> list[str]:
    found = []
    for text in entry.get(key, ()):
        path, _, remark = text.partition(" ")
        path = path if path == "/" else path.rstrip("/")
        if remark:
            comments.append(f"{key}: {text}")
        bracketed = not remark or (remark.startswith("(") and remark.endswith(")"))
        if not is_clean_path(path) or not bracketed or _CONDITION.search(remark):
            counts[f"{key}: no plain path, or one under a condition"] += 1
            if not remark:
                comments.append(f"{key}: {text}")
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _capabilities(entry: dict[str, Any], facts: dict[str, Any], comments: list[str], counts: Counter[str]) -> None:
    # A row that says in its note that the file has them means those of the file.
    by_note = re.findall(r"file capabilit\w+ (cap_\w+)", entry.get("note", ""))
    of_file = {name.removeprefix("cap_").upper() for name in by_note}
    for text in entry.get("capabilities", ()):
        name, _, remark = text.partition(" ")
        if remark:
            comments.append(f"capabilities: {text}")
        bracketed = not remark or (remark.startswith("(") and remark.endswith(")"))
        if name not in CAPABILITIES or not bracketed or _CONDITION.search(remark):
            counts["capabilities: no plain name, or one under a condition"] += 1
            continue
        key = "file-caps" if "file capability" in remark or name in of_file else "capabilities"
        facts.setdefault(key, []).append(name)


def _memory(text: str, facts: dict[str, Any], comments: list[str], counts: Counter[str]) -> None:
    first, _, rest = text.partition(" ")
    runtime = re.match(r"(jvm|dotnet)\b", text)
    if runtime:
        facts["runtime"] = runtime.group()
    if runtime is None or runtime.group() != text:
        comments.append(f"memory: {text}")
    if quantity.parse(first) and "heap" not in rest.partition(";")[0]:
        facts["memory"] = first
    else:
        counts["memory: no quantity of the whole"] += 1


def root_class(text: str) -> str:
    """What a text says about root: "copes" without, "sometimes" (one of its modes), "required", "required to start",
    "not said"."""
    if _SOMETIMES.search(text):
        return "sometimes"
    if _STARTS_AS_ROOT.search(text):
        return "required to start"
    if _COPES.search(text):
        return "copes"
    return "required" if _CANNOT.search(text) else "not said"


def _of_name(name: str, rows: list[Row], counts: Counter[str]) -> list[Row]:
    by_tags: dict[str | None, list[Row]] = defaultdict(list)
    tagged = list(dict.fromkeys(row.tags for row in rows if row.tags is not None))
    positive = [tags for tags in tagged if not tags.startswith("^(?!")] or tagged
    others = f"^(?!.*{positive[0]})" if positive and "|" not in positive[0] else None
    if others is None or len(positive) > 1:
        others = f"^(?!.*({'|'.join(positive)}))" if positive else None
    for row in rows:
        if row.tags is None and others is not None and re.search("[0-9]", others) and "verified" not in row.facts:
            row.facts["version-unknown"] = True  # what the tags of other rows leave names none
        by_tags[others if row.tags is None else row.tags].append(row)
    found = [_merged(name, tags, same, counts) for tags, same in by_tags.items()]
    if tagged and not any(_complements(one, other) for one in by_tags for other in by_tags):
        counts["tags that no row speaks of: a row without facts"] += 1
        found.append(Row(name, others, {}, []))
    return found


def _complements(one: str | None, other: str | None) -> bool:
    if one is None or not one.startswith("^(?!"):
        return False
    if other is not None and other.startswith("^") and one == f"^(?!{other[1:]})":
        return True
    return one in (f"^(?!.*{other})", f"^(?!.*({other}))") or one.replace("^(?!", "^(", 1) == other


def _merged(name: str, tags: str | None, rows: list[Row], counts: Counter[str]) -> Row:
    facts: dict[str, Any] = {}
    against = set()
    for row in rows:
        for key, value in row.facts.items():
            if key == "read":
                facts[key] = min(facts.get(key, value), value, key=READ.index)
            elif key == "source":
                facts[key] = ", ".join(dict.fromkeys([*facts.get(key, value).split(", "), *value.split(", ")]))
            elif key in _BOTH:
                facts[key] = list(dict.fromkeys([*facts.get(key, ()), *value]))
            elif facts.setdefault(key, value) != value:
                against.add(key)
    if not all("verified" in row.facts for row in rows):
        facts.pop("verified", None)
    names = {user for row in rows if (user := row.facts.get("user")) and not user.isdecimal()}
    if len(names) == 1 and names != {"root"} and facts.get("uid"):
        facts["user"] = names.pop()
        against.discard("user")
    for complete in (row for row in rows if "writes-complete" in row.facts):
        if not _places(facts) <= _places(complete.facts) | {"/tmp"}:
            against.add("writes-complete")  # somebody saw more
    for key in against & facts.keys():
        counts[f"two rows disagree: {key}"] += 1
        del facts[key]
    if len(rows) > 1:
        counts["rows merged into another of the same name"] += len(rows) - 1
    if "gid" in facts and "uid" not in facts:
        del facts["gid"]  # a group without its user says nothing
    comments = list(dict.fromkeys(comment for row in rows for comment in row.comments))
    return Row(name, tags, facts, comments)


def _places(facts: dict[str, Any]) -> set[str]:
    """Where an image writes."""
    return {*facts.get("writable", ()), *facts.get("volumes", ())}


def written(rows: Iterable[Row]) -> str:
    """The rows as text, in the order of their names, globs last; those that are alike stand once."""
    alike: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: ("*" in row.name, row.name, row.tags or "")):  # special ones first
        lines = [f"  # {comment}" for comment in row.comments]
        values = ({"tags": row.tags} if row.tags is not None else {}) | row.facts
        wrong = list(mistakes({"match": row.name} | values))
        if wrong or '"' in str(values):
            raise ValueError(f"{row.name}: {wrong or 'a quote stands in it, which the table does not read'}")
        lines += (f"  {key}: {json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values, key=_ORDER.index))
        alike.setdefault("\n".join(lines), []).append(row.name)
    entries = (f"- match: {json.dumps(names)}\n{text}\n" for text, names in alike.items())
    return f"{HEADER}images:\n\n" + "\n".join(entries)


def main(*files: str) -> None:
    """Write the table to standard output, and what was left out to standard error."""
    entries = [entry for file in files for entry in yaml.safe_load(Path(file).read_text(encoding="utf-8"))]
    survey = mapped(entries)
    sys.stdout.write(written(survey.rows))
    names = len({row.name for row in survey.rows})
    print(f"{len(entries)} rows read; {len(survey.rows)} rows for {names} names written", file=sys.stderr)
    for reason, count in sorted(survey.counts.items()):
        print(f"{count:5} left out: {reason}", file=sys.stderr)
    for found, texts in sorted(survey.roots.items()):
        print(f"needs_root, {found}: {sum(texts.values())}", file=sys.stderr)
        for text, count in sorted(texts.items()):
            print(f"{count:5} {text}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
