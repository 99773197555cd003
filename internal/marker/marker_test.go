package marker_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/marker"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// find reads markers and applies them to events in JSON; of each session it gives
// the event and turn of each point by the name of the marker.
func find(t *testing.T, markers string, events []json.RawMessage) []map[string][][2]int {
	t.Helper()
	var problems diag.List
	ms := marker.Parse([]byte(markers), "markers.yml", &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var list []tracker.Event
	for _, data := range events {
		e, err := tracker.UnmarshalStored(data)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	var out []map[string][][2]int
	for _, s := range marker.Find("c", list, ms) {
		found := map[string][][2]int{}
		for i, points := range s.Points {
			found[ms[i].Name] = [][2]int{}
			for _, p := range points {
				found[ms[i].Name] = append(found[ms[i].Name], [2]int{p.Event, p.Turns})
			}
		}
		out = append(out, found)
	}
	return out
}

// TestConditionsHoldWhereTheyDoInRasa compares random conditions in random
// sessions with what the marker classes of Rasa 3.6.21 found, built anew for each
// session and with negated=True for negations: its command line forgets negations,
// and a sequence that one session begins goes on in the next.
func TestConditionsHoldWhereTheyDoInRasa(t *testing.T) {
	file, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	markers := 0
	for lines.Scan() {
		var r struct {
			Events  []json.RawMessage
			Markers map[string]any
			Want    map[string][][2]int
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		text := yamlfile.Of(r.Markers).YAML(0)
		got := find(t, text, r.Events)
		if diff := cmp.Diff([]map[string][][2]int{r.Want}, got); diff != "" {
			t.Errorf("%s\n%s\n(-want +got)\n%s", lines.Bytes(), text, diff)
		}
		markers += len(r.Want)
	}
	if err := lines.Err(); err != nil || markers < 400 {
		t.Errorf("%d markers compared, %v", markers, err)
	}
}

func events(text string) []json.RawMessage {
	var out []json.RawMessage
	for word := range strings.FieldsSeq(text) {
		var e string
		switch kind, name, _ := strings.Cut(word, ":"); kind {
		case "start":
			e = `{"event":"action","name":"action_session_start"}`
		case "user":
			e = `{"event":"user","text":"t","parse_data":{"intent":{"name":"` + name + `"}}}`
		default:
			e = `{"event":"action","name":"` + name + `"}`
		}
		out = append(out, json.RawMessage(e))
	}
	return out
}

func TestEachSessionIsLookedAtByItself(t *testing.T) {
	const markers = `
in_order:
  seq:
  - intent: a
  - intent: b
first:
  at_least_once:
  - intent: b
no_b:
  never:
  - intent: b
`
	type found = map[string][][2]int
	none := [][2]int{}
	for _, c := range []struct {
		name, events string
		want         []found
	}{
		{"nothing", "", nil},
		{"no start", "user:a action:x user:b user:b", []found{{"in_order": {{2, 1}}, "first": {{2, 1}}, "no_b": none}}},
		{"events before the first start don't count", "user:a user:b start user:b", []found{{"in_order": none, "first": {{3, 0}}, "no_b": none}}},
		{"a sequence ends with its session", "start user:a start user:b", []found{
			{"in_order": none, "first": none, "no_b": {{0, 0}}}, {"in_order": none, "first": {{3, 0}}, "no_b": none},
		}},
		{"a sequence begins anew", "start user:a user:b user:b user:a action:x user:b", []found{
			{"in_order": {{2, 1}, {6, 4}}, "first": {{2, 1}}, "no_b": none},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, find(t, markers, events(c.events))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFoldersAreRead(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"m/b.yml": "b: {intent: x}", "m/a.yaml": "a: {intent: x}", "m/sub/c.yml": "c: {intent: x}", "m/notes.txt": "nothing",
	} {
		write(t, name, text)
	}
	var problems diag.List
	var names []string
	for _, m := range marker.Read("m", &problems) {
		names = append(names, m.Name)
	}
	if err := problems.Err(); err != nil || strings.Join(names, " ") != "a b c" {
		t.Errorf("%v %v", names, err)
	}

	write(t, "m/sub/d.yml", "b: {intent: y}")
	if err := os.Mkdir("empty", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"m", "empty", "missing"} {
		marker.Read(path, &problems)
	}
	want := `empty: there are no markers: no YAML file is here [missing-file]
    hint: name the file, or a folder of such files: --config
m/sub/d.yml:1:1: the marker "b" is defined at m/b.yml:1:1 already [duplicate-key]
    hint: give it another name
missing: there are no markers: no YAML file is here [missing-file]
    hint: name the file, or a folder of such files: --config`
	if diff := cmp.Diff(want, problems.Err().Error()); diff != "" {
		t.Error(diff)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if i := strings.LastIndex(name, "/"); i > 0 {
		if err := os.MkdirAll(name[:i], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMeasure(t *testing.T) {
	ms := marker.Parse([]byte("a: {intent: x}\nb: {and: [{or: [{intent: x}, {intent: y}, {action: z}]}, {intent: x}]}"), "m.yml", &diag.List{})
	if depth, width := marker.Measure(ms); depth != 3 || width != 3 {
		t.Errorf("depth %d, width %d", depth, width)
	}
}

func TestCSVQuotesAsPythonDoes(t *testing.T) {
	got := string(marker.Table{{"a", "b c"}, {" d", "e,f"}, {`g"h`, "i\nj"}, {"", "ä"}}.CSV())
	if want := "a,b c\r\n d,\"e,f\"\r\n\"g\"\"h\",\"i\nj\"\r\n,ä\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzMarkers makes sure that any text is read, or refused with reasons that stand
// in the file, and that what is read can be applied.
func FuzzMarkers(f *testing.F) {
	for _, seed := range []string{
		"a: {intent: x}", "a:\n  seq:\n  - intent: x\n  - not:\n    - slot_was_set: s\n", "a: {never: [{at_least_one_not: [{action: x}]}]}",
		"a: {description: d, and: []}", "- a", "a: {not: [{}, 5]}", "and: {}", "~: {intent: x}", "a: &x {and: [*x]}", "a: {intent: x, action: y}",
	} {
		f.Add(seed)
	}
	session := events("start user:x action:x user:y")
	f.Fuzz(func(t *testing.T, text string) {
		var problems diag.List
		ms := marker.Parse([]byte(text), "markers.yml", &problems)
		if len(ms) == 0 && !problems.HasErrors() {
			t.Error("no markers, and no reason")
		}
		for _, p := range problems.All() {
			if p.Pos.File != "markers.yml" || p.Message == "" {
				t.Errorf("problem without a place or a text: %+v", p)
			}
		}
		if len(ms) == 0 {
			return
		}
		var list []tracker.Event
		for _, data := range session {
			e, err := tracker.UnmarshalStored(data)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e)
		}
		for _, s := range marker.Find("c", list, ms) {
			for _, points := range s.Points {
				for i, p := range points {
					if p.Event < 0 || p.Event >= len(list) || i > 0 && p.Event <= points[i-1].Event {
						t.Errorf("points %v", points)
					}
				}
			}
		}
	})
}
