#!/bin/sh
# Makes the pull requests that `harden fleet plan --out FOLDER` wrote: clones each repository, makes its changes, commits
# and pushes them, and opens the pull request of GitHub with gh, or the merge request of GitLab with glab.
#
# Usage: pull-requests.sh gh|glab FOLDER [OPTION OF gh pr create OR glab mr create...]
# SLEEP=30 waits 30 seconds between two of them, so that pipelines are not started all at once.
# Needs git, harden, and the program, which knows who you are: gh auth login, glab auth login.
set -u

fail() {
  echo "pull-requests.sh: $1" >&2
  exit 2
}

[ $# -ge 2 ] || fail "write: pull-requests.sh gh|glab FOLDER"
program=$1
case $program in gh | glab) ;; *) fail "$program: write gh or glab" ;; esac
plans=$(cd "$2" && pwd) || fail "$2: no such folder"
[ -f "$plans/apply.sh" ] || fail "$2: has no apply.sh; harden fleet plan writes it"
shift 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

open_request() {
  case $program in
    gh)
      gh pr create --repo "$(cat "$plan/name")" --head "$branch" --title "$title" --body-file "$plan/body.md" "$@"
      ;;
    glab)
      glab mr create --source-branch "$branch" --title "$title" \
        --description "$(cat "$plan/body.md")" --yes "$@"
      ;;
  esac
}

one() {
  address=$(cat "$plan/address")
  branch=$(cat "$plan/branch")
  title=$(head -n 1 "$plan/commit-message")
  rm -rf "$work/checkout" &&
    git clone --quiet --depth 1 -- "$address" "$work/checkout" &&
    cd "$work/checkout" &&
    git checkout --quiet -b "$branch" &&
    "$plans/apply.sh" &&
    git add --all &&
    git commit --quiet --file "$plan/commit-message" &&
    git push --quiet origin "$branch" &&
    open_request "$@"
}

failed=0
for folder in "$plans"/*/; do
  plan=${folder%/}
  if [ ! -f "$plan/name" ]; then
    echo "skipped: $(cat "$plan/address"): is no repository at a host" >&2
    continue
  fi
  if ! (one "$@"); then # what fails in one leaves the others alone
    echo "failed: $(cat "$plan/address")" >&2
    failed=1
  fi
  sleep "${SLEEP:-0}"
done
exit $failed
