"""What audit logs say that accounts did: every form of a log, in bounded memory, whatever is broken in it."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardener.errors import InputError
from hardener.facts.access import audit_log
from hardener.facts.access.audit_log import AuditLog
from hardener.kubernetes.rbac.observed_rule import ObservedRule
from hardener.support.json_objects import entries
from tests.conftest import Harden, write

SECRET = "correct-horse-battery-staple"


def event(
    verb: str = "get", resource: str = "configmaps", name: str | None = "app-config", **more: Any
) -> dict[str, Any]:
    """An event of the service account shop/app; ``more`` replaces its fields."""
    reference = {"resource": resource, "namespace": "shop", "apiVersion": "v1"}
    if name:
        reference["name"] = name
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "auditID": "6b0d3d4e", "requestURI": f"/api/v1/namespaces/shop/{resource}/{name}", "verb": verb,
        "user": {"username": "system:serviceaccount:shop:app", "groups": ["system:serviceaccounts"]},
        "objectRef": reference, "responseStatus": {"code": 200},
        "responseObject": {"data": {"password": SECRET}},
        "requestReceivedTimestamp": "2026-11-01T10:00:00.000000Z", "stageTimestamp": "2026-11-01T10:00:00.100000Z",
        "annotations": {"authorization.k8s.io/decision": "allow"},
    } | more  # fmt: skip


def payload(method: str, resource: str, **more: Any) -> dict[str, Any]:
    """An entry of Cloud Audit Logs."""
    return {
        "timestamp": "2026-11-01T10:00:00Z",
        "protoPayload": {
            "methodName": method, "resourceName": resource, "serviceName": "k8s.io",
            "authenticationInfo": {"principalEmail": "system:serviceaccount:shop:app"},
        } | more,
    }  # fmt: skip


Read = Callable[..., AuditLog]


@pytest.fixture
def log_of(tmp_path: Path) -> Read:
    def read(*contents: str | bytes) -> AuditLog:
        paths = []
        for number, content in enumerate(contents):
            path = tmp_path / f"audit-{number}.log"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(str(path))
        return audit_log.read(tuple(paths))

    return read


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in events)


def rules(log: AuditLog, **options: bool) -> list[ObservedRule]:
    found = log.rules_for("shop", "app", **options)
    assert found is not None
    return found


GET = ObservedRule("shop", "", "configmaps", ("get",), ("app-config",))
LIST = ObservedRule("shop", "", "pods", ("list",))
TWO = [event(), event("list", "pods", None)]
MESSAGES = [json.dumps(item) for item in TWO]

FORMS = {
    "lines": lines(*TWO),
    "lines without an end": lines(*TWO).rstrip("\n"),
    "lines with a byte order mark, CRLF and gaps": "\ufeff\r\n" + lines(*TWO).replace("\n", "\r\n\r\n"),
    "EventList in one line": json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": TWO}),
    "EventList, indented": json.dumps({"kind": "EventList", "items": TWO}, indent=2),
    "EventList, an event per line": '{"kind":"EventList","items":[\n' + ",\n".join(MESSAGES) + "\n]}\n",
    "EventLists, one after another": json.dumps({"items": TWO[:1]}, indent=1) + json.dumps({"items": TWO[1:]}),
    "list of events": json.dumps(TWO, indent=1),
    "CloudWatch, filter-log-events": json.dumps({"events": [{"message": text, "timestamp": 1} for text in MESSAGES]}),
    "CloudWatch, Firehose": "".join(
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": text}]}) for text in MESSAGES
    ),
    "CloudWatch, export to S3": "".join(f"2026-11-01T10:00:00.123Z {text}\n" for text in MESSAGES),
    "CloudWatch, Insights": lines(*({"@timestamp": "2026-11-01", "@message": text} for text in MESSAGES)),
    "CloudWatch, message as an object": lines(*({"message": item} for item in TWO)),
    "GKE, lines": lines(
        payload("io.k8s.core.v1.configmaps.get", "core/v1/namespaces/shop/configmaps/app-config"),
        payload("io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods"),
    ),
    "GKE, gcloud logging read": json.dumps(
        [
            payload("io.k8s.core.v1.configmaps.get", "core/v1/namespaces/shop/configmaps/app-config", status={}),
            payload("io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods", authorizationInfo=[{"granted": True}]),
        ],
        indent=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_log_says_the_same(form: str, packed: bool, log_of: Read) -> None:
    content = FORMS[form].encode()
    log = log_of(gzip.compress(content) if packed else content)
    assert rules(log) == [GET, LIST]
    assert log.events("shop", "app") == 2
    assert (log.damages, log.foreign) == ([], 0)


def test_several_logs_are_one(log_of: Read) -> None:
    log = log_of(lines(TWO[0]), gzip.compress(lines(TWO[1]).encode()))
    assert rules(log) == [GET, LIST]


def one(**more: Any) -> list[ObservedRule]:
    return [
        ObservedRule(**({"namespace": "shop", "api_group": "", "resource": "configmaps", "verbs": ("get",)} | more))
    ]


RBAC = "rbac.authorization.k8s.io"
BOUND = {"kind": "RoleBinding", "subjects": [], "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}}


def binding(verb: str, **more: Any) -> dict[str, Any]:
    """An event about a RoleBinding."""
    reference = {"resource": "rolebindings", "apiGroup": RBAC, "namespace": "shop", "name": "guests"}
    return event(verb, objectRef=reference, responseObject=more.pop("responseObject", None), **more)


CASES: dict[str, tuple[list[dict[str, Any]], list[ObservedRule] | None]] = {
    "a name bounds": ([event()], [GET]),
    "create has no name": ([event("create", responseStatus={"code": 201})], one(verbs=("create",))),
    "list and watch have no name": ([event("watch"), event("list")], one(verbs=("list", "watch"))),
    "five names bound": (
        [event(name=f"config-{word}") for word in ("ae", "be", "ce", "de", "ee")],
        one(resource_names=("config-ae", "config-be", "config-ce", "config-de", "config-ee")),
    ),
    "six names do not": ([event(name=f"config-{word}") for word in ("ae", "be", "ce", "de", "ee", "fe")], one()),
    "nor does a generated name": ([event(name="web-7d4b9c6f5d-x2x9k")], one()),
    "nor that of a pod of a set": ([event(resource="pods", name="db-0")], one(resource="pods")),
    "a number of another object does": (
        [event(resource="secrets", name="key-2")], one(resource="secrets", resource_names=("key-2",)),
    ),
    "a word of five letters is not generated": ([event(name="app-store")], one(resource_names=("app-store",))),
    "a rule for all names covers those for some": (
        [event("delete", name="one"), event("deletecollection", name=None), event("delete", name=None)],
        one(verbs=("delete", "deletecollection")),
    ),
    "a subresource": (
        [event("create", "pods", "web", objectRef={"resource": "pods", "subresource": "exec", "namespace": "shop",
                                                   "name": "web"})],
        one(resource="pods/exec", verbs=("create",)),
    ),
    "another group": (
        [event(objectRef={"resource": "leases", "apiGroup": "coordination.k8s.io", "namespace": "shop"})],
        one(api_group="coordination.k8s.io", resource="leases"),
    ),
    "null is as good as nothing": (
        [event("list", objectRef={"resource": "pods", "namespace": "shop", "name": None, "subresource": None,
                                  "apiGroup": None})],
        one(resource="pods", verbs=("list",)),
    ),
    "so is a namespace that is null": (
        [event("list", objectRef={"resource": "pods", "namespace": None})],
        one(namespace=None, resource="pods", verbs=("list",)),
    ),
    "a list over all namespaces": (
        [event("list", objectRef={"resource": "pods"})], one(namespace=None, resource="pods", verbs=("list",)),
    ),
    "a namespace lies in none": (
        [event(objectRef={"resource": "namespaces", "namespace": "shop", "name": "shop"})],
        one(namespace=None, resource="namespaces", resource_names=("shop",)),
    ),
    "two namespaces stay two": (
        [event(), event(objectRef={"resource": "configmaps", "namespace": "other", "name": "app-config"})],
        [*one(namespace="other", resource_names=("app-config",)), GET],
    ),
    "a path": (
        [event(objectRef=None, requestURI="/metrics?x=1")],
        one(namespace=None, resource="", non_resource_url="/metrics"),
    ),
    "discovery is everybody's": (
        [event(objectRef=None, requestURI=uri) for uri in ("/api?timeout=32s", "/apis/apps/v1", "/version")],
        [],
    ),
    "so are reviews of oneself": (
        [event("create", objectRef={"resource": "selfsubjectaccessreviews", "apiGroup": "authorization.k8s.io"})], [],
    ),
    "of a refused request nothing": ([event(responseStatus={"code": 403})], None),
    "nor of one that RBAC forbids": ([event(annotations={"authorization.k8s.io/decision": "forbid"})], None),
    "an error proves no right": ([event(responseStatus={"code": 500}, annotations={})], None),
    "nothing there, and allowed to look": ([event(responseStatus={"code": 404})], [GET]),
    "the first stage is no answer": ([event(stage="RequestReceived")], None),
    "a watch that goes on counts": ([event("watch", stage="ResponseStarted", name=None)], one(verbs=("watch",))),
    "create by apply needs both": (
        [event("patch", responseStatus={"code": 201})],
        [*one(verbs=("create",)), *one(verbs=("patch",), resource_names=("app-config",))],
    ),
    "somebody acts as the account": (
        [event(user={"username": "alice"}, impersonatedUser={"username": "system:serviceaccount:shop:app"})], [GET],
    ),
    "the account acts as somebody": (
        [event(impersonatedUser={"username": "bob", "groups": ["dev", "system:authenticated"]})],
        [*one(namespace=None, resource="groups", verbs=("impersonate",), resource_names=("dev",)),
         *one(namespace=None, resource="users", verbs=("impersonate",), resource_names=("bob",))],
    ),
    "somebody else": ([event(user={"username": "alice"})], None),
    "an account of that name elsewhere": ([event(user={"username": "system:serviceaccount:other:app"})], None),
    "who binds a role has to hold it, or to bind it": (
        [binding("create", requestObject=BOUND)],
        [*one(api_group=RBAC, resource="clusterroles", verbs=("bind",), resource_names=("view",)),
         *one(api_group=RBAC, resource="rolebindings", verbs=("create",))],
    ),
    "of a patch the answer names the role": (
        [binding("patch", requestObject=[{"op": "add"}], responseObject={"roleRef": {"kind": "Role", "name": "a"}})],
        [*one(api_group=RBAC, resource="rolebindings", verbs=("patch",), resource_names=("guests",)),
         *one(api_group=RBAC, resource="roles", verbs=("bind",), resource_names=("a",))],
    ),
    "without a body nobody knows which role it was": (
        [binding("create")], one(api_group=RBAC, resource="rolebindings", verbs=("bind", "create")),
    ),
    "nor with one that names none": (
        [binding("update", requestObject={"roleRef": "view"}, responseObject=None)],
        [*one(api_group=RBAC, resource="rolebindings", verbs=("bind",)),
         *one(api_group=RBAC, resource="rolebindings", verbs=("update",), resource_names=("guests",))],
    ),
    "to take a binding away asks for nothing more": (
        [binding("delete")],
        one(api_group=RBAC, resource="rolebindings", verbs=("delete",), resource_names=("guests",)),
    ),
    "GKE, exec": (
        [payload("io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec")],
        one(resource="pods/exec", verbs=("create",)),
    ),
    "GKE, a role is bound": (
        [payload("io.k8s.authorization.rbac.v1.rolebindings.create", f"{RBAC}/v1/namespaces/shop/rolebindings/guests",
                 request=BOUND | {"@type": "rbac.authorization.k8s.io/v1.RoleBinding"})],
        [*one(api_group=RBAC, resource="clusterroles", verbs=("bind",), resource_names=("view",)),
         *one(api_group=RBAC, resource="rolebindings", verbs=("create",))],
    ),
    "GKE, another group": (
        [payload("io.k8s.authorization.rbac.v1.clusterroles.update", "rbac.authorization.k8s.io/v1/clusterroles/view")],
        one(namespace=None, api_group="rbac.authorization.k8s.io", resource="clusterroles", verbs=("update",),
            resource_names=("view",)),
    ),
    "GKE, a path below a proxy": (
        [payload("io.k8s.core.v1.nodes.proxy.get", "core/v1/nodes/node-one/proxy/metrics/cadvisor")],
        one(namespace=None, resource="nodes/proxy", resource_names=("node-one",)),
    ),
    "GKE, refused": (
        [payload("io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods", status={"code": 7})], None,
    ),
    "GKE, not granted": (
        [payload("io.k8s.core.v1.pods.list", "core/v1/namespaces/shop/pods", authorizationInfo=[{"granted": False}])],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_an_event_says(case: str, log_of: Read) -> None:
    events, wanted = CASES[case]
    assert log_of(lines(*events)).rules_for("shop", "app") == wanted


def test_verbs_are_not_expanded_unless_asked_for(log_of: Read) -> None:
    log = log_of(lines(event()))
    assert rules(log) == [GET]
    assert rules(log, expand=True) == [*one(verbs=("list", "watch")), GET]


def test_a_right_that_a_request_needs_besides_is_no_event_of_its_own(log_of: Read) -> None:
    log = log_of(lines(binding("create", requestObject=BOUND), event("patch", responseStatus={"code": 201})))
    assert log.events("shop", "app") == 2


@pytest.mark.parametrize(("resource", "sees"), [("events", True), ("configmaps", False)])
def test_a_log_without_a_request_for_an_event_is_known_for_it(resource: str, sees: bool, log_of: Read) -> None:
    assert log_of(lines(event("create", resource, user={"username": "system:node:one"}))).sees_events is sees


def test_the_span_is_that_of_all_events(log_of: Read) -> None:
    log = log_of(
        lines(
            event(user={"username": "alice"}, stageTimestamp="2026-11-08T10:00:00.000000Z"),
            event(stage="RequestReceived", stageTimestamp="2026-10-30T10:00:00.000000Z"),
        )
    )
    assert log.span == ("2026-10-30T10:00:00.000000Z", "2026-11-08T10:00:00.000000Z")
    assert (log.accounts, log.events("shop", "app")) == (0, 0)


@pytest.mark.parametrize(("verb", "sees"), [("get", True), ("create", False)])
def test_a_log_without_a_single_read_is_known_for_it(verb: str, sees: bool, log_of: Read) -> None:
    assert log_of(lines(event(verb))).sees_reads is sees


BROKEN = {
    "a line cut off at its end": (lines(event()) + MESSAGES[1][:70] + "\n" + lines(event()), (1, 2)),
    "the first line cut off at its start": (MESSAGES[1][70:] + "\n" + lines(event()), (1, 1)),
    "the first line cut off at its end": (MESSAGES[1][:70] + "\n" + lines(event()), (1, 1)),
    "text between": (lines(event()) + "rotated\n" + lines(event()) + "rotated\n", (2, 2)),
    "a field of another type": (lines(event(), event(objectRef=7)), (1, 2)),
    "a list that ends early": (json.dumps([event(), event()], indent=1)[:-40], (1, 2)),
    "bytes that are no UTF-8": (lines(event()).encode() + b'{"verb": "\xff\xfe"}\n', (1, 2)),
    "gzip that ends early": (gzip.compress(lines(*[event()] * 300).encode())[:-20], None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_counted_and_the_rest_is_read(case: str, log_of: Read) -> None:
    content, wanted = BROKEN[case]
    log = log_of(content)
    (damage,) = log.damages
    assert wanted is None or (damage.count, damage.first) == wanted
    assert rules(log) == [GET]


def test_lines_of_other_logs_are_counted(log_of: Read) -> None:
    log = log_of(lines({"level": "info", "msg": "started"}, event(), {"message": "I1101 started"}))
    assert (log.foreign, log.damages) == (2, [])
    assert rules(log) == [GET]


@pytest.mark.parametrize("content", ["", "\n\n", "hello\n", "{}\n", '{"kind": "EventList", "items": []}', "[]"])
def test_a_file_without_an_event_is_a_mistake(content: str, log_of: Read) -> None:
    with pytest.raises(InputError, match="holds no event"):
        log_of(content)


@pytest.mark.parametrize(("make", "message"), [(None, "no such file"), ("folder", "a folder")])
def test_a_path_that_is_no_file_is_a_mistake(make: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    if make:
        path.mkdir()
    with pytest.raises(InputError, match=message):
        audit_log.check((str(path),))


def test_no_value_is_kept(log_of: Read) -> None:
    log = log_of(lines(event(), event("create", "secrets", requestObject={"stringData": {"key": SECRET}})))
    assert SECRET not in repr(log)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_objects_are_cut_out_wherever_the_chunks_end(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardener.support.json_objects._CHUNK", chunk)
    text = r'[ {"a": "}\"{[\\"}, {"b": {"items": [{"c": "\\"}]}} ]'
    found = list(entries(io.BytesIO(text.encode()), longest=64))
    assert [json.loads(item or b"") for item in found] == json.loads(text)


def test_an_entry_that_is_too_long_is_left_out() -> None:
    long = json.dumps({"a": "x" * 200})
    assert list(entries(io.BytesIO(f'{{"b":1}}\n{long}\n{{"c":1}}\n'.encode()), longest=100)) == [
        b'{"b":1}', None, b'{"c":1}',
    ]  # fmt: skip


class Repeated(io.RawIOBase):
    """The same bytes many times, made as they are read."""

    def __init__(self, head: bytes, part: bytes, times: int, tail: bytes) -> None:
        self._parts = iter([head, *[part] * times, tail])
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


LARGE = json.dumps(event(responseObject={"data": "x" * (1 << 20)})).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "between", "tail"), [(b"", b"\n", b"\n"), (b'{"items": [', b",", b"{}]}")], ids=["lines", "EventList"]
)
def test_a_log_of_256_mebibytes_is_read_in_bounded_memory(
    head: bytes, between: bytes, tail: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "hardener.facts.access.audit_log.opened",
        lambda path: io.BufferedReader(Repeated(head, LARGE + between, 256, tail)),
    )
    tracemalloc.start()
    try:
        log = audit_log.read(("audit.log",))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert log.events("shop", "app") == 256
    assert peak < 64 << 20


def test_a_hostile_log_of_very_many_names_is_read_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, log_of: Read
) -> None:
    monkeypatch.setattr("hardener.exports.audit_log.usage._MOST_GRANTS", 100)
    monkeypatch.setattr("hardener.exports.audit_log.usage._MOST_ACCOUNTS", 10)
    other = [event(user={"username": f"system:serviceaccount:shop:a{n}"}, objectRef={"resource": f"r{n}"})
             for n in range(20)]  # fmt: skip
    log = log_of(lines(*(event(objectRef={"resource": f"r{n}"}) for n in range(200)), *other))
    assert log.rules_for("shop", "app") is None  # not whole, so nothing is claimed
    assert log.events("shop", "app") == 200
    assert log.accounts == 10
    assert log.usage.left_out


MANIFEST = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n  namespace: shop\n"


def test_the_command_line_says_what_a_log_lacks(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": MANIFEST, "audit.log": lines(event("create")) + "rotated\n"})
    done = harden("diff", "app.yaml", "--audit-log", "audit.log", "--format", "json")
    assert done.status in (0, 1), done.err
    found = {(item["line"], item["message"]) for item in json.loads(done.out)["findings"] if item["id"] == "audit-log"}
    assert found == {
        (2, "1 entry cannot be read, the first is number 2"),
        (1, "it records no read (get, list, watch)"),
        (1, "thin evidence: it spans 0.0 days"),
    }


@pytest.mark.parametrize(("resource", "said"), [("configmaps", True), ("events", False)])
def test_the_command_line_says_that_a_log_lacks_events(
    resource: str, said: bool, harden: Harden, tmp_path: Path
) -> None:
    log = lines(event(), event("create", resource, user={"username": "system:node:one"}))
    write(tmp_path, {"app.yaml": MANIFEST, "audit.log": log})
    done = harden("diff", "app.yaml", "--audit-log", "audit.log")
    assert ("it records no events of anybody" in done.all) is said


@pytest.mark.parametrize("command", ["apply", "diff", "check"])
def test_a_log_that_is_missing_is_a_mistake_before_anything_is_written(
    command: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"app.yaml": MANIFEST})
    done = harden(command, "app.yaml", "--audit-log", "nowhere.log")
    assert (done.status, done.out) == (2, "")
    assert "nowhere.log: no such file" in done.err


def test_no_value_of_a_log_reaches_the_output(harden: Harden, tmp_path: Path) -> None:
    broken = lines(event(responseObject={"data": {"password": SECRET}})) + f'{{"password": "{SECRET}'
    write(tmp_path, {"app.yaml": MANIFEST, "audit.log": broken})
    for format in ("text", "json"):
        done = harden("diff", "app.yaml", "--audit-log", "audit.log", "--format", format)
        assert done.status in (0, 1), done.err
        assert SECRET not in done.all
