#!/usr/bin/env bash
# Jaeger v2, all in one, with its memory store and its usual ports.
# usage: jaeger.sh install | start | stop
. "$(dirname "$0")/lib.sh"

install() {
  if [ -x "$jaeger_binary" ]; then return; fi
  say "building Jaeger $jaeger_version"
  # Its go.mod has a replace directive, so `go install` refuses it; a copy of the
  # module brings its own go.sum.
  local source
  source=$(mktemp -d)
  go mod download "github.com/jaegertracing/jaeger@v$jaeger_version"
  cp -r "$(go env GOMODCACHE)/github.com/jaegertracing/jaeger@v$jaeger_version/." "$source"
  chmod -R u+w "$source"
  mkdir -p "$(dirname "$jaeger_binary")"
  (cd "$source" && CGO_ENABLED=0 GOFLAGS=-mod=mod go build -buildvcs=false -trimpath -ldflags="-s -w" -o "$jaeger_binary.new" ./cmd/jaeger)
  mv "$jaeger_binary.new" "$jaeger_binary"
  rm -rf "$source"
}

start() {
  install
  JAEGER_LISTEN_HOST=127.0.0.1 run jaeger "$jaeger_binary"
  await jaeger curl -sf http://127.0.0.1:13133/status
}

stop() { halt jaeger; }

"$@"
