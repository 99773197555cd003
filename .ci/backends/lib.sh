# Shared by the scripts of this folder; sourced, not run.
#
# Backends are built or installed once into a cache, in folders that carry their
# versions, and run from there on 127.0.0.1. LOQUAT_CI_CACHE names the cache.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${LOQUAT_CI_CACHE:-$root/.ci/cache}
state=$cache/run # process ids and logs
mkdir -p "$state"
cache=$(cd "$cache" && pwd)

jaeger_version=1.76.0 # the module version of Jaeger v2.13.0
collector_version=0.155.0
sdk_versions="3.13.0 3.21.1" # the last with Thrift export, and the newest

jaeger_binary=$cache/jaeger-$jaeger_version/jaeger
collector_binary=$cache/otelcol-$collector_version/otelcol-loquat
browser() { command -v chromium || command -v chromium-browser || command -v google-chrome || true; }
sdk_python() { echo "$cache/rasa-sdk-$1/bin/python"; }

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# run NAME COMMAND... starts a process in the background, unless it runs already.
run() {
  local name=$1
  shift
  if running "$name"; then return; fi
  nohup "$@" >"$state/$name.log" 2>&1 &
  echo $! >"$state/$name.pid"
}

running() { [ -f "$state/$1.pid" ] && kill -0 "$(cat "$state/$1.pid")" 2>/dev/null; }

# halt NAME ends what run started.
halt() {
  if running "$1"; then
    local pid
    pid=$(cat "$state/$1.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$state/$1.pid"
}

# await NAME COMMAND... waits until the command succeeds, for half a minute.
await() {
  local name=$1
  shift
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    running "$name" || break
    sleep 0.1
  done
  say "$name did not start:"
  tail -n 30 "$state/$name.log" >&2
  exit 1
}
