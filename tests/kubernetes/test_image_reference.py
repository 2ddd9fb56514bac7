"""Image references in parts."""

import pytest

from hardener.kubernetes.images.reference import normalize, parse, read

DIGEST = "sha256:" + "0" * 64

WRITTEN = [
    # text, registry, repository, name, tag, digest
    ("nginx", None, "nginx", "nginx", None, None),
    ("nginx:1.27", None, "nginx", "nginx", "1.27", None),
    ("prom/prometheus:v3", None, "prom/prometheus", "prometheus", "v3", None),
    ("localhost/x", "localhost", "localhost/x", "x", None, None),
    ("localhost:5000/x", "localhost:5000", "localhost:5000/x", "x", None, None),
    ("localhost:5000/x:1", "localhost:5000", "localhost:5000/x", "x", "1", None),
    ("[::1]:5000/x:1", "[::1]:5000", "[::1]:5000/x", "x", "1", None),
    (f"ghcr.io/a/b@{DIGEST}", "ghcr.io", "ghcr.io/a/b", "b", None, DIGEST),
    (f"ghcr.io/a/b:v1@{DIGEST}", "ghcr.io", "ghcr.io/a/b", "b", "v1", DIGEST),
    ("REGISTRY/app", "REGISTRY", "REGISTRY/app", "app", None, None),
    ("us-docker.pkg.dev/p/r/app:0.1", "us-docker.pkg.dev", "us-docker.pkg.dev/p/r/app", "app", "0.1", None),
    ("gcr.io/google_samples/gb-redisslave:v1", "gcr.io", "gcr.io/google_samples/gb-redisslave", "gb-redisslave", "v1",
     None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "registry", "repository", "name", "tag", "digest"), WRITTEN)
def test_parts(
    text: str, registry: str | None, repository: str, name: str, tag: str | None, digest: str | None
) -> None:
    found = parse(text)
    assert found is not None
    assert (found.text, found.registry, found.repository) == (text, registry, repository)
    assert (found.name, found.tag, found.digest, found.opaque) == (name, tag, digest, False)


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("nginx:${TAG}", "nginx", None),
        ("nginx:1.27-${SUFFIX}", "nginx", None),
        ("ghcr.io/a/b:$(VERSION)", "ghcr.io/a/b", None),
        ("localhost:5000/b:{{ .Values.tag }}", "localhost:5000/b", None),
        ("nginx@${DIGEST}", "nginx", None),
        ("${REGISTRY}/nginx:1", None, "1"),
        ("${REGISTRY:-docker.io/library}/nginx:1", None, "1"),
        ("$REGISTRY/nginx:1", None, "1"),
        ("nginx$SUFFIX", None, None),
        ("{{ .Values.image }}", None, None),
        ("{{ .Values.image.repository }}:{{ .Values.image.tag }}", None, None),
    ],
)
def test_an_expression_hides_only_the_part_it_stands_in(text: str, repository: str | None, tag: str | None) -> None:
    found = parse(text)
    assert found is not None
    assert found.opaque
    assert (found.text, found.repository, found.tag) == (text, repository, tag)
    assert (found.normalized is None) == (repository is None)
    assert found.name == ("nginx" if "/nginx" in text else repository and repository.rpartition("/")[2])


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", " nginx", "nginx ", "Nginx", "nginx:", "nginx@", "nginx@sha256:abc", "nginx:a/b:", "/nginx",
     "a//b", "nginx/", "nginx:1:2", "nginx:" + "a" * 129, "http://x/y", "-nginx", "nginx:ü", "x" * 5000, "${A} b",
     "\ue000", None, 3, ["nginx"], {}],
)  # fmt: skip
def test_what_is_no_reference(text: object) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("digest", "fault"),
    [
        ("sha256:abc", "it has 3 digits, and one of sha256 has 64"),
        ("sha256:", "it has 0 digits, and one of sha256 has 64"),
        ("sha256:" + "0" * 63, "it has 63 digits, and one of sha256 has 64"),
        ("sha256:" + "0" * 128, "it has 128 digits, and one of sha256 has 64"),
        ("sha512:" + "0" * 64, "it has 64 digits, and one of sha512 has 128"),
        ("sha256:" + "A" * 64, "its digits are not in lower case"),
        ("sha256:" + "g" * 64, "it holds what is no hexadecimal digit"),
        ("sha256:<digest>", "it holds what is no hexadecimal digit"),
        ("SHA256:" + "0" * 64, "runtimes take sha256, sha384, sha512, in lower case, and no other algorithm"),
        ("md5:" + "0" * 32, "runtimes take sha256, sha384, sha512, in lower case, and no other algorithm"),
        ("latest", "it does not begin with an algorithm and a colon"),
        ("", "it does not begin with an algorithm and a colon"),
    ],
)
def test_a_digest_that_is_none_is_no_pin(digest: str, fault: str) -> None:
    assert parse(f"nginx:1.27@{digest}") is None
    found = read(f"nginx:1.27@{digest}")
    assert found is not None
    assert (found.repository, found.tag, found.digest, found.fault) == ("nginx", "1.27", None, fault)


@pytest.mark.parametrize("digest", [DIGEST, "sha384:" + "a" * 96, "sha512:" + "1f" * 64])
def test_a_digest_of_the_length_of_its_algorithm(digest: str) -> None:
    found = parse(f"nginx:1.27@{digest}")
    assert found is not None
    assert (found.digest, found.fault) == (digest, None)


def test_a_digest_that_is_filled_in_later_has_no_fault() -> None:
    found = parse("nginx@sha256:${DIGEST}")
    assert found is not None
    assert (found.digest, found.fault, found.opaque) == (None, None, True)


@pytest.mark.parametrize(
    ("repository", "normalized"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx"),
        ("prom/prometheus", "docker.io/prom/prometheus"),
        ("prom/*", "docker.io/prom/*"),
        ("quay.io/prom/prometheus", "quay.io/prom/prometheus"),
        ("registry.example.com/nginx", "registry.example.com/nginx"),
        ("localhost:5000/nginx", "localhost:5000/nginx"),
    ],
)
def test_docker_hub_is_spelled_out(repository: str, normalized: str) -> None:
    assert normalize(repository) == normalized


@pytest.mark.parametrize("text", ["{{" * 2000, "${" * 2000, "-" * 4000, "a." * 2000, "a-" * 2000 + ":"])
def test_hostile_text_is_read_at_once(text: str) -> None:
    parse(text)
