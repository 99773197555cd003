package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// envelope is what is around the properties of an event: the format of Segment's
// HTTP API, which many collectors accept.
type envelope struct {
	Type      track     `json:"type" doc:"always track"`
	MessageID MessageID `json:"messageId" doc:"random, so that a receiver knows a report again"`
	Timestamp moment    `json:"timestamp" doc:"when it happened, in UTC"`
	UserID    *ID       `json:"userId" doc:"random identifier of this installation, stored in the state file; null if there is none"`
	Event     eventName `json:"event" doc:"the event"`
	Context   Context   `json:"context" doc:"the machine"`
}

// maxReport bounds one report, in bytes.
const maxReport = 8 << 10

// encode makes a report of an event, and its identifier. It is one line of JSON with
// sorted keys. A report that its own schema does not allow is an error and never kept.
func encode(e Event, id *ID, c Context, now time.Time) (messageID string, line []byte, err error) {
	messageID = uuid4()
	report := plain(reflect.ValueOf(envelope{
		MessageID: MessageID{matched{messageID}}, Timestamp: momentOf(now), UserID: id, Event: Named[eventName](about(e, "name")), Context: c,
	})).(map[string]any)
	properties := plain(reflect.ValueOf(e)).(map[string]any)
	report["properties"], properties["metrics_id"] = properties, report["userId"]
	if line, err = marshal(report); len(line) > maxReport {
		err = fmt.Errorf("report of %d bytes", len(line))
	}
	return messageID, line, errors.Join(err, Validate(report))
}

// plain gives what decoded JSON has for a value of a report.
func plain(v reflect.Value) any {
	if text, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Struct {
		return text.String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int:
		return json.Number(strconv.FormatInt(max(0, v.Int()), 10))
	case reflect.Float64:
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, 64))
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Slice:
		out := make([]any, min(v.Len(), maxItems))
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	}
	out := map[string]any{}
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name != "" && !(option == "omitempty" && v.Field(i).IsNil()) {
			out[name] = plain(v.Field(i))
		}
	}
	return out
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

// Decode reads one JSON object and keeps numbers as they are written.
func Decode(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); m == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("not one JSON object")
	}
	return m, nil
}

// marshal writes JSON without escaping for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Validate checks a whole report against the schemas of its event and envelope.
// It is decoded JSON with numbers as json.Number.
func Validate(report map[string]any) error {
	if err := schemaOf("envelope").check("report", report); err != nil {
		return err
	}
	return schemaOf(report["event"].(string)).check("properties", report["properties"])
}

// Accept reads a report that an installation has sent, and refuses what none would
// send. Errors name a place, never a value.
func Accept(data []byte) (report map[string]any, err error) {
	if report, err = Decode(data); err != nil {
		return nil, err
	}
	if err := Validate(report); err != nil {
		return nil, err
	}
	name, _ := report["event"].(string)
	properties, _ := report["properties"].(map[string]any)
	switch {
	case about(eventNamed(name), "local") != "":
		return nil, errors.New("event: is never sent")
	case report["userId"] == nil || report["userId"] != properties["metrics_id"]:
		return nil, errors.New("userId: is null, or not metrics_id")
	}
	return report, nil
}

// check tells what is wrong with a value. It names the place and never repeats
// the value, which may be anything.
func (f *fragment) check(place string, value any) error {
	kind := kindOf(value)
	if !slices.Contains(f.Type, kind) && !(kind == "integer" && slices.Contains(f.Type, "number")) {
		return fmt.Errorf("%s: is %s, not %v", place, kind, f.Type)
	}
	no := func() error { return fmt.Errorf("%s: is no %s", place, f.name) }
	switch v := value.(type) {
	case string:
		if f.Enum != nil && !slices.Contains(f.Enum, any(v)) || f.match != nil && !f.match.MatchString(v) ||
			f.MaxLength > 0 && utf8.RuneCountInString(v) > f.MaxLength {
			return no()
		}
	case json.Number:
		n, err := v.Float64()
		if err != nil || f.Minimum != nil && n < float64(*f.Minimum) || f.Maximum != nil && n > float64(*f.Maximum) ||
			f.MultipleOf != 0 && math.Abs(n*10-math.Round(n*10)) > 1e-9 {
			return no()
		}
	case []any:
		if len(v) > f.MaxItems {
			return fmt.Errorf("%s: has more than %d items", place, f.MaxItems)
		}
		for i, item := range v {
			if err := f.Items.check(fmt.Sprintf("%s[%d]", place, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		return f.checkObject(place, v)
	}
	return nil
}

func (f *fragment) checkObject(place string, v map[string]any) error {
	for _, name := range f.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s: %s is missing", place, name)
		}
	}
	if f.Additional == nil {
		return nil // judged by another schema
	}
	for name, value := range v {
		property, ok := f.Properties[name]
		if !ok {
			return fmt.Errorf("%s: has an undeclared property", place)
		}
		if err := property.check(place+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}

// kindOf gives the JSON type of a decoded value.
func kindOf(value any) string {
	switch v := value.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if _, err := v.Int64(); err != nil {
			return "number"
		}
		return "integer"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}
