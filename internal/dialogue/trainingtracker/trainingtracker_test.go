package trainingtracker

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pyrandom"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func generate(t testing.TB, text string, augmentation int) ([]*dialogue.TrainingTracker, string) {
	t.Helper()
	d := &domain.Domain{StoreEntitiesAsSlots: true, Slots: []*domain.Slot{
		{Name: "name", Type: domain.Text, Influences: true, Mappings: []domain.Mapping{{Type: domain.FromEntity, Entity: "name"}}},
	}}
	d.Complete()
	var problems diag.List
	r := story.Reader{Problems: &problems}
	g := r.Read(yamlfile.Parse([]byte(text), "s.yml", &problems))
	c := Defaults()
	c.AugmentationFactor = augmentation
	trackers, err := Generate(context.Background(), g, d, c, &problems)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range problems.All() {
		lines = append(lines, p.Error())
	}
	return trackers, strings.Join(lines, "\n")
}

const cycle = `stories:
- {story: greet, steps: [{intent: greet}, {action: utter_greet}, {checkpoint: ask}]}
- {story: no name, steps: [{checkpoint: ask}, {intent: say, entities: [{name: null}]}, {checkpoint: answer}]}
- {story: name, steps: [{checkpoint: ask}, {intent: say, entities: [{name: Josh}]}, {checkpoint: answer}]}
- {story: bye, steps: [{checkpoint: answer, slot_was_set: [{name: Josh}]}, {action: utter_bye}]}
- {story: again, steps: [{checkpoint: answer, slot_was_set: [{name: null}]}, {action: utter_again}, {checkpoint: ask}]}
`

func TestCyclesAndConditions(t *testing.T) {
	trackers, problems := generate(t, cycle, 0)
	if problems != "" {
		t.Error(problems)
	}
	var names []string
	for _, tr := range trackers {
		names = append(names, fmt.Sprint(tr.Name, " ", len(tr.Blocks)))
	}
	want := []string{"greet > name > bye 3", "greet > no name > again > name > bye 5", "greet > no name > again > name > bye 7"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestUnusedCheckpointsAreReported(t *testing.T) {
	trackers, problems := generate(t, "stories:\n- story: a\n  steps: [{intent: x}, {checkpoint: nowhere}]\n- story: b\n  steps: [{checkpoint: other}, {intent: x}]\n", 0)
	want := `s.yml:3:37: warning: no story starts at checkpoint "nowhere", at which "a" ends [unused-checkpoint]
    hint: start another story with - checkpoint: nowhere, or remove it
s.yml:5:24: warning: no story ends at checkpoint "other", at which "b" starts [unused-checkpoint]
    hint: end another story with - checkpoint: other, or remove it`
	if problems != want {
		t.Errorf("got:\n%s\nwant:\n%s", problems, want)
	}
	if len(trackers) != 1 || trackers[0].Name != "a" {
		t.Errorf("got %d trackers", len(trackers))
	}
}

func TestSamplingFollowsPythonsRandom(t *testing.T) {
	g := generator{random: pyrandom.New(big.NewInt(42))}
	trackers := make([]*dialogue.TrainingTracker, 10)
	for i := range trackers {
		trackers[i] = &dialogue.TrainingTracker{Name: fmt.Sprint(i)}
	}
	var got []string
	for _, tr := range g.sample(trackers, 10) {
		got = append(got, tr.Name)
	}
	if want := strings.Fields("7 3 2 8 5 6 9 4 0 1"); !slices.Equal(got, want) { // random.Random(42).shuffle(list(range(10))), Python 3.11
		t.Errorf("got %v, want %v", got, want)
	}
}

func stories(n int) string {
	var b strings.Builder
	b.WriteString("stories:\n")
	for i := range n {
		fmt.Fprintf(&b, "- story: s%d\n  steps:\n", i)
		for j := range 4 {
			fmt.Fprintf(&b, "  - intent: i%d\n  - action: utter_%d\n", (i*7+j*13)%997, (i+j)%50)
		}
	}
	return b.String()
}

func BenchmarkGenerate10000Stories(b *testing.B) {
	text := stories(10000)
	for b.Loop() {
		generate(b, text, 50)
	}
}

// A row of alternatives has more paths than anything could walk.
func TestPathsAreBounded(t *testing.T) {
	text := "stories:\n- story: s\n  steps:\n"
	for i := range 40 {
		text += fmt.Sprintf("  - or: [{intent: a%d}, {intent: b%d}]\n  - action: utter_%d\n", i, i, i)
	}
	d := &domain.Domain{}
	d.Complete()
	var problems diag.List
	r := story.Reader{Problems: &problems}
	g := r.Read(yamlfile.Parse([]byte(text), "s.yml", &problems))
	c := Config{RemoveDuplicates: true, MostEvents: 5000}
	_, err := Generate(t.Context(), g, d, c, &problems)
	if p, ok := errors.AsType[diag.Problem](err); !ok || p.Code != "too-many-paths" || p.Pos.File != "s.yml" {
		t.Errorf("the error is %v", err)
	}
	g.Blocks = g.Blocks[:3]
	if _, err := Generate(t.Context(), g, d, c, &problems); err != nil {
		t.Error(err)
	}
	c = Defaults()
	c.AugmentationFactor, c.MostEvents = 1_000_000, 5000
	g = r.Read(yamlfile.Parse([]byte(stories(100)), "s.yml", &problems))
	if _, err := Generate(t.Context(), g, d, c, &problems); err == nil || !strings.Contains(err.Error(), "--augmentation") {
		t.Errorf("the error is %v", err)
	}
}
