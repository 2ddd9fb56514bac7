"""What shows that a program asks for io_uring."""

from __future__ import annotations

import pytest

from hardener.kubernetes.pods.io_uring import io_uring_flags, io_uring_settings, io_uring_variables

FLAGS = [
    (["postgres", "-c", "io_method=io_uring"], ["io_method=io_uring"]),
    (["redpanda", "start", "--reactor-backend=io_uring"], ["--reactor-backend=io_uring"]),
    (["redpanda", "start", "--reactor-backend", "io_uring"], ["--reactor-backend io_uring"]),
    (["server", "--io-uring", "--port=80"], ["--io-uring"]),
    (["server", "--io-uring=false"], []),
    (["server", "--no-io-uring"], []),
    (["server", "--disable-engine=io_uring"], []),
    (["qemu-system-x86_64", "-drive", "file=d.img,aio=io_uring"], ["aio=io_uring"]),
    (["tigerbeetle", "start"], ["tigerbeetle"]),
    (["postgres", "-c", "io_method=worker"], []),
    (["echo", "io_uring"], []),
]


@pytest.mark.parametrize(("words", "found"), FLAGS)
def test_flags_and_programs(words: list[str], found: list[str]) -> None:
    assert io_uring_flags(words) == found


def test_variables() -> None:
    env = {"UV_USE_IO_URING": "1", "DISABLE_IO_URING": "1", "IO_URING": "0", "ENGINE": "io_uring", "HOME": "/x"}
    assert io_uring_variables(env) == ["UV_USE_IO_URING=1", "ENGINE=io_uring"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("port = 5432\nio_method = io_uring\n", ["io_method = io_uring"]),
        ("io_method 'io_uring'\n", ["io_method = io_uring"]),
        ("rpk:\n  reactor_backend: io_uring\n", ["reactor_backend = io_uring"]),
        ("use-io-uring: true\n", ["use-io-uring = true"]),
        ("use-io-uring: false\n# io_method = io_uring\n", []),
        ("disable_io_uring = on\n", []),
        ("a text that tells of io_uring\n", []),
    ],
)
def test_lines_of_settings(text: str, found: list[str]) -> None:
    assert io_uring_settings(text) == found
