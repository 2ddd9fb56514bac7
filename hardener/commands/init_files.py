"""What ``harden init`` writes: texts in which the folders, and where harden comes from, are filled in.

``paths`` hold nothing that a shell or YAML would take for more than a name: ``init`` sees to it.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from urllib.parse import urlsplit

from hardener.authoring.config import DEFAULT_VERSION
from hardener.report import pages
from hardener.support.shell_words import quoted_path

UNKNOWN = "OWNER/REPOSITORY"
"""Where harden comes from, while this installation does not know it."""
_ACTION = f"{UNKNOWN}@COMMIT"
_REVISION = "COMMIT"
_CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
_NO_TEXT = {"~", "n", "no", "null", "off", "on", "true", "false", "y", "yes"}
_DAYS = 90  # until the exception ends that is shown


def config(profile: str, today: date) -> str:
    """``.harden.yaml``: the profile, and the rest as comments to begin with."""
    schema = pages.schema_of("config")
    head = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return (
        head
        + f"""\
# What this repository wants of harden by default. To read more: harden explain ID, harden profiles
profile: {_text(profile)}
# kubernetes-version: "{DEFAULT_VERSION}"   # the oldest among your clusters
# platform: openshift          # where the manifests do not show it
# exclude: [legacy/]           # read as evidence, never changed; patterns as in .gitignore
# options:
#   resources: {{cpu-limit: none}}
# exceptions:                  # what stays as it is for a time
# - id: run-as-non-root
#   match: {{kind: Deployment, name: web}}
#   reason: its image is built anew next month
#   expires: {today + timedelta(days=_DAYS)}
"""
    )


def pre_commit(paths: list[str]) -> str:
    """The entry below ``repos:`` of ``.pre-commit-config.yaml``."""
    repository, revision = pages.installed_from() or (f"https://HOST/{UNKNOWN}", _REVISION)
    arguments = _flow(["--max-grade", "safe", *paths])
    return f"""\
- repo: {repository}
  rev: {revision}
  hooks:
  - id: harden                  # rewrites what is safe; stops the commit when it changed something
    args: {arguments}
  - id: harden-check            # changes nothing
    args: {arguments}
"""


def github(paths: list[str]) -> str:
    """A workflow of GitHub Actions that checks pull requests."""
    origin = pages.installed_from()
    name = _at_github(origin[0]) if origin else None
    action = f"{name}@{origin[1]}" if origin and name else _ACTION
    named = "".join(f"          {path}\n" for path in paths)
    return f"""\
# harden looks at pull requests: annotations, one comment that is kept up to date, and the verdict of the job.
name: harden
on: pull_request
permissions: {{}}
jobs:
  harden:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write       # the comment
    steps:
    - uses: {_CHECKOUT}
      with: {{persist-credentials: false}}
    - uses: {action}
      with:
        command: check
        paths: |
{named}\
        max-grade: safe           # later: review
        comment: "true"
        # fail-on: high          # one threshold for findings and pending changes; empty: any pending change
        # baseline: harden.baseline
"""


def gitlab(paths: list[str]) -> str:
    """Jobs of GitLab: one checks merge requests, one opens a merge request with what is safe."""
    origin = pages.installed_from()
    source, revision = origin or (f"https://HOST/{UNKNOWN}", _REVISION)
    named = " ".join(map(quoted_path, paths))
    return f"""\
# harden looks at merge requests. HARDEN_TOKEN is a project access token: with the scope api, a merge request gets the
# report as one comment, and suggestions; with write_repository, a scheduled pipeline opens one.
# In .gitlab-ci.yml: include: {{local: .gitlab/harden.gitlab-ci.yml}}
.harden:
  stage: test
  image: python:3.13             # better by digest
  before_script:
  # What the locks of that commit name, by hash.
  - git clone --quiet --no-checkout {source} /tmp/harden && git -C /tmp/harden checkout --quiet {revision}
  - >-
    pip install --quiet --require-hashes --only-binary :all:
    -r /tmp/harden/requirements.lock -r /tmp/harden/requirements-build.lock
  - pip install --quiet --no-index --no-deps --no-build-isolation 'hardener @ git+{source}@{revision}'

harden:
  extends: .harden
  variables:
    HARDEN_OPTIONS: --max-grade safe   # later: --max-grade review --baseline harden.baseline --fail-on high
  rules:
  - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"
  script:
  # 1: something is to be done, which the last line tells; 2: it could not be looked at.
  - harden check {named} $HARDEN_OPTIONS --format gitlab >gl-code-quality-report.json || [ $? -eq 1 ]
  - harden check {named} $HARDEN_OPTIONS --format junit >harden.xml || [ $? -eq 1 ]
  # Without HARDEN_TOKEN, a project access token with the scope api, nothing is written to the merge request.
  - >-
    if [ -n "${{HARDEN_TOKEN:-}}" ] && [ -n "${{CI_MERGE_REQUEST_IID:-}}" ]; then
    harden check {named} $HARDEN_OPTIONS --format markdown >harden.md || [ $? -eq 1 ];
    harden check {named} $HARDEN_OPTIONS --max-grade safe --format rdjson >harden.rdjson || [ $? -eq 1 ];
    python -I /tmp/harden/integrations/gitlab/merge_request.py comment harden.md;
    python -I /tmp/harden/integrations/gitlab/merge_request.py suggest harden.rdjson; fi
  - harden check {named} $HARDEN_OPTIONS
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: harden.xml

harden-merge-request:
  extends: .harden
  rules:
  - if: $CI_PIPELINE_SOURCE == "schedule" && $HARDEN_TOKEN
  script:
  - harden apply {named} --max-grade safe --yes --format markdown >harden.md
  - git add --all -- . ':!harden.md'
  - if git diff --cached --quiet; then exit 0; fi
  - git -c user.name=harden -c user.email=harden@localhost commit --quiet --message harden
  - >-
    git push --force --push-option=merge_request.create --push-option="merge_request.target=$CI_DEFAULT_BRANCH"
    "https://harden:$HARDEN_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git" HEAD:refs/heads/harden/safe
  artifacts:
    paths: [harden.md]
"""


def _flow(words: list[str]) -> str:
    return f"[{', '.join(map(_text, words))}]"


def _text(word: str) -> str:
    """``word`` as a text of YAML, in quotes where it would be something else."""
    is_plain = re.fullmatch(r"(?i)[a-z_./-][\w./-]*", word) and word.casefold() not in _NO_TEXT
    return word if is_plain else json.dumps(word, ensure_ascii=False)


def _at_github(url: str) -> str | None:
    """``OWNER/REPOSITORY`` of a repository at github.com; None for any other, which a workflow cannot name."""
    parts = urlsplit(url)
    name = parts.path.strip("/")
    return name if parts.hostname == "github.com" and name.count("/") == 1 else None
