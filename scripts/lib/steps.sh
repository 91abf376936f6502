# shellcheck shell=bash
# Sourced by the other scripts: where things go, and one visible line for each step.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DEV=$ROOT/.dev
LOGS=$DEV/logs
mkdir -p "$LOGS"

say() { printf '%s\n' "$*"; }

# With --help a script prints the comment at its beginning, and does nothing.
if [[ ${1-} == --help || ${1-} == -h ]]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
fi

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step "what it does" COMMAND…: runs it with its output in a log and prints how long it took.
# When it fails, the end of the log is shown and the whole script stops. Nothing is printed for
# a step that the caller found to be done already; so a second run is quiet.
step() {
  local title=$1 log started=$SECONDS
  shift
  log=$LOGS/$(printf '%s' "$title" | tr -cs 'A-Za-z0-9.' '-').log
  printf '  %s …' "$title"
  # Not `if (…)`: in a condition, the shell would go on after a failing command.
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null
  local status=$?
  set -e
  if [[ $status -eq 0 ]]; then
    printf ' %d s\n' "$((SECONDS - started))"
    return
  fi
  printf ' failed after %d s\n' "$((SECONDS - started))"
  tail -n 30 "$log" >&2
  fail "$title: the whole log is $log"
}

# locked NAME COMMAND…: two runs at once take turns. `flock` is not everywhere, Python is; the
# lock belongs to the open file, so it stays taken after that Python has gone.
locked() {
  local name=$1
  shift
  mkdir -p "$DEV"
  exec 9>"$DEV/$name.lock"
  python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  "$@"
  exec 9>&-
}
