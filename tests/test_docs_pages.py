"""All pages for users: links lead somewhere, commands and options exist, and every block of commands is run, here or by
the test that is named for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt

from hardener.authoring import config, profile
from hardener.cli.app import app
from hardener.sources import yaml

from . import oci_images as made
from .conftest import ROOT, commit, run, write
from .pages import DOCS, site
from .registries import Asked, Reply, answering
from .shown import PAGES, Block, block, every_block, hold, read, section, shell

COMMANDS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in typer.main.get_group(app).commands.items()
}
# Everything that is linked to or links.
ALL = sorted(
    {*PAGES, "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "transforms/README.md"}
    | {path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")}
)
# Blocks of commands that need more than the example in a repository, and the test that runs each.
ELSEWHERE = {
    ("README.md", "Try it"): "test_readme.py::test_the_two_commands_are_there_and_can_be_run",
    ("docs/install.md", "From a checkout"): "test_readme.py::test_the_two_commands_are_there_and_can_be_run",
    ("README.md", "Install"): "test_docs_pages.py::test_what_is_installed_is_there",
    ("docs/install.md", "In another repository"): "test_docs_pages.py::test_what_is_installed_is_there",
    ("docs/fleet.md", "A first run"): "test_fleet.py::test_the_page",
    ("docs/fleet.md", "What was found"): "test_fleet.py::test_the_page",
    ("docs/fleet.md", "Pull requests"): "test_fleet.py::test_the_page",
    ("docs/install.md", "kubectl"): "test_docs_integrations.py::test_kubectl",
    ("docs/install.md", "Container image"): "test_docs_integrations.py::test_the_image",
    ("docs/gate.md", "What is known"): "test_docs_gate.py::test_the_baseline_of_the_target_branch",
    ("docs/reports.md", "For pull requests and pipelines"): "test_formats.py::test_the_commands_of_the_page",
    ("docs/rendered.md", "Helm"): "test_docs_integrations.py::test_helm_3",
    **{
        ("docs/helm.md", heading): "test_values_command.py::test_the_page"
        for heading in ("A first run", "Which values, and where they are written", "In a pipeline")
    },
    ("docs/helm.md", "A chart of your own"): "test_values_command.py::test_the_page",
    ("docs/import.md", "Exports of a cluster"): "test_import.py::test_the_page",
    ("docs/observe.md", "A first run"): "observe/test_observe_page.py::test_the_first_run",
    ("docs/observe.md", "In a cluster"):
        "cluster/test_images_on_a_node.py::test_what_answers_hardened_in_the_cluster_holds",
    ("docs/rendered.md", "Kustomize and KRM functions"): "test_docs_integrations.py::test_kustomize",
    ("docs/rendered.md", "Argo CD"): "test_docs_integrations.py::test_argo_cd",
    ("docs/rendered.md", "Applications in Git"): "test_docs_gitops.py::test_from_a_clone_to_a_pull_request",
    ("docs/rendered.md", "Flux"): "test_docs_gitops.py::test_from_a_clone_to_a_pull_request",
    ("docs/ci.md", "A GitOps repository"): "test_docs_gitops.py::test_from_a_clone_to_a_pull_request",
    ("docs/ci.md", "GitLab"): "test_docs_gitops.py::test_from_a_clone_to_a_pull_request",
    ("docs/rendered.md", "Beside the source"): "test_docs_review.py::test_every_command_runs",
    ("docs/exceptions.md", "Only what changed, only what is new"): "test_docs_review.py::test_every_command_runs",
    ("docs/secrets.md", "Secrets"): "test_docs_pages.py::test_the_secrets_of_the_page_move",
    **{
        ("docs/first-week.md", heading): "test_docs_pages.py::test_a_first_week"
        for heading in (
            "Before: what the images are", "First pull request: what the manifests prove",
            "Second pull request: workloads", "Third pull request: the network", "Afterwards",
        )
    },
}  # fmt: skip
BLOCKS = [found for page in PAGES for found in every_block(page) if found.language == "sh"]


def name(found: Block) -> str:
    return f"{found.page}:{found.heading}"


# Links.


@cache
def anchors(page: str) -> frozenset[str]:
    """The headings of a page as GitHub and the site name them."""
    tokens = MarkdownIt().enable("table").parse(read(page))
    titles = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open"]
    said = ["".join(part.content for part in title.children or () if part.content) for title in titles]
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in said)


@cache
def targets(page: str) -> list[str]:
    """Where the links and pictures of a page lead, but for the web."""
    tokens = [part for token in MarkdownIt().enable("table").parse(read(page)) for part in token.children or ()]
    found = [str(part.attrs.get("href") or part.attrs.get("src") or "") for part in tokens]
    found += re.findall(r"^ *<(?:img|source) [^>]*?\bsrc(?:set)?=\"([^\"]+)\"", read(page), re.M)
    return [target for target in found if target and not re.match(r"(https?|mailto):", target)]


@pytest.mark.parametrize("page", ALL)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in targets(page):
        file, _, heading = target.partition("#")
        path = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert path.exists() and path.is_relative_to(ROOT), target
        if heading and path.suffix == ".md":
            assert heading in anchors(path.relative_to(ROOT).as_posix()), target


def test_a_heading_is_named_as_github_names_it() -> None:
    assert {"hardenyaml", "your-own-profile"} <= anchors("docs/profiles.md")
    assert "harden-golden-accept" in anchors("docs/reference/commands.md")


def test_every_page_is_named_by_the_first_one() -> None:
    first = {(DOCS / target.partition("#")[0]).resolve() for target in targets("docs/README.md")}
    assert {ROOT / page for page in PAGES[1:]} - first <= {DOCS / "README.md"}


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        for part in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
            yield from pages(part)

    named = [*pages(tomllib.loads(read("zensical.toml"))["project"]["nav"])]
    wanted = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(named) == sorted(
        page for page in wanted if not page.startswith("transforms/") or page == "transforms/README.md"
    )


def test_the_site_has_no_link_out_of_it(tmp_path: Path) -> None:
    site.copy(tmp_path, "")
    left = {
        (path.relative_to(tmp_path).as_posix(), link[2])
        for path in tmp_path.rglob("*.md")
        for link in site.LINK.finditer(path.read_text(encoding="utf-8"))
        if not (path.parent / link[2]).resolve().is_file()
    }
    assert not left


# Commands and options.


def code(page: str) -> list[str]:
    return [
        first or second for first, second in re.findall(r"^```\w*\n(.*?)^```$|`([^`\n]+)`", read(page), re.S | re.M)
    ]


@pytest.mark.parametrize("page", ALL)
def test_every_command_exists(page: str) -> None:
    for text in code(page):
        for line in re.findall(r"(?:^|[|&;`'] *)harden (?!\d|COMMAND|\.\.\.)[a-z][^`\n#|&>]*", text, re.M):
            command, *arguments = line[line.index("harden ") :].split()[1:]
            if page == "CHANGELOG.md" and command not in COMMANDS:
                continue  # it tells of what was
            command = command.strip(",;.:'")
            assert command in COMMANDS, line
            options = {argument.partition("=")[0] for argument in arguments if argument.startswith("-")}
            of_group = groups().get(f"{command} {arguments[0]}" if arguments else "", set())
            assert options <= COMMANDS[command] | of_group | {"--help", "-v"}, line


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_every_option_exists(page: str) -> None:
    known = set().union(
        *COMMANDS.values(),
        *groups().values(),
        {"--version", "--harden-accept", "--fast", "--help", "--install-completion"},
        {"--node", "--post-render"} if page == "CONTRIBUTING.md" else set(),  # of commands that measure
    )
    inline = [text for text in re.findall(r"`([^`\n]+)`", read(page)) if text.startswith(("-", "harden "))]
    named = {option for text in inline for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", text)}
    assert named <= known


@cache
def groups() -> dict[str, set[str]]:
    """The commands in groups, such as ``baseline write``, with their options."""
    return {
        f"{name} {part}": {option for parameter in one.params for option in parameter.opts}
        for name, command in typer.main.get_group(app).commands.items()
        for part, one in getattr(command, "commands", {}).items()
    }


def test_every_option_says_what_it_is() -> None:
    for command in typer.main.get_group(app).commands.values():
        for each in command.params:
            assert getattr(each, "help", None) or each.param_type_name == "argument" or each.name == "help", each.name


# Blocks of commands.


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with the example as its folders ``k8s`` and ``shop``."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "repository" / "k8s")
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "repository" / "shop")
    commit(tmp_path / "repository")
    return tmp_path / "repository"


WEB = made.image({"User": "1000", "Cmd": ["/serve"]}, layers=(made.layer(made.File("serve", b"\x7fELF", 0o755)),))


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[str]:
    """The folder of settings of a person for whom one registry on this machine has every image."""

    def answer(asked: Asked) -> Reply:
        if "/manifests/" in asked.path:
            digest = {"Docker-Content-Digest": WEB.digest, "Content-Type": WEB.manifest.media_type}
            return Reply(200, WEB.manifest.body, digest)
        blobs = {blob.digest: blob.body for blob in (WEB.config, *WEB.layers) if blob is not None}
        body = blobs.get(asked.path.rpartition("/")[2])
        return Reply(404) if body is None else Reply(200, body)

    with answering(answer) as host:
        hosts = ("docker.io", "registry.example.com")
        entries = "".join(f"  {name}: {{mirrors: ['{host}']}}\n" for name in hosts)
        write(tmp_path, {"settings/harden/config.yaml": f"registries:\n{entries}"})
        yield str(tmp_path / "settings")


@pytest.mark.slow
@pytest.mark.parametrize("found", [found for found in BLOCKS if (found.page, found.heading) not in ELSEWHERE], ids=name)
def test_every_block_of_commands_runs(found: Block, shop: Path, mirrored: str) -> None:
    web = shop / "k8s" / "web.yaml"  # the page of images names a tag
    web.write_text(web.read_text(encoding="utf-8").replace("nginx:1.27.3", "nginx:1.27"), encoding="utf-8")
    shell(found.text, shop, XDG_CONFIG_HOME=mirrored, REGISTRY_AUTH_FILE=f"{mirrored}/none.json")
    for file in re.findall(r"> (\S+)", found.text):
        assert (shop / file).stat().st_size


def test_what_is_not_run_here_is_run_elsewhere() -> None:
    there = {(found.page, found.heading) for found in BLOCKS}
    assert ELSEWHERE.keys() <= there
    for (page, _heading), test in ELSEWHERE.items():
        file, _, function = test.partition("::")
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert f"def {function}(" in text, test
        assert page in text or page == "README.md", test


@pytest.mark.slow
def test_a_first_week(shop: Path, mirrored: str) -> None:
    page = "docs/first-week.md"
    settings = {"XDG_CONFIG_HOME": mirrored, "REGISTRY_AUTH_FILE": f"{mirrored}/none.json"}
    for heading, said in {
        "Before: what the images are": "harden.lock",
        "First pull request: what the manifests prove": "k8s/",
        "Second pull request: workloads": "k8s/",
        "Third pull request: the network": "-> StatefulSet/postgres",
    }.items():
        assert said in shell(block(page, "sh", heading), shop, **settings), heading
    log = subprocess.run(["git", "log", "--stat", "--format=%s"], cwd=shop, capture_output=True, text=True).stdout
    assert re.findall("^harden: .*$", log, re.M) == [
        "harden: network", "harden: workloads", "harden: what the manifests prove",
    ]  # fmt: skip
    assert "k8s/harden-networkpolicies.yaml" in log.partition("harden: workloads")[0]
    shell(block(page, "sh", "Afterwards"), shop, **settings)
    assert run("check", "k8s", "--quiet", cwd=shop).status == 0


@pytest.mark.slow
def test_the_secrets_of_the_page_move(shop: Path) -> None:
    show, move, push = block("docs/secrets.md", "sh", "Secrets").splitlines()
    shell(show, shop)
    assert not (shop.parent / "values").exists()
    shell(move, shop)
    assert push.split()[:2] == ["sh", "../values/push.sh"]


@pytest.mark.parametrize(("page", "heading"), [("README.md", "Install"), ("docs/install.md", "In another repository")])
def test_what_is_installed_is_there(page: str, heading: str) -> None:
    """.ci/run installs the wheel, .ci/release and the action what the locks name."""
    text = block(page, "sh", heading)
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    assert set(re.findall(r"\.\[(\w+)\]", text)) <= extras.keys()
    assert all((ROOT / lock).is_file() for lock in re.findall(r"-r (\S+)", text))


# What else the pages show.


def test_the_profile_and_the_config_file_are_accepted(tmp_path: Path) -> None:
    page = "docs/profiles.md"
    (tmp_path / "ours.yaml").write_text(block(page, "yaml", "Your own profile"), encoding="utf-8")
    chosen = profile.load("./ours.yaml", folder=str(tmp_path))
    assert "cpu-limit" not in chosen.members
    assert chosen.members["read-only-root-filesystem"] is False
    (tmp_path / ".harden.yaml").write_text(block(page, "yaml", ".harden.yaml"), encoding="utf-8")
    found = config.load(str(tmp_path))
    assert (found.profile, found.kubernetes_version, found.platform) == ("restricted", "1.31", "openshift")
    for group, values in found.options.items():
        for key, value in values.items():
            chosen.set_option(f"{group}.{key}", value, page)


def test_the_exceptions_are_accepted(tmp_path: Path) -> None:
    (exceptions,) = (found.text for found in every_block("docs/exceptions.md") if found.text.startswith("exceptions:"))
    (tmp_path / ".harden.yaml").write_text(exceptions, encoding="utf-8")
    (entry,) = config.load(str(tmp_path)).exemptions
    assert (entry.id, entry.container) == ("read-only-root-filesystem", "app")


def test_the_profiles_and_grades_are_those_of_the_program() -> None:
    named = re.findall(r"^\| `(\w+)` \| .* \|$", section("docs/profiles.md", "Profiles"), re.M)
    assert tuple(named) == profile.BUILT_IN
    for each in profile.BUILT_IN:
        assert yaml.parse((ROOT / "profiles" / f"{each}.yaml").read_text(encoding="utf-8")).documents
    assert re.findall(r"^\| `(\w+)` \| .* \|$", section("docs/grades.md", "Grades"), re.M) == [
        "safe", "review", "guess", "breaking",
    ]  # fmt: skip


def test_the_graph_is_that_of_a_real_run(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    done = run("graph", "shop", cwd=tmp_path)
    assert done.status == 0, done.err
    hold(request, "docs/network.md", block("docs/network.md", "text", "Who talks to whom"), done.out)
