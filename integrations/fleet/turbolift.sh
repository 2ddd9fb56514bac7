#!/bin/sh
# Makes the pull requests that `harden fleet plan --out FOLDER` wrote with turbolift, in a campaign that is called like
# the branch. All have the same text: body.md of FOLDER.
#
# Usage: turbolift.sh FOLDER [OPTION OF turbolift create-prs...]
# Look at work/ of the campaign before you let it go on: HARDEN_STOP=1 ends it before the commit.
# Needs harden and gh on PATH; for GitHub Enterprise set GH_HOST.
set -eu

fail() {
  echo "turbolift.sh: $1" >&2
  exit 2
}

[ $# -ge 1 ] || fail "write: turbolift.sh FOLDER"
plans=$(cd "$1" && pwd) || fail "$1: no such folder"
[ -s "$plans/repositories.txt" ] || fail "$1: repositories.txt names no repository at a host"
shift
branch=$(cat "$plans/branch")
case $branch in */*) fail "$branch: turbolift makes a folder of this name; plan again with --branch and without a slash" ;; esac

turbolift init --name "$branch"
cd "$branch"
cp "$plans/repositories.txt" repos.txt
{
  head -n 1 "$plans/commit-message" # the title; what is behind it is the description
  cat "$plans/body.md"
} >README.md
turbolift clone
turbolift foreach -- sh "$plans/apply.sh"
turbolift foreach -- git add --all
if [ -n "${HARDEN_STOP:-}" ]; then
  echo "stopped before the commit; go on with turbolift commit and turbolift create-prs in $branch"
  exit 0
fi
turbolift commit --message "$(cat "$plans/commit-message")"
turbolift create-prs "$@"
