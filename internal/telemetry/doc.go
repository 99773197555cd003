// Package telemetry reports how the product is used, and nothing about what is
// built with it: which commands run, which built-in components are configured,
// how large projects are, which problems people meet.
//
// An auditor reads three files. events.go is the complete list of what a report
// can hold: Go structs whose fields are value classes (class.go) and words of closed
// lists (words.txt), none of which can express free text. decide.go says when anything
// is recorded at all. send.go is the only code of the product from which a report
// leaves the machine.
//
//	Record ──► decide ──► encode, validate ──► a file: the local log ──► send
//
// The JSON Schemas, and with them the checks of reports and the catalogue in
// docs/telemetry.md, are derived from the structs of events.go by describe (schema.go).
//
// This package sees no tracker, no message and no project file besides the
// telemetry section of endpoints.yml and config.yml; a test of the architecture
// holds it to that. Tracing with OpenTelemetry is package tracing, which has
// nothing to do with this one.
package telemetry

// SchemaSet is the version of everything that events.go can express. It grows
// whenever something is added, and then people are told again before anything
// is sent.
const SchemaSet = 1
