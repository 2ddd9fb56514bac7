"""Which Dockerfile an image is built from: what build files name, what folders say, and what is somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.model import BuiltImage
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.kubernetes.images.reference import parse
from hardener.tree.tree import Tree

from .calls import calls
from .conftest import DEPLOYMENT

WEB = {"src/web/Dockerfile": "FROM alpine\nUSER 7\n"}


def tree(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Tree.read([str(root.resolve())], root=str(root.resolve()))


def of(tree: Tree, image: str) -> BuiltImage | None:
    reference = parse(image)
    assert reference is not None
    return tree.ask(BuiltImages).of(reference)


def manifests(*images: str) -> str:
    return "---\n".join(
        DEPLOYMENT.replace("example.com/web:1.2.3", image).replace("name: web", f"name: web{number}", 1)
        for number, image in enumerate(images)
    )


def yaml(text: str) -> str:
    return text.replace("|", "\n").lstrip("\n") + "\n"


MATRIX = """\
jobs:
  build:
    strategy:
      matrix:
        include:
        - {name: web, folder: web}
        - {name: job, folder: job}
    steps:
    - uses: docker/build-push-action@v6
      with:
        context: ./src/${{ matrix.folder }}
        tags: |
          ghcr.io/acme/${{ matrix.name }}:latest
          ghcr.io/acme/${{ matrix.name }}:${{ github.sha }}
"""
METADATA = """\
env:
  REGISTRY: ghcr.io
jobs:
  build:
    steps:
    - id: meta
      uses: docker/metadata-action@v5
      with:
        images: ${{ env.REGISTRY }}/acme/web
    - uses: docker/build-push-action@v6
      with:
        file: src/web/Dockerfile
        tags: ${{ steps.meta.outputs.tags }}
"""
BAKE = """\
target "base" {
  context = "src/web"
}
target "w" {
  inherits = ["base"]
  tags = ["web:1"]
}
"""
AZURE = """\
variables:
  repo: web
steps:
- task: Docker@2
  inputs:
    repository: $(repo)
    Dockerfile: $(Build.SourcesDirectory)/src/web/Dockerfile
"""
DOCKERFILE = "--file src/web/Dockerfile"
# A build file, what it says (a bar is a new line), and the line that names the image.
NAMED = {
    "skaffold": ("skaffold.yaml", "build:|  artifacts:|  - image: web|    context: src/web", 3),
    "skaffold, a Dockerfile": (
        "skaffold.yaml",
        "build:|  artifacts:|  - image: web|    context: src|    docker: {dockerfile: web/Dockerfile}",
        3,
    ),
    "skaffold, only a profile": (
        "skaffold.yaml",
        "profiles:|- name: x|  build:|    artifacts:|    - image: web|      context: src/web",
        5,
    ),
    "compose": ("compose.yaml", "services:|  w:|    image: web:${TAG:-1}|    build: ./src/web", 4),
    "compose, in full": (
        "docker-compose.prod.yml",
        "services:|  w:|    image: web|    build: {context: ., dockerfile: src/web/Dockerfile}",
        4,
    ),
    "Tilt": ("Tiltfile", "name = 'web'|docker_build(name, './src/web', live_update=[|])", 2),
    "Tilt, a Dockerfile": ("Tiltfile", "docker_build(ref='web', context='.', dockerfile='src/web/Dockerfile')", 1),
    "Tilt, a sum": ("Tiltfile", "docker_build(settings['x'] + '/' + 'web', 'src/web')", 1),
    "bake": ("docker-bake.hcl", BAKE, 4),
    "bake, JSON": ("docker-bake.json", '{"target": {"w": {"context": "src/web", "tags": ["web"]}}}', 1),
    "make": ("Makefile", "IMG ?= web:latest|all:|\tdocker build -t ${IMG} src/web", 3),
    "make, another program": (
        "Makefile",
        "T ?= docker|all:|\t@$(T) build \\|\t  -t web:$(V) -f src/web/Dockerfile .",
        3,
    ),
    "make, in its own folder": ("src/web/Makefile", "all:|\tdocker build -t web .", 2),
    "a script": ("hack/b.sh", "# docker build -t no x|docker buildx build --platform a,b -t web ./src/web", 2),
    "a script with cd": ("hack/b.sh", "(cd src/web && podman build --tag=web .)", 1),
    "a script with a loop": ("b.sh", "for s in api web; do|  docker build -t $s:1 src/$s|done", 2),
    "buildah": ("b.sh", "buildah bud -t web -f src/web/Dockerfile .", 1),
    "az acr": ("b.sh", "az acr build -r $ACR -t web:1 ./src/web", 1),
    "gcloud": ("b.sh", "gcloud builds submit --tag web src/web", 1),
    "GitHub, a command": (
        ".github/workflows/ci.yml",
        f"jobs:|  a:|    steps:|    - run: docker build . {DOCKERFILE} --tag web:${{{{ github.sha }}}}",
        4,
    ),
    "GitLab": (".gitlab-ci.yml", "build:|  script:|  - docker build -t web src/web|  - !reference [x]", 3),
    "Cloud Build": (
        "cloudbuild.yaml",
        "steps:|- name: gcr.io/cloud-builders/docker|  args: [build, -t, web, -f, Dockerfile, .]|  dir: src/web",
        2,
    ),
    "Cloud Build, kaniko": (
        "cloudbuild.yaml",
        "steps:|- name: gcr.io/kaniko-project/executor|  args: [--destination=web, --context=src/web]",
        2,
    ),
    "Azure": ("azure-pipelines.yml", AZURE, 4),
    "azd": ("azure.yaml", "services:|  x:|    project: ./src/web|    image: web", 2),
}


@pytest.mark.parametrize("name,text,line", NAMED.values(), ids=NAMED)
def test_build_files_name_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: int
) -> None:
    monkeypatch.chdir(tmp_path)
    image = of(tree(tmp_path, {**WEB, "other/src/Dockerfile": "FROM x\n", name: yaml(text)}), "web")
    assert image is not None and image.named_by is not None
    assert (image.rank, image.dockerfile, image.named_by.where) == ("named", "src/web/Dockerfile", f"{name}:{line}")
    assert image.evidence("user") == ["src/web/Dockerfile:2: USER 7"]


@pytest.mark.parametrize("workflow", [MATRIX, METADATA])
def test_actions_of_github_name_images(tmp_path: Path, workflow: str) -> None:
    image = of(tree(tmp_path, {**WEB, ".github/workflows/x.yml": workflow}), "ghcr.io/acme/web:3")
    assert image is not None and image.rank == "named"


def test_a_stage_and_arguments_that_the_build_names(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "ARG BASE=one\nFROM $BASE AS dev\nARG UID=1\nUSER $UID\nFROM dev\nUSER 2\n",
        "b.sh": "docker build --target dev --build-arg UID=9 --build-arg BASE=two -t a .\n"
        "docker build --build-arg UID=$UID -t b --target=dev .\n",
    }
    both = tree(tmp_path, files)
    first, second = of(both, "a"), of(both, "b")
    assert first is not None and first.user is not None and first.base is not None
    assert (first.user.value, first.base.text) == ("9", "two")
    assert second is not None and not second.knows("user")


NO_DOCKERFILE = {
    "ko": "build:|  artifacts:|  - image: web|    ko: {}",
    "jib": "build:|  artifacts:|  - image: web|    jib: {}",
    "buildpacks": "build:|  artifacts:|  - image: web|    buildpacks: {builder: x}",
}


@pytest.mark.parametrize("text", NO_DOCKERFILE.values(), ids=NO_DOCKERFILE)
def test_an_image_that_another_tool_makes_has_no_dockerfile(tmp_path: Path, text: str) -> None:
    assert of(tree(tmp_path, {**WEB, "skaffold.yaml": yaml(text)}), "web") is None


KO = "build:|  artifacts:|  - image: web|    ko: {fromImage: gcr.io/distroless/static:nonroot}"


@pytest.mark.parametrize("text", [KO, KO.replace("ko:", "jib:"), KO.partition(" {fromImage")[0] + " {}"])
def test_the_base_that_another_tool_is_told_is_known(tmp_path: Path, text: str) -> None:
    settings = "defaultBaseImage: gcr.io/distroless/static:nonroot\n"
    image = of(tree(tmp_path, {**WEB, "skaffold.yaml": yaml(text), ".ko.yaml": settings}), "web")
    assert image is not None and image.base is not None
    assert (image.base.text, image.rank, image.knows("user")) == ("gcr.io/distroless/static:nonroot", "named", True)
    assert not image.knows("entrypoint") and not image.knows("filled")


VARIABLES = "docker build -t $REGISTRY/shop/web:$TAG src/web\n"
UNLIKE = "docker build -t {}/web src/web\ndocker build -t {}/web other\n"
OTHER = {"other/Dockerfile": "FROM alpine\nUSER 8\n"}
# What the build files say, the image of the manifest, whether the Dockerfile is known.
MATCHES = {
    "the same": ("docker build -t ghcr.io/acme/web src/web\n", "ghcr.io/acme/web:1", True),
    "Docker Hub spelled out": ("docker build -t acme/web src/web\n", "docker.io/acme/web", True),
    "an unknown registry": (VARIABLES, "registry.example.com/shop/web:2", True),
    "an unknown registry, and another organisation": (VARIABLES, "registry.example.com/x/web:2", True),
    "no registry in the build": ("docker build -t web src/web\n", "ghcr.io/acme/shop/web:1", True),
    "no registry in the manifest": ("docker build -t ghcr.io/acme/web src/web\n", "web", True),
    "another registry": ("docker build -t ghcr.io/acme/web src/web\n", "quay.io/acme/web", True),
    "another registry, and two of the name": (UNLIKE.format("x.io/a", "x.io/b"), "quay.io/c/web", False),
    "the organisation tells two apart": (UNLIKE.format("x.io/a", "x.io/b"), "quay.io/b/web", True),
    "another name": ("docker build -t ghcr.io/acme/web src/web\n", "ghcr.io/acme/web2", False),
    "the name is not known": ("docker build -t acme/$NAME src/web\n", "acme/name", False),
    "two Dockerfiles": ("docker build -t a/web src/web\ndocker build -t a/web other\n", "a/web", True),
    "an official image": ("docker build -t ghcr.io/acme/redis src/web\n", "redis:7", False),
    "an official image by a variable": ("docker build -t $REG/redis src/web\n", "redis:7", False),
    "an official name that is named so": ("docker build -t redis src/web\n", "redis:7", True),
    "an official name of an organisation": ("docker build -t acme/redis src/web\n", "bitnami/redis", False),
    "a product of the name of its organisation": ("docker build -t acme/minio src/web\n", "minio/minio", False),
    "another image of the same prefix": ("docker build -t acme/redis src/web\n", "acme/redis:2", True),
    "an image of the table": ("docker build -t prometheus src/web\n", "quay.io/prometheus/prometheus:v3", False),
    "a variant behind the name": (
        "docker build -t web/alpine src/web\n",
        "registry.example.com/acme/web/alpine:1",
        True,
    ),
    "a variant of somebody else": ("docker build -t web/alpine src/web\n", "quay.io/prometheus/busybox", False),
    "tagged with another name": (
        "docker build -t a src/web\ndocker tag a:latest r.io/acme/pages:1\n",
        "r.io/acme/pages:1",
        True,
    ),
    "tagged by make": ("T=docker\n$(T) build -t a:$V src/web\n$(T) image tag a:$V acme/pages\n", "acme/pages:2", True),
    "a tag of what is not built here": (
        "docker pull redis\ndocker tag redis r.io/acme/cache\n",
        "r.io/acme/cache",
        False,
    ),
}


@pytest.mark.parametrize("script,image,known", MATCHES.values(), ids=MATCHES)
def test_names_of_builds_and_manifests(tmp_path: Path, script: str, image: str, known: bool) -> None:
    assert (of(tree(tmp_path, {**WEB, **OTHER, "b.sh": script}), image) is not None) == known


def test_two_dockerfiles_of_one_image_say_what_both_say(tmp_path: Path) -> None:
    files = {
        "a/Dockerfile": "FROM alpine\nEXPOSE 80\nUSER 1\nCOPY . /a\n",
        "b/Dockerfile": "FROM alpine\nEXPOSE 80\nUSER 2\nCOPY . /b\n",
        "b.sh": "docker build -t web a\ndocker build -t web b\n",
    }
    image = of(tree(tmp_path, files), "web")
    assert image is not None and image.base is not None
    assert (image.user, image.knows("user"), image.base.text) == (None, False, "alpine")
    assert [said.value for said in image.ports] == [80]
    assert [said.value for said in image.filled] == ["/a", "/b"]  # hidden by a volume in one of them


FOLDERS = {
    "its folder": ("web/Dockerfile", "web", True),
    "above src": ("services/web/src/Dockerfile", "web", True),
    "above docker": ("web/docker/Dockerfile", "web", True),
    "its suffix": ("docker/Dockerfile.web", "web", True),
    "before Dockerfile": ("docker/web.Dockerfile", "web", True),
    "podman": ("web/Containerfile", "web", True),
    "another spelling": ("order_service/Dockerfile", "order-service", True),
    "the only one, with a suffix": ("web/Dockerfile.prod", "web", True),
    "the folder of the repository": ("Dockerfile", "repo", False),
    "no Dockerfile": ("web/Dockerfile.md", "web", False),
    "to be ignored": ("web/Dockerfile.dockerignore", "web", False),
    "an official image": ("redis/Dockerfile", "redis", False),
    "an official image, spelled out": ("redis/Dockerfile", "docker.io/library/redis", False),
    "an organisation of its own": ("web/Dockerfile", "acme/web", True),
    "an organisation of the same name": ("grafana/Dockerfile", "grafana/grafana", False),
    "a registry": ("web/Dockerfile", "quay.io/acme/web", False),
    "a registry of the own machine": ("web/Dockerfile", "localhost:5000/web", True),
    "a registry of the own network": ("web/Dockerfile", "registry:5000/web", True),
    "a registry of somebody else": ("prometheus/Dockerfile", "quay.io/prometheus/prometheus", False),
    "a registry that is filled in": ("web/Dockerfile", "${REGISTRY}/web:1", True),
    "a variant behind the folder": ("web-service/Dockerfile", "web-service/alpine:3", True),
    "a variant, in a registry": ("web-service/Dockerfile", "registry.example.com/acme/web-service/alpine:3", True),
    "a distribution of an organisation": ("acme/Dockerfile", "registry.example.com/acme/alpine:3", False),
    "a distribution of the table": ("prometheus/Dockerfile", "quay.io/prometheus/busybox", False),
}


@pytest.mark.parametrize("path,image,known", FOLDERS.values(), ids=FOLDERS)
def test_folders_name_images(tmp_path: Path, path: str, image: str, known: bool) -> None:
    files = {path: "FROM alpine\n", "k8s.yaml": manifests(image)}
    found = of(tree(tmp_path / "repo", files), image)
    assert (found.rank if found else None) == ("folder" if known else None)


OWN = {
    "two of a prefix have a folder": (["r.io/acme/web", "r.io/acme/job"], ["web", "job"], True),
    "one of a prefix has a folder": (["r.io/acme/web", "r.io/acme/job"], ["web"], False),
    "an organisation whose images have no folder": (["acme/web", "acme/job"], ["web"], False),
    "an organisation that the table knows": (["prom/prometheus", "prom/x"], ["prometheus", "x"], False),
    "an organisation of which images were surveyed": (
        ["weaveworksdemos/catalogue", "weaveworksdemos/catalogue-db"], ["catalogue", "catalogue-db"], True),
    "one that was surveyed": (["weaveworksdemos/catalogue-db"], ["catalogue-db"], False),
}  # fmt: skip

# The Dockerfiles and build files of a base, what the image says behind FROM, the rank of both together; None where the
# base is taken for one from elsewhere.
BASES = {
    "named as in FROM": ({"b.sh": "docker build -t acme/base base\n"}, "acme/base:1", "named"),
    "built for another registry": (
        {"b.sh": "docker build -t base base\n"},
        "registry.example.com/acme/base:1",
        "named",
    ),
    "built with a variable": ({"Makefile": "all:\n\tdocker build -t $(REG)/acme/base base\n"}, "acme/base", "named"),
    "named with a variable": ({"b.sh": "docker build -t acme/base base\n"}, "${REG}/base", "named"),
    "tagged": ({"b.sh": "docker build -t x base\ndocker tag x acme/base\n"}, "acme/base", "named"),
    "a service of Compose": ({"compose.yaml": "services: {base: {build: base}}\n"}, "base", "service"),
    "a folder": ({}, "base", "folder"),
    "a variant of a folder": ({}, "base/alpine", "folder"),
    "a registry of somebody": ({}, "quay.io/acme/base", None),
    "an official image": ({"redis/Dockerfile": "FROM x\nUSER 7\n"}, "redis", None),
}


@pytest.mark.parametrize("files,image,rank", BASES.values(), ids=BASES)
def test_a_base_that_the_tree_builds(tmp_path: Path, files: dict[str, str], image: str, rank: str | None) -> None:
    base = {"base/Dockerfile": "FROM alpine\nUSER 1234\n"}
    web = {"web/Dockerfile": f"ARG REG\nFROM {image}\n", "web.sh": "docker build -t acme/web web\n"}
    found = of(tree(tmp_path / "repo", {**base, **web, **files}), "acme/web")
    assert found is not None
    user = found.user.value if found.user is not None else None
    assert (user, found.rank) == (("1234", rank) if rank is not None else (None, "named"))


@pytest.mark.parametrize("images,folders,known", OWN.values(), ids=OWN)
def test_the_prefix_of_an_image_is_this_trees_own(
    tmp_path: Path, images: list[str], folders: list[str], known: bool
) -> None:
    files = {f"{folder}/Dockerfile": "FROM alpine\n" for folder in folders}
    assert (of(tree(tmp_path, {**files, "k8s.yaml": manifests(*images)}), images[0]) is not None) == known


def test_a_prefix_that_a_build_file_names_is_this_trees_own(tmp_path: Path) -> None:
    files = {**WEB, "job/Dockerfile": "FROM x\n", "b.sh": "docker build -t r.io/acme/web src/web\n"}
    image = of(tree(tmp_path, files), "r.io/acme/job")
    assert image is not None and image.rank == "folder"


def test_two_dockerfiles_of_one_folder_name_are_not_told_apart(tmp_path: Path) -> None:
    files = {"a/web/Dockerfile": "FROM x\nUSER 1\n", "b/web/Dockerfile": "FROM y\nUSER 2\n"}
    image = of(tree(tmp_path, files), "web")
    assert image is None or (image.user is None and not image.knows("user") and not image.knows("base"))


def test_compose_files_of_one_folder_describe_one_service(tmp_path: Path) -> None:
    files = {
        "vote/Dockerfile": "FROM a AS base\nUSER 4\nFROM base AS dev\nUSER 5\nFROM base\n",
        "db/Dockerfile": "FROM postgres\nUSER 6\n",
        "docker-compose.yml": "services:\n  vote: {build: {context: vote, target: dev}}\n  db: {build: db}\n",
        "docker-compose.images.yml": "services:\n  vote:\n    image: samples/app_vote\n  db:\n    image: postgres:15\n",
    }
    both = tree(tmp_path, files)
    image = of(both, "samples/app_vote")
    assert image is not None and image.user is not None
    assert (image.rank, image.user.value) == ("service", "4")
    assert of(both, "postgres:15") is None


def test_compose_names_an_image_after_its_project_and_service(tmp_path: Path) -> None:
    files = {
        "vote/Dockerfile": "FROM a\n",
        "work/Dockerfile": "FROM a\n",
        "compose.yml": "services:\n  vote: {build: vote}\n  worker: {build: work}\n",
        "k8s.yaml": manifests("r.io/samples/app_vote", "r.io/samples/app-worker"),
    }
    image = of(tree(tmp_path, files), "r.io/samples/app-worker")
    assert image is not None
    assert (image.rank, Path(image.dockerfile).parent.name) == ("service", "work")


def test_a_service_with_the_end_of_a_name_is_not_enough(tmp_path: Path) -> None:
    files = {
        "db/Dockerfile": "FROM a\n",
        "compose.yml": "services:\n  db: {build: db}\n",
        "k8s.yaml": manifests("order-db"),
    }
    assert of(tree(tmp_path, files), "order-db") is None


TAGS = {"1.2-debug": "9", "latest": "7", "3.4": "7"}


@pytest.mark.parametrize("tag,user", TAGS.items())
def test_the_tag_of_a_manifest_tells_builds_apart(tmp_path: Path, tag: str, user: str) -> None:
    files = {
        **WEB,
        "src/web/Dockerfile.debug": "FROM b\nUSER 9\n",
        "Makefile": "x:\n\tdocker build -t a/web:$(V) src/web\n"
        "\tdocker build -t a/web:1.2-debug -f src/web/Dockerfile.debug src/web\n",
    }
    image = of(tree(tmp_path, files), f"a/web:{tag}")
    assert image is not None and image.user is not None and image.user.value == user


def test_a_stream_has_no_files_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, WEB)
    monkeypatch.chdir(tmp_path)
    assert of(Tree.from_text(DEPLOYMENT), "web") is None


def test_files_are_listed_once_and_never_through_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    tree(outside, {"web/Dockerfile": "FROM x\n"})
    root = tmp_path / "root"
    found = tree(root, {"a.txt": "text", "b.bin": "\0", "c.txt": "x" * (1024 * 1024 + 1), ".gitignore": "no\n",
                        "no/Dockerfile": "FROM x\n", "node_modules/x/Dockerfile": "FROM x\n"})  # fmt: skip
    os.symlink(outside, root / "link")
    os.symlink(outside / "web" / "Dockerfile", root / "Dockerfile")
    os.symlink(root, root / "loop")
    os.mkfifo(root / "pipe.sh")
    files = found.ask(RepositoryFiles)
    assert [Path(path).name for path in files.paths] == [".gitignore", "a.txt", "b.bin", "c.txt", "pipe.sh"]
    names = ("a.txt", "b.bin", "c.txt", "pipe.sh", "link/web/Dockerfile")
    assert [files.text(str(root.resolve() / name)) for name in names] == ["text", None, None, None, None]
    assert of(found, "web") is None


HOSTILE = {
    "skaffold.yaml": "build:\n  artifacts: &a\n  - image: [x]\n  - *a\n  - 7\n  - image: web\n    context: [1]\n",
    "compose.yaml": "services:\n  a: 1\n  b: {build: 7}\n  c: {build: {context: ../../etc}}\n  d: {build: {args: 3}}\n",
    "Tiltfile": "docker_build(" + "(" * 5000,
    "docker-bake.hcl": 'target "a" {\n  inherits = ["a"]\n  tags = [1]\n}\ntarget {',
    "docker-bake.json": '{"target": {"a": {"inherits": ["b"]}, "b": {"inherits": ["a"], "context": 1}, "c": []}}',
    "Makefile": "A = $(B)\nB = $(A)\nx:\n\tdocker build -t $(A) \\\n",
    "b.sh": "docker build\ndocker build -t\ndocker build -t '\n" + "docker build -t a -t b \\\n" * 2000,
    "cloudbuild.yaml": "steps: {a: 1}\nsubstitutions: [1]\n---\nsteps: [1, {args: 1}, {name: docker, args: [[x]]}]\n",
    "azure-pipelines.yml": "steps:\n- task: Docker@2\n  inputs: 1\n- task: Docker@2\n  inputs: {repository: [1]}\n",
    "azure.yaml": "services:\n  a: {project: [1]}\n  b: {project: ../../..}\n",
    ".github/workflows/a.yml": "jobs:\n  a:\n    strategy: {matrix: {a: [1, {b: 2}], include: 3}}\n    steps:\n"
    "    - 1\n    - {uses: docker/build-push-action@v1, with: 3}\n    - {uses: docker/build-push-action@v1}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_build_files_say_nothing(tmp_path: Path, name: str) -> None:
    image = of(tree(tmp_path, {**WEB, name: HOSTILE[name]}), "web")
    assert image is not None and image.rank == "folder"


LARGE = {
    "loops": "for a in for a in " * 50_000 + "=\ndocker build\n",
    "spaces": ("for a in" + " " * 2000) * 500 + "=\ndocker build\n",
    "variables": "".join(f"A{n}={'$B' * 200}\n" for n in range(2000)) + "B=" + "x" * 400 + "\ndocker build\n",
    "commands": "docker build -t $A -t a/b c\n" * 30_000,
    "one line": "docker build -t a " + "'\"$(" * 200_000 + "\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_large_scripts_have_an_end(tmp_path: Path, text: str) -> None:
    found = tree(tmp_path, {**WEB, "Makefile": text})
    of(found, "web")  # has no end where the cost is that of pairs


@pytest.mark.slow
def test_ten_times_the_images_cost_about_ten_times_as_much(tmp_path: Path) -> None:
    def cost(count: int) -> int:
        files = {f"s/w{n}/Dockerfile": "FROM alpine\nRUN useradd app\nUSER app\n" for n in range(count)}
        files["Makefile"] = "all:\n" + "".join(f"\tdocker build -t r.io/a/w{n} s/w{n}\n" for n in range(count))
        found = tree(tmp_path / str(count), files)
        asked: list[BuiltImage | None] = []
        work = calls(lambda: asked.extend(of(found, f"r.io/a/w{n}") for n in range(count)))
        assert None not in asked
        return work

    assert cost(600) < 11 * cost(60)
