"""What every transform says of itself: a title that says what to do, a problem and a result that are no opposites."""

from __future__ import annotations

import re

import pytest

from hardener.authoring import registry
from hardener.authoring.transform import CONTAINER, Transform

TRANSFORMS = list(registry.transforms().values())

# The verbs that begin a title, in the imperative.
VERBS = frozenset(
    "Add Allow Bind Block Close Correct Create Detach Disable Drop Enable Encrypt Enforce Extend Forbid Keep Limit"
    " Mount Move Name Omit Pin Put Record Remove Rename Replace Require Restore Restrict Review Rotate Send Set"
    " Shorten Update Use".split()
)
# A problem is a fact about the object as it is: words that only fit what is true afterwards are none.
AFTERWARDS = re.compile(r"\b(no longer runs|will|now|afterwards|should|must)\b", re.I)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.id)
def test_a_transform_has_a_title_a_problem_and_a_result(transform: Transform) -> None:
    docstring = transform.function.__doc__ or ""
    assert "\n    Problem: " in docstring and "\n    Result: " in docstring
    first, *rest = transform.title.split()
    assert first in VERBS and rest, f"the title does not begin with a verb of the list: {transform.title}"
    assert not transform.title.endswith(".") and len(transform.title) <= 72
    assert re.match(r"(\{container\}|[a-z]|API |Argo |DNS |Pod |Secrets |SELinux )", transform.problem)
    assert not transform.problem.endswith(".") and not AFTERWARDS.search(transform.problem)
    assert re.match(r"[A-Z]|kube|etcd", transform.result) and transform.result.endswith(".")


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.id)
def test_a_problem_does_not_read_as_its_result(transform: Transform) -> None:
    problem, result = _words(transform.problem_of()), _words(transform.result)
    assert problem != result
    # "does not run privileged" beside "runs privileged": what one says the other must not say as well.
    assert not problem >= result, f"the problem says what the result says: {transform.problem}"


def test_no_two_transforms_have_one_title() -> None:
    titles = [transform.title for transform in TRANSFORMS]
    assert {title for title in titles if titles.count(title) > 1} == set()


def test_a_problem_names_its_container() -> None:
    transform = registry.get("no-privileged")
    assert CONTAINER in transform.problem
    assert transform.problem_of() == "a container runs privileged"
    assert transform.problem_of(["web"]) == "container web runs privileged"
    assert transform.problem_of(["web", "proxy", "init"]) == "container web (and 2 more) runs privileged"


def _words(sentence: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w./-]+", sentence.lower()))
