package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// envelope is what is around the properties of an event: the format of Segment's
// HTTP API, which many collectors accept.
type envelope struct {
	Type       track     `json:"type" doc:"always track"`
	MessageID  MessageID `json:"messageId" doc:"random, so that a receiver knows a report again"`
	Timestamp  moment    `json:"timestamp" doc:"when it happened, in UTC"`
	UserID     *ID       `json:"userId" doc:"random identifier of this installation, stored in the state file; null if there is none"`
	Event      eventName `json:"event" doc:"the event"`
	Context    Context   `json:"context" doc:"the machine"`
	Properties Event     `json:"properties" doc:"those of the event, which have a schema of their own"`
}

// maxReport bounds one report, in bytes.
const maxReport = 8 << 10

// encode makes a report of an event, and its identifier. It is one line of JSON with
// sorted keys. A report that its own schema does not allow is an error and never kept.
func encode(e Event, id *ID, c Context, now time.Time) (messageID string, line []byte, err error) {
	messageID = uuid4()
	line, err = marshal(envelope{
		MessageID: MessageID{matched{messageID}}, Timestamp: momentOf(now), UserID: id, Event: Named[eventName](about(e, "name")), Context: c, Properties: e,
	})
	if err != nil {
		return "", nil, err
	}
	report, err := Decode(line)
	if err != nil {
		return "", nil, err
	}
	report["properties"].(map[string]any)["metrics_id"] = report["userId"]
	if line, err = marshal(report); len(line) > maxReport {
		err = fmt.Errorf("report of %d bytes", len(line))
	}
	return messageID, line, errors.Join(err, Validate(report))
}

// Preview gives a report as it would be sent, indented, without recording it. The
// identity is null if there is none yet or telemetry is off.
func (d Decision) Preview(e Event, now time.Time) ([]byte, error) {
	_, report, err := encode(e, d.state.identity(), newContext(d, os.DirFS("/")), now)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, report, "", "  ")
	return out.Bytes(), err
}

// Decode reads one JSON object.
func Decode(data []byte) (object map[string]any, err error) {
	if err = json.Unmarshal(data, &object); err == nil && object == nil {
		err = errors.New("not a JSON object")
	}
	return object, err
}

// marshal writes JSON without escaping for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Validate checks a whole report, which is decoded JSON, against the schemas of its
// envelope and its event. Errors name a place and never repeat what is there.
func Validate(report map[string]any) error {
	at := schemaOf("envelope").wrong("report", report)
	if at == "" {
		at = schemaOf(report["event"].(string)).wrong("properties", report["properties"])
	}
	if at != "" {
		return fmt.Errorf("the schema does not allow what is at %s", at)
	}
	return nil
}

// Accept reads a report that an installation has sent, and refuses what none would
// send.
func Accept(data []byte) (map[string]any, error) {
	report, err := Decode(data)
	if err != nil {
		return nil, errors.New("it is no JSON object")
	}
	if err := Validate(report); err != nil {
		return nil, err
	}
	name, properties := report["event"].(string), report["properties"].(map[string]any)
	switch {
	case about(eventNamed(name), "local") != "":
		return nil, fmt.Errorf("%s is never sent", name)
	case report["userId"] == nil || report["userId"] != properties["metrics_id"]:
		return nil, errors.New("userId is null, or not metrics_id")
	}
	return report, nil
}
