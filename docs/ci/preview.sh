#!/bin/sh
# Previews a stack and tells the pull request (GitHub) or merge request (GitLab) that this job runs for: a comment,
# written once and updated from then on, and the label "destructive". Wants curl and jq.
#
#   docs/ci/preview.sh STACK [FILE]  FILE keeps the comment, for an artifact; preview.md by default
#
#   GITHUB_TOKEN, PREVIEW_TOKEN      for GitHub, for GitLab: may comment and label; reaches curl by a pipe
#   TIMELIFT_DESTRUCTIVE=label|fail  what a destructive change does: the label alone, by default, or a failed job too
#   TIMELIFT_COMMENT=no              tells nobody: for a job whose token may only read
#   TIMELIFT_COMMENT_AUTHOR          who comments on GitHub, with a token of your own; github-actions[bot] by default
set -eu

stack=${1:?name a stack}
file=${2:-preview.md}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# request METHOD PATH [FILE WITH JSON]
request() {
  method=$1
  path=$2
  shift 2
  if [ $# -gt 0 ]; then set -- --header 'Content-Type: application/json' --data-binary "@$1"; fi
  printf 'header = "%s"\n' "$authorization" |
    curl --config - --silent --show-error --fail --retry 3 --request "$method" "$@" "$api$path"
}

# The comment with the marker that $me wrote; nothing where there is none. Anyone may write a marker.
find_comment() {
  page=1
  while :; do
    request GET "$comments?per_page=100&page=$page" >"$work/page"
    found=$(jq -r --arg marker "$marker" --arg me "$me" \
      "map(select($author == \$me and (.body | startswith(\$marker)))) | .[0].id // empty" "$work/page")
    if [ -n "$found" ] || [ "$(jq length "$work/page")" -lt 100 ]; then break; fi
    page=$((page + 1))
  done
  echo "$found"
}

write_comment() {
  jq -Rs '{body: .}' "$file" >"$work/body"
  id=$(find_comment)
  if [ -n "$id" ]; then
    request "$update" "$comment/$id" "$work/body" >"$work/answer"
  else
    request POST "$comments" "$work/body" >"$work/answer"
  fi
}

tell_github() {
  number=${GITHUB_REF#refs/pull/}
  number=${number%%/*}
  api=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY
  authorization="Authorization: Bearer $GITHUB_TOKEN"
  me=${TIMELIFT_COMMENT_AUTHOR:-github-actions[bot]}
  comments=/issues/$number/comments comment=/issues/comments author=.user.login update=PATCH
  write_comment
  labels=/issues/$number/labels
  if [ "$1" -eq 3 ]; then
    echo '{"labels":["destructive"]}' >"$work/body"
    request POST "$labels" "$work/body" >"$work/answer"
  else
    request GET "$labels?per_page=100" >"$work/answer"
    if jq -e 'any(.name == "destructive")' "$work/answer" >"$work/any"; then
      request DELETE "$labels/destructive" >"$work/answer"
    fi
  fi
}

tell_gitlab() {
  api=$CI_API_V4_URL
  authorization="PRIVATE-TOKEN: $PREVIEW_TOKEN"
  me=$(request GET /user | jq -r .username)
  merge_request=/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID
  comments=$merge_request/notes comment=$merge_request/notes author=.author.username update=PUT
  write_comment
  if [ "$1" -eq 3 ]; then change=add_labels; else change=remove_labels; fi
  echo "{\"$change\":\"destructive\"}" >"$work/body"
  request PUT "$merge_request" "$work/body" >"$work/answer"
}

# A secret that CI does not have is an empty variable.
[ -n "${PULUMI_BACKEND_URL:-}" ] || unset PULUMI_BACKEND_URL
[ -n "${PULUMI_ACCESS_TOKEN:-}" ] || unset PULUMI_ACCESS_TOKEN
[ -n "${PULUMI_CONFIG_PASSPHRASE:-}" ] || unset PULUMI_CONFIG_PASSPHRASE

rm -f "$file"
code=0
./timelift preview --stack "$stack" --markdown "$file" || code=$?
if [ ! -s "$file" ]; then
  code=1
  {
    echo "<!-- timelift preview: $stack -->"
    echo "### Preview of \`$stack\`: failed"
    echo
    echo "The log says why."
  } >"$file"
fi
marker=$(head -n 1 "$file")

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$file" >>"$GITHUB_STEP_SUMMARY"; fi
if [ "${TIMELIFT_COMMENT:-yes}" != no ]; then
  case ${GITHUB_REF:-} in
  refs/pull/*) tell_github "$code" ;;
  *) if [ -n "${CI_MERGE_REQUEST_IID:-}" ]; then tell_gitlab "$code"; fi ;;
  esac
fi

case $code in
0 | 2) ;;
3)
  if [ "${TIMELIFT_DESTRUCTIVE:-label}" = fail ]; then
    echo "The preview of $stack has destructive steps: TIMELIFT_DESTRUCTIVE=fail ends the job." >&2
    exit 3
  fi
  ;;
*) exit 1 ;;
esac
