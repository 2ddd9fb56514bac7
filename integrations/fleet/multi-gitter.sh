#!/bin/sh
# Makes the pull requests that `harden fleet plan --out FOLDER` wrote with multi-gitter, which clones the repositories,
# runs apply.sh in each, and opens a pull request where that changed something. All have the same text: body.md of FOLDER.
#
# Usage: multi-gitter.sh FOLDER [OPTION OF multi-gitter run...]
# GitLab: add --platform gitlab. Try it first with --dry-run. Needs harden on PATH, and GITHUB_TOKEN or GITLAB_TOKEN.
set -eu

fail() {
  echo "multi-gitter.sh: $1" >&2
  exit 2
}

[ $# -ge 1 ] || fail "write: multi-gitter.sh FOLDER"
plans=$(cd "$1" && pwd) || fail "$1: no such folder"
[ -s "$plans/repositories.txt" ] || fail "$1: repositories.txt names no repository at a host"
case $plans in *[[:space:]\'\"]*) fail "$plans: has a space or quote, at which multi-gitter would cut the path" ;; esac
shift
config=$(mktemp)
trap 'rm -f "$config"' EXIT
for key in repo project; do # of GitHub, of GitLab
  echo "$key:"
  sed 's/^/  - /' "$plans/repositories.txt"
done >"$config"

multi-gitter run "$plans/apply.sh" \
  --config "$config" \
  --branch "$(cat "$plans/branch")" \
  --commit-message "$(cat "$plans/commit-message")" \
  --pr-title "$(head -n 1 "$plans/commit-message")" \
  --pr-body "$(cat "$plans/body.md")" \
  --conflict-strategy skip \
  "$@"
