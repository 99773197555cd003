// Package interop holds tests against real backends: Jaeger, the OpenTelemetry
// Collector, and action servers made with rasa-sdk; and with a real browser. They
// run the real binary and read traces back through Jaeger's API.
//
// .ci/backends/start installs and starts what they need, and .ci/backends/env
// tells them where it is. Without it they are skipped.
package interop
