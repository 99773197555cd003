package telemetry

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the catalogue into docs/telemetry.md")

// TestTheDocumentationHasTheCatalogue compares docs/telemetry.md with the types.
func TestTheDocumentationHasTheCatalogue(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "telemetry.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- catalogue: go test ./internal/telemetry -update -->\n", "<!-- end of catalogue -->"
	before, rest, ok := strings.Cut(string(data), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the catalogue", path)
	}
	want := "\n" + markdown() + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("the catalogue in %s is not that of the types; write it with: go test ./internal/telemetry -update\n%s", path, cmp.Diff(got, want))
	}
}

// TestEveryEventIsInTheCatalogue finds events that were declared and not listed.
func TestEveryEventIsInTheCatalogue(t *testing.T) {
	source, err := os.ReadFile("events.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t(\w+) struct \{\n\t\tevent `).FindAllStringSubmatch(string(source), -1)
	listed := map[string]bool{}
	for _, e := range catalogue {
		listed[reflect.TypeOf(e).Name()] = true
		schemaOf(about(e, "name")) // panics on a field that is no value class
		if about(e, "name") == "" || about(e, "when") == "" || about(e, "why") == "" {
			t.Errorf("%T does not say what it is", e)
		}
	}
	if len(declared) != len(catalogue) {
		t.Errorf("%d events are declared, %d are listed", len(declared), len(catalogue))
	}
	for _, d := range declared {
		if !listed[d[1]] {
			t.Errorf("%s is not listed", d[1])
		}
	}
}

func TestOnlyValueClassesCanBeReported(t *testing.T) {
	for name, value := range map[string]any{
		"text": struct {
			A string `json:"a" doc:"x"`
		}{},
		"fraction": struct {
			A float64 `json:"a" doc:"x"`
		}{},
		"anything": struct {
			A any `json:"a" doc:"x"`
		}{},
		"map": struct {
			A map[string]bool `json:"a" doc:"x"`
		}{},
		"undocumented": struct {
			A Count `json:"a"`
		}{},
		"bytes": struct {
			A []byte `json:"a" doc:"x"`
		}{},
		"text by point": struct {
			A *string `json:"a" doc:"x"`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			describe(reflect.TypeOf(value))
		})
	}
}

// TestErrorCodesAreThoseOfTheDocumentation looks for codes of the page.
func TestErrorCodesAreThoseOfTheDocumentation(t *testing.T) {
	if n := len(documentedCodes()); n < 100 {
		t.Errorf("there are %d codes", n)
	}
	for _, code := range []string{"yaml-syntax", "unknown-component", "tracing-several", "no-model"} {
		if Named[ErrorCode](code).String() != code {
			t.Errorf("the error code %s is not on the list", code)
		}
	}
}

// TestRandomEventsKeepToTheirSchema fills events with whatever their constructors
// make of random text.
func TestRandomEventsKeepToTheirSchema(t *testing.T) {
	const marker = "zqjvx"
	r := rand.New(rand.NewPCG(1, 2))
	context := newContext(Decision{settings: fakeSettings(t, nil)}, os.DirFS(t.TempDir()))
	for range 100 {
		for _, e := range catalogue {
			v := reflect.New(reflect.TypeOf(e)).Elem()
			fill(r, v, marker)
			id := NewID()
			_, report, err := encode(v.Interface().(Event), &id, context, time.Unix(r.Int64N(4e9), 0))
			if err != nil {
				t.Fatalf("%T: %v", e, err)
			}
			if strings.Contains(string(report), marker) {
				t.Fatalf("%T lets text through: %s", e, report)
			}
		}
	}
}

// fill sets a value to random content, text by way of the constructors.
func fill(r *rand.Rand, v reflect.Value, marker string) {
	if v.CanAddr() {
		switch p := v.Addr().Interface().(type) {
		case *Count:
			*p = r.IntN(2_000_000)
			return
		case *ID:
			*p = NewID()
			return
		case *Hash:
			*p = *hashOf(marker)
			return
		case *Ratio:
			*p = RatioOf(r.Float64()*3 - 1)
			return
		}
	}
	if v.Kind() == reflect.Struct && v.NumField() == 1 && v.Type().Field(0).Name == "word" {
		setWord(r, v, marker)
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), marker)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(30), 30))
		for i := range v.Len() {
			fill(r, v.Index(i), marker)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(r, v.Field(i), marker)
			}
		}
	}
}

// setWord names a random text, sometimes one that is on the list.
func setWord(r *rand.Rand, v reflect.Value, marker string) {
	switch p := v.Addr().Interface().(type) {
	case *Component:
		*p = Named[Component]([]string{marker, "rasa." + marker, "DIETClassifier", "DIETClassifier\n" + marker}[r.IntN(4)])
	case *Model:
		*p = Named[Model]([]string{marker, "gpt-4", "gpt-4" + marker}[r.IntN(3)])
	case *ErrorCode:
		*p = Named[ErrorCode]([]string{marker, "yaml-syntax", ""}[r.IntN(3)])
	case *Language:
		*p = Named[Language]([]string{marker, "en", "EN", ""}[r.IntN(4)])
	case *Channel:
		*p = Named[Channel]([]string{marker, "rest", "module." + marker}[r.IntN(3)])
	}
}

// TestALargeReportIsNotKept: a project with very many components would make one.
func TestALargeReportIsNotKept(t *testing.T) {
	var many TrainingStarted
	for range 2 * maxItems {
		many.Pipeline = append(many.Pipeline, Item{Name: Named[Component]("rasa.core.policies.unexpected_intent_policy.UnexpecTEDIntentPolicy")})
	}
	many.Policies = many.Pipeline
	context := newContext(Decision{settings: fakeSettings(t, nil)}, os.DirFS(t.TempDir()))
	if _, report, err := encode(many, nil, context, time.Now()); err == nil {
		t.Errorf("a report of %d bytes is kept", len(report))
	}
}

// TestALongListIsCut: the rest of a report is of use, and a receiver takes no longer one.
func TestALongListIsCut(t *testing.T) {
	id := NewID()
	many := TrainingStarted{TrainingID: NewID(), Pipeline: make(List[Item], 3*maxItems)}
	_, data, err := encode(many, &id, newContext(Decision{settings: fakeSettings(t, nil)}, os.DirFS(t.TempDir())), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	report, err := Accept(data)
	if err != nil {
		t.Fatal(err)
	}
	properties := report["properties"].(map[string]any)
	list := properties["pipeline"].([]any)
	properties["pipeline"] = append(list, list[0])
	if len(list) != maxItems || Validate(report) == nil {
		t.Errorf("%d items are reported; one more is allowed: %v", len(list), Validate(report) == nil)
	}
}

// TestNamesAndSharesAreCoarse: what is on no list is custom, and a share is in tenths.
func TestNamesAndSharesAreCoarse(t *testing.T) {
	if got := Named[Component]("my.secret.Component").String(); got != "custom" {
		t.Errorf("the name of a component is %s", got)
	}
	id := NewID()
	_, data, err := encode(TrainingDataSplit{Fraction: RatioOf(0.8123)}, &id, newContext(Decision{settings: fakeSettings(t, nil)}, os.DirFS(t.TempDir())), time.Now())
	if err != nil || !strings.Contains(string(data), `"fraction":0.8,`) {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := Accept([]byte(strings.Replace(string(data), `"fraction":0.8,`, `"fraction":0.8123,`, 1))); err == nil {
		t.Error("a share with more digits is accepted")
	}
}

// TestWhatTheSchemaDoesNotAllowIsNotKept: a count that went wrong.
func TestWhatTheSchemaDoesNotAllowIsNotKept(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	if err := r.keep(occurrence{MarkersExtracted{TrackersCount: -1}, noon}); err == nil || len(outcomes(t, r)) > 0 {
		t.Errorf("%v, %v", err, outcomes(t, r))
	}
}

// TestValidateRefusesWhatIsNotDeclared changes valid reports.
func TestValidateRefusesWhatIsNotDeclared(t *testing.T) {
	valid := func() map[string]any {
		id := NewID()
		_, data, err := encode(ShellStarted{Type: Named[TrainingType]("nlu")}, &id, newContext(Decision{settings: fakeSettings(t, nil)}, os.DirFS(t.TempDir())), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		report, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if err := Validate(valid()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(report, properties, context map[string]any){
		"unknown event":       func(r, _, _ map[string]any) { r["event"] = "Message Sent" },
		"another event":       func(r, _, _ map[string]any) { r["event"] = "Training Completed" },
		"more at the top":     func(r, _, _ map[string]any) { r["text"] = "hello" },
		"more properties":     func(_, p, _ map[string]any) { p["text"] = "hello" },
		"more context":        func(_, _, c map[string]any) { c["ip"] = "10.0.0.1" },
		"missing property":    func(_, p, _ map[string]any) { delete(p, "type") },
		"word off the list":   func(_, p, _ map[string]any) { p["type"] = "hello" },
		"text for a number":   func(_, _, c map[string]any) { c["cpu"] = "8" },
		"yes for a number":    func(_, _, c map[string]any) { c["cpu"] = true },
		"yes for a word":      func(_, p, _ map[string]any) { p["type"] = true },
		"a fraction":          func(_, _, c map[string]any) { c["cpu"] = 1.5 },
		"below zero":          func(_, _, c map[string]any) { c["cpu"] = -1.0 },
		"null":                func(_, p, _ map[string]any) { p["type"] = nil },
		"an object":           func(_, p, _ map[string]any) { p["type"] = map[string]any{} },
		"no identifier":       func(r, _, _ map[string]any) { r["userId"] = "me@example.com" },
		"a line after an id":  func(r, _, _ map[string]any) { r["userId"] = strings.Repeat("a", 32) + "\n" },
		"a long company":      func(_, _, c map[string]any) { c["company"] = strings.Repeat("x", 500) },
		"another message id":  func(r, _, _ map[string]any) { r["messageId"] = "1" },
		"a time with a place": func(r, _, _ map[string]any) { r["timestamp"] = "2026-11-21T12:00:00+01:00" },
	} {
		report := valid()
		change(report, report["properties"].(map[string]any), report["context"].(map[string]any))
		if Validate(report) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestSchemasAreClosed looks at what is published.
func TestSchemasAreClosed(t *testing.T) {
	for _, name := range append(EventNames(), "envelope") {
		data, err := json.Marshal(Schema(name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if id := "urn:loquat:telemetry:1:" + strings.ReplaceAll(strings.ToLower(name), " ", "-"); m["$id"] != id || m["additionalProperties"] != false {
			t.Errorf("%s: $id %v, additionalProperties %v", name, m["$id"], m["additionalProperties"])
		}
	}
}

// FuzzValidate holds that no report panics, and that one that is accepted has
// nothing but what the schema lists.
func FuzzValidate(f *testing.F) {
	id := NewID()
	_, seed, err := encode(ShellStarted{}, &id, Context{}, time.Now())
	if err == nil {
		f.Add(seed)
	}
	f.Add([]byte(`{"event":"Shell Started","properties":{"type":["nlu"]}}`))
	f.Add([]byte(`{"event":"Training Started","properties":{"pipeline":[{"name":1e999}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if report, err := Decode(data); err == nil && Validate(report) == nil {
			if len(report) != 7 {
				t.Errorf("accepted %s", data)
			}
		}
	})
}
