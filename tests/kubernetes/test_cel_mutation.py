"""What the expression of a mutation writes into a field."""

from __future__ import annotations

import pytest

from hardener.kubernetes.policies.cel_mutation import may_set

FIELD = "automountServiceAccountToken"
OTHER = "Object{spec: Object.spec{shareProcessNamespace: false}}"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (f"Object{{spec: Object.spec{{{FIELD}: false}}}}", True),
        (f"Object{{spec: Object.spec{{hostPID: false, {FIELD} : false , hostIPC: true}}}}", True),
        (f"Object{{spec: Object.spec{{{FIELD}: has(object.spec.x, y) ? true : false}}}}", True),
        (f"has(object.x) ? Object{{spec: Object.spec{{{FIELD}: (false)}}}} : Object{{}}", True),
        (f"Object{{spec: Object.spec{{?{FIELD}: optional.of(false)}}}}", True),
        (f'[JSONPatch{{op: "add", path: "/spec/{FIELD}", value: false}}]', True),
        (f"[JSONPatch{{value: false, path: '/spec/{FIELD}', op: 'replace'}}]", True),
        (f'[JSONPatch{{op: "add", path: "/spec", value: {{"{FIELD}": false}}}}]', True),
        (f'has(object.x) ? [JSONPatch{{op: "add", path: "/spec/{FIELD}", value: false,}}] : []', True),
        (f'[JSONPatch{{op: "add", path: "/spec/" + "{FIELD}", value: false}}]', True),
        (f'[JSONPatch{{op: "add", path: (object.x ? "/a" : "/spec") + ("/{FIELD}"), value: false}}]', True),
        (f'[JSONPatch{{op: "replace", path: "/spec/containers/" + string(0) + "/{FIELD}", value: false}}]', True),
        (f'[JSONPatch{{op: "add", path: object.x ? "/spec/{FIELD}" : "/spec/x", value: false}}]', True),
        (f'[JSONPatch{{op: object.x ? "add" : "remove", path: "/spec/{FIELD}", value: false}}]', True),
        (f'[JSONPatch{{op: "add", path: object.x + "{FIELD}", value: false}}]', True),
        (f'[JSONPatch{{op: "add", path: "/spec/un" + "{FIELD}", value: false}}]', False),
        (f'[JSONPatch{{op: "add", path: "/spec/{FIELD}" + "/x", value: false}}]', False),
        (f'[JSONPatch{{op: "add", path: "/spec/{FIELD}" + object.x, value: false}}]', False),
        (f'[JSONPatch{{op: "add", path: "/spec/x", value: {{"a": "/{FIELD}" + "/{FIELD}", "b": false}}}}]', False),
        # The field gets another value, and false is of something else.
        (f"Object{{spec: Object.spec{{{FIELD}: true, hostPID: false}}}}", False),
        (f"Object{{spec: Object.spec{{{FIELD}: true}}}} // false", False),
        (f"Object{{spec: Object.spec{{{FIELD}: object.spec.hostPID == false}}}}", False),
        (f"Object{{spec: Object.spec{{{FIELD}: object.spec.hostPID != false ? true : object.x}}}}", False),
        (f'[JSONPatch{{op: "add", path: "/spec/{FIELD}", value: true}}, JSONPatch{{op: "add", path: "/spec/hostPID", '
         "value: false}]", False),
        (f'[JSONPatch{{op: "remove", path: "/spec/{FIELD}"}}, JSONPatch{{op: "add", path: "/spec/x", value: false}}]',
         False),
        (f'[JSONPatch{{op: "test", path: "/spec/{FIELD}", value: false}}]', False),
        (f"has(object.spec.{FIELD}) ? {OTHER} : Object{{}}", False),
        (f"object.spec.{FIELD} == false ? {OTHER} : Object{{}}", False),
        (f"object.x ? object.spec.{FIELD} : false", False),
        (f'Object{{metadata: Object.metadata{{annotations: {{"was": "{FIELD}: false"}}}}}}', False),
        (f"{OTHER} // {FIELD}: false", False),
        (f"// {FIELD}: false\n{OTHER}", False),
        (f"Object{{spec: Object.spec{{{FIELD}:", False),
        (f'[JSONPatch{{op: "add", path: "/spec/{FIELD}', False),
        (f"{FIELD} false {{", False),
    ],
)  # fmt: skip
def test_a_field_gets_false(expression: str, found: bool) -> None:
    assert may_set(expression, FIELD, "false") is found
