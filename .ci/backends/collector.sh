#!/usr/bin/env bash
# The OpenTelemetry Collector with the receivers that matter here, forwarding to
# Jaeger: OTLP over gRPC on 14317, over HTTP on 14318, Jaeger's Thrift on 16831.
# usage: collector.sh install | start | stop
. "$(dirname "$0")/lib.sh"

install() {
  if [ -x "$collector_binary" ]; then return; fi
  say "building the OpenTelemetry Collector $collector_version"
  local v=v$collector_version dir
  dir=$(dirname "$collector_binary")
  mkdir -p "$dir"
  GOBIN=$dir go install "go.opentelemetry.io/collector/cmd/builder@$v"
  cat >"$dir/builder.yaml" <<EOF
dist: {name: otelcol-loquat, output_path: $dir/build}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver $v
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/jaegerreceiver $v
processors:
  - gomod: go.opentelemetry.io/collector/processor/batchprocessor $v
exporters:
  - gomod: go.opentelemetry.io/collector/exporter/otlpexporter $v
  - gomod: go.opentelemetry.io/collector/exporter/debugexporter $v
EOF
  (cd "$dir" && CGO_ENABLED=0 ./builder --config builder.yaml)
  mv "$dir/build/otelcol-loquat" "$collector_binary"
  rm -rf "$dir/build" "$dir/builder"
}

start() {
  install
  cat >"$state/collector.yaml" <<EOF
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:14317}
      http: {endpoint: 127.0.0.1:14318}
  jaeger:
    protocols:
      thrift_compact: {endpoint: 127.0.0.1:16831}
exporters:
  otlp: {endpoint: 127.0.0.1:4317, tls: {insecure: true}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp, jaeger], exporters: [otlp]}
EOF
  run collector "$collector_binary" --config "$state/collector.yaml"
  await collector bash -c ': >/dev/tcp/127.0.0.1/14318'
}

stop() { halt collector; }

"$@"
