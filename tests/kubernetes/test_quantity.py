"""Kubernetes quantities, exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.kubernetes.objects.quantity import format_cpu, format_like, format_memory, parse

KI, MI, GI = 2**10, 2**20, 2**30


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0", 0),
        ("1", 1),
        ("500m", Fraction(1, 2)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("+1", 1),
        ("-1", -1),
        ("100n", Fraction(1, 10**7)),
        ("5u", Fraction(5, 10**6)),
        ("1k", 1000),
        ("1M", 10**6),
        ("1G", 10**9),
        ("1T", 10**12),
        ("1P", 10**15),
        ("1E", 10**18),
        ("1E3", 1000),
        ("1e3", 1000),
        ("12e-3", Fraction(12, 1000)),
        ("1Ki", KI),
        ("128Mi", 128 * MI),
        ("1.5Gi", 3 * GI // 2),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        (2, 2),
        (134217728, 134217728),
        (0.1, Fraction(1, 10)),
        (1e22, 10**22),
    ],
)
def test_parse(written: object, amount: Fraction) -> None:
    assert parse(written) == amount


@pytest.mark.parametrize(
    "written",
    ["", " ", ".", "m", "1 Gi", " 1", "1K", "1ki", "1mi", "1MI", "1GB", "1e", "1e999999", "--1", "1_000", "0x10",
     "\u0661", "nan", "inf", "9" * 100, "${CPU}", True, None, [], {}, float("nan"), float("inf")],
)  # fmt: skip
def test_what_is_no_quantity(written: object) -> None:
    assert parse(written) is None


@pytest.mark.parametrize(
    ("amount", "like", "text"),
    [
        (Fraction(1, 4), "500m", "250m"),
        (Fraction(2), "500m", "2000m"),
        (Fraction(2), "1", "2"),
        (Fraction(1, 2), "1", "500m"),
        (Fraction(1, 4), "0.5", "0.25"),
        (Fraction(3), "0.5", "3"),
        (Fraction(1, 3), "0.5", "333333334n"),
        (Fraction(GI), "64Mi", "1024Mi"),
        (Fraction(3 * GI, 2), "1Gi", "1536Mi"),
        (Fraction(3 * GI, 2), "1.0Gi", "1.5Gi"),
        (Fraction(600 * MI), "300Mi", "600Mi"),
        (Fraction(10**9), "500M", "1000M"),
        (Fraction(256 * MI), 134217728, "268435456"),
        (Fraction(2000), "1e3", "2e3"),
        (Fraction(2500), "1e3", "2500"),
        (Fraction(2, 3), "1Ki", "1"),
        (Fraction(2), "nonsense", "2"),
    ],
)
def test_format_like_keeps_the_unit_of_the_author(amount: Fraction, like: object, text: str) -> None:
    assert format_like(amount, like) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (1, "1"), (1000, "1000"), (KI, "1Ki"), (512 * MI, "512Mi"), (1792 * MI, "1792Mi"), (4 * GI, "4Gi"),
     (Fraction(1, 3), "1")],
)  # fmt: skip
def test_format_memory(size: Fraction, text: str) -> None:
    assert format_memory(Fraction(size)) == text


@pytest.mark.parametrize(
    ("cores", "text"),
    [("0", "0"), ("100m", "100m"), ("0.5", "500m"), ("2", "2"), ("1500m", "1500m"), ("1u", "1m")],
)
def test_format_cpu(cores: str, text: str) -> None:
    amount = parse(cores)
    assert amount is not None
    assert format_cpu(amount) == text


SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "e-3"]


@given(st.integers(0, 10**6), st.sampled_from(SUFFIXES), st.integers(0, 10**6), st.sampled_from(SUFFIXES))
def test_what_is_written_reads_back(number: int, suffix: str, other: int, like: str) -> None:
    amount = parse(f"{number}{suffix}")
    assert amount is not None
    again = parse(format_like(amount, f"{other}{like}"))
    assert again is not None
    # Binary units have no part of a byte: what does not fit is rounded up.
    assert again == amount or (like.endswith("i") and amount.denominator != 1 and 0 < again - amount < 1)
    memory, cpu = parse(format_memory(amount)), parse(format_cpu(amount))
    assert memory is not None and 0 <= memory - amount < 1
    assert cpu is not None and 0 <= cpu - amount < Fraction(1, 1000)


@given(st.integers(0, 10**6), st.sampled_from(SUFFIXES))
def test_a_quantity_in_its_own_unit_stays_as_it_is(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    amount = parse(text)
    assert amount is not None
    assert format_like(amount, text) == text
