"""The schemas of `.harden.yaml` and of profiles: published as the code makes them, and of one mind with the readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hardener.authoring import config, profile, registry, schemas
from hardener.authoring.risks import RISKS
from hardener.errors import InputError
from hardener.kubernetes.images.row_schema import mistakes
from tests.conftest import ROOT, write

FOLDER = ROOT / "docs" / "schemas"
MADE = {"config": schemas.config_schema, "profile": schemas.profile_schema}
CONFIG, PROFILE = schemas.config_schema(), schemas.profile_schema()
MODELINE = "# yaml-language-server: $schema="


@pytest.mark.parametrize("name", MADE)
def test_what_is_published_is_what_the_code_makes(name: str) -> None:
    made = json.dumps(MADE[name](), indent=2) + "\n"
    path = FOLDER / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == made, f"run: python -m hardener.authoring.schemas {name} > {path}"
    Draft202012Validator.check_schema(json.loads(made))


def valid(schema: dict[str, Any], text: str) -> bool:
    """Whether ``schema`` takes a text, read as an editor reads it: days are texts."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {  # type: ignore[attr-defined]
        key: [(tag, pattern) for tag, pattern in entries if tag != "tag:yaml.org,2002:timestamp"]
        for key, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Draft202012Validator(schema).is_valid(yaml.load(text, loader))


GROUP_OF = {f"{group}.{key}": kinds for group, keys in profile.option_types().items() for key, kinds in keys.items()}


@pytest.mark.parametrize("schema", [CONFIG, PROFILE], ids=["config", "profile"])
def test_every_option_is_in_it_and_no_other(schema: dict[str, Any]) -> None:
    groups = schema["properties"]["options"]["properties"]
    found = {f"{group}.{key}" for group, item in groups.items() for key in item["properties"]}
    assert found == GROUP_OF.keys()
    assert all(item["description"] for item in groups.values())


@pytest.mark.parametrize("schema", [CONFIG, PROFILE], ids=["config", "profile"])
def test_it_has_every_key_of_the_record(schema: dict[str, Any]) -> None:
    import msgspec

    record = config.document_records()[""] if schema is CONFIG else profile.document_record()
    keys = {field.encode_name for field in msgspec.structs.fields(record)}
    assert schema["properties"].keys() == keys
    assert all(item.get("description") for item in schema["properties"].values())


def option(name: str, value: object) -> str:
    group, _, key = name.partition(".")
    return json.dumps({"options": {group: {key: value}}})


def taken(name: str, value: object) -> bool:
    """Whether the reader of profiles takes an option, its class included."""
    found = profile.Profile("x")
    try:
        found.set_option(name, value, "x")
        group = name.partition(".")[0]
        transform = next(each for each in registry.transforms().values() if each.takes and each.takes.group == group)
        found.options_of(transform)
    except InputError:
        return False
    return True


VALUES: tuple[Any, ...] = (True, 3, 1.5, "no-such-choice", "", None, [], {}, "all", "none", "strict", "hour", "1.16")


@pytest.mark.parametrize("name", GROUP_OF)
def test_schema_and_reader_agree_on_each_option(name: str) -> None:
    """Where the reader lists its words the schema does, too; a free text is only a text to a schema."""
    group, _, key = name.partition(".")
    entry = CONFIG["properties"]["options"]["properties"][group]["properties"][key]
    assert taken(name, entry["default"]) and valid(CONFIG, option(name, entry["default"]))
    for choice in entry.get("enum", []):
        assert taken(name, choice), choice
    for value in VALUES:
        if valid(CONFIG, option(name, value)) and not isinstance(value, str):
            assert taken(name, value), (value, "the schema takes more")
        if taken(name, value):
            assert valid(CONFIG, option(name, value)), (value, "the schema takes less")
        if "enum" in entry and not taken(name, value):
            assert not valid(CONFIG, option(name, value)), value


FREE = {"filesystem.size-limit", "network-policy.allow", "network-policy.api-server", "rbac.namespace-map"}


def test_an_option_that_refuses_a_made_up_word_lists_its_words() -> None:
    """But for those that take a form: addresses, quantities, pairs."""
    refused = {name for name, kinds in GROUP_OF.items() if str in kinds and not taken(name, "no-such-choice")}
    groups = CONFIG["properties"]["options"]["properties"]
    listed = {name for name in refused if "enum" in groups[name.split(".")[0]]["properties"][name.split(".")[1]]}
    forms = refused - listed
    assert len(listed) > 15 and forms <= {*FREE, *(name for name in GROUP_OF if name.startswith("resources."))}


RIGHT = {
    "empty": "",
    "comments": "# nothing\n",
    "whole": """
profile: ours/profile.yaml
kubernetes-version: "1.30"
platform: openshift
options: {resources: {cpu-limit: none, cpu-request: 1}, network-policy: {egress: false}}
exceptions:
- {id: run-as-user, expires: 2027-01-31, reason: later, owner: me, match: {kind: Deployment, path: "apps/**"}}
- {id: K01, expires: 2027-01-31, reason: later}
peer-marks: false
namespaces: {"apps/*.yaml": shop}
registries: {"registry.example.com:5000": {insecure: true, mirrors: [mirror.example.com/hub]}}
deep: {compressed: 4Gi, members: 10}
images:
- {match: registry.example.com/shop/*, user: app, uid: 10, writable: [/var/lib/shop], ports: [80], memory: 512Mi}
- {match: [a, b], tags: "^2", api: "no", file-caps: [NET_BIND_SERVICE], rofs: ok, source: Dockerfile}
exclude: [legacy/, "*.gen.yaml", "!keep.yaml"]
""",
    "line ends in a pattern": 'exclude: ["\\nfoo", "a\\nb"]\n',
    "null": "profile: null\nexclude: null\n",
}
WRONG = {
    "a key": "profiles: restricted\n",
    "no mapping": "- a\n",
    "profile": "profile: [a]\n",
    "version as a number": "kubernetes-version: 1.30\n",
    "platform": "platform: eks\n",
    "group": "options: {resource: {cpu-limit: none}}\n",
    "option": "options: {resources: {cpu: none}}\n",
    "options": "options: [a]\n",
    "no day": "exceptions: [{id: K01, expires: soon}]\n",
    "no id": "exceptions: [{expires: 2027-01-31}]\n",
    "a key of match": "exceptions: [{id: K01, expires: 2027-01-31, match: {label: a}}]\n",
    "switch": "peer-marks: 3\n",
    "namespace": "namespaces: {a.yaml: Shop_1}\n",
    "host": "registries: {https://a: {}}\n",
    "mirror": "registries: {a.example: {mirrors: [a.example/../b]}}\n",
    "a key of a registry": "registries: {a.example: {password: x}}\n",
    "limit": "deep: {files: 3}\n",
    "limit of nothing": "deep: {members: 0}\n",
    "limit in words": "deep: {compressed: much}\n",
    "exclude": "exclude: legacy/\n",
    "exclude upwards": "exclude: [../x]\n",
    "exclude upwards inside": "exclude: ['!a/../../x']\n",
    "exclude upwards behind a line end": 'exclude: ["a\\n/../x"]\n',
    "exclude blank": "exclude: [' ']\n",
    "exclude comment": "exclude: ['#x']\n",
    "exclude long": f"exclude: [{'x' * 1001}]\n",
    "image without a name": "images: [{user: app}]\n",
    "image key": "images: [{match: a, port: 3}]\n",
    "image user": "images: [{match: a, user: 'app:app'}]\n",
    "image uid": "images: [{match: a, uid: -1}]\n",
    "image path": "images: [{match: a, writable: [/a/../b]}]\n",
    "image relative path": "images: [{match: a, writable: [a]}]\n",
    "image no path": "images: [{match: a, writable: []}]\n",
    "image port": "images: [{match: a, ports: [65536]}]\n",
    "image capability": "images: [{match: a, file-caps: [CAP_CHOWN]}]\n",
    "image word": "images: [{match: a, rofs: maybe}]\n",
    "image lines": 'images: [{match: a, source: "a\\nb"}]\n',
}


def read_config(text: str, folder: Path) -> bool:
    """Whether the reader takes a configuration, its options included."""
    write(folder, {".harden.yaml": text})
    try:
        found = config.load(str(folder))
        if found.kubernetes_version:
            config.version(found.kubernetes_version)
    except InputError:
        return False
    return all(taken(f"{group}.{key}", value) for group, keys in found.options.items() for key, value in keys.items())


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_configuration_is_taken_by_both(name: str, tmp_path: Path) -> None:
    assert (read_config(RIGHT[name], tmp_path), valid(CONFIG, RIGHT[name])) == (True, True)


@pytest.mark.parametrize("name", WRONG)
def test_what_the_reader_refuses_the_schema_refuses(name: str, tmp_path: Path) -> None:
    assert (read_config(WRONG[name], tmp_path), valid(CONFIG, WRONG[name])) == (False, False)


def test_every_row_of_the_image_table_is_valid() -> None:
    rows = yaml.safe_load((ROOT / "hardener/kubernetes/data/images.yaml").read_text(encoding="utf-8"))["images"]
    assert rows and not any(True for row in rows for _ in mistakes(row))
    assert valid(CONFIG, json.dumps({"images": rows}))


@pytest.mark.parametrize("name", profile.BUILT_IN)
def test_built_in_profiles_are_valid_and_name_their_schema(name: str) -> None:
    path = ROOT / "profiles" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith(MODELINE)
    assert (path.parent / first.removeprefix(MODELINE)).resolve() == FOLDER / "profile.schema.json"
    assert valid(PROFILE, text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("extends: restricted\nwithout: [run-as-user]\nreport: [no-host-pid]\n", True),
        ("description: ours\ntransforms: []\noptions: {token: {expiration: hour}}\n", True),
        ("extends: null\n", True),
        ("transforms: [run-as-nonroot]\n", False),
        ("transforms: run-as-user\n", False),
        ("without: [3]\n", False),
        ("extend: restricted\n", False),
        ("options: {token: {expiration: day}}\n", False),
        ("description: [a]\n", False),
        ("", False),
    ],
)
def test_reader_and_schema_agree_on_a_profile(text: str, right: bool, tmp_path: Path) -> None:
    write(tmp_path, {"ours.yaml": text})
    try:
        found = profile.load("./ours.yaml", folder=str(tmp_path))
        read = all(taken(f"{group}.{key}", item) for group, keys in found.options.items() for key, item in keys.items())
    except InputError:
        read = False
    assert (read, valid(PROFILE, text)) == (right, right)


def test_ids_of_exceptions_are_proposed() -> None:
    known = CONFIG["$defs"]["Entry"]["properties"]["id"]["anyOf"][0]["enum"]
    assert {*registry.transforms(), *RISKS, "*"} == {*known}
