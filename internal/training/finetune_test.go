package training_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/training"
)

func TestFineTuningStartsFromTheEarlierModel(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	r := request{Dir: dir, MaxBytes: plenty}
	fresh := r.train(t)
	if fresh.Error != "" {
		t.Fatal(fresh.Error)
	}
	write(t, dir, "data/nlu.yml", "- hi there", "- hi there\n    - howdy")
	tune := request{Dir: dir, MaxBytes: plenty, Finetune: filepath.Join(dir, "models"), EpochFraction: 0.5}
	tuned := tune.train(t)
	if tuned.Error != "" {
		t.Fatal(tuned.Error)
	}
	if !slices.Contains(tuned.Ran, diet) {
		t.Errorf("ran %v, want %s among them", tuned.Ran, diet)
	}
	m, err := model.Read(filepath.Join(dir, "models", "m.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	config := m.Metadata.TrainSchema.Node(diet).Config
	if config["epochs"] != int64(3) || config["finetuning_epoch_fraction"] != 0.5 {
		t.Errorf("the train graph has the settings %v, want half of 5 epochs", config)
	}
	if after := (request{Dir: dir, MaxBytes: plenty}).train(t); after.ModelID == tuned.ModelID {
		t.Error("learning from scratch gives the fine-tuned model")
	}
}

// What may change and what may not was asked of Rasa 3.6.21.
func TestFineTuningRefusesAnotherProject(t *testing.T) {
	for _, c := range []struct {
		name, file string
		replace    []string
		want       string // "" for a change that is allowed
	}{
		{"epochs", "config.yml", []string{"epochs: 5", "epochs: 2"}, ""},
		{"a default spelled out", "config.yml", []string{"epochs: 5", "epochs: 5\n  ranking_length: 10"}, ""},
		{"assistant", "config.yml", []string{"assistant_id: ", "assistant_id: another_"}, ""},
		{"response", "domain.yml", []string{"Hello", "Good day"}, ""},
		{"session", "domain.yml", []string{"intents:", "session_config: {session_expiration_time: 5, carry_over_slots_to_new_session: true}\nintents:"}, ""},
		{"example", "data/nlu.yml", []string{"- hi there", "- hi there\n    - howdy"}, ""},
		{"language", "config.yml", []string{"language: en", "language: de"},
			`config.yml: the model can't be fine-tuned: the configuration has changed since it was trained: language was "en" and is "de" [finetuning]`},
		{"setting", "config.yml", []string{"epochs: 5", "epochs: 5\n  ranking_length: 3"},
			"the configuration has changed since it was trained: ranking_length of DIETClassifier was 10 and is 3 [finetuning]"},
		{"component", "config.yml", []string{"- name: EntitySynonymMapper\n", ""},
			"the configuration has changed since it was trained: pipeline: gone: EntitySynonymMapper [finetuning]"},
		{"policy", "config.yml", []string{"- name: RulePolicy", "- name: AugmentedMemoizationPolicy\n- name: RulePolicy"},
			"policies: new: AugmentedMemoizationPolicy"},
		{"intent", "data/nlu.yml", []string{"- intent: bye", "- intent: leave"},
			"intents, entities or actions have come or gone since it was trained: new: intent leave; gone: intent bye [finetuning]"},
		{"entity", "data/nlu.yml", []string{"[Berlin](city)", "[Berlin](town)"}, "have come or gone since it was trained: new: entity town [finetuning]"},
		{"role", "data/nlu.yml", []string{"[Berlin](city)", `[Berlin]{"entity": "city", "role": "to"}`}, "new: role city#to [finetuning]"},
		{"response key", "data/nlu.yml", []string{"- regex: zip", "- intent: faq/hours\n  examples: |\n    - when\n- regex: zip"}, "new: intent faq, response key faq/hours [finetuning]"},
		{"pattern", "data/nlu.yml", []string{"- regex: zip", "- regex: more\n  examples: |\n    - x+\n- regex: zip"}, ""},
		{"action", "data/stories.yml", []string{"- action: utter_booked", "- action: utter_bye"},
			"intents, entities or actions have come or gone since it was trained: gone: action utter_booked [finetuning]"},
		{"slot", "domain.yml", []string{"{type: text", "{type: any"}, "the domain has changed since it was trained, beyond texts: slots: changed"},
		{"response of the domain", "domain.yml", []string{"responses:", "responses:\n  utter_more: [{text: More}]"},
			"the domain has changed since it was trained, beyond texts: responses: new: utter_more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "")
			if got := (request{Dir: dir}).train(t); got.Error != "" {
				t.Fatal(got.Error)
			}
			write(t, dir, c.file, c.replace...)
			got := request{Dir: dir, Finetune: filepath.Join(dir, "models")}.train(t)
			if c.want == "" && got.Error != "" || !strings.Contains(got.Error, c.want) {
				t.Errorf("got %q, want %q", got.Error, c.want)
			}
		})
	}
}

func TestFineTuningNeedsAModel(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	if got := (request{Dir: dir, Finetune: filepath.Join(dir, "models")}).train(t); !strings.Contains(got.Error, "no model found") {
		t.Errorf("got %q", got.Error)
	}
}

func TestACancelledTrainingLeavesNoModel(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	run, err := training.Prepare(request{Dir: dir}.settings())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run.Train(ctx); err == nil {
		t.Error("a cancelled training succeeded")
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "models", "*")); len(found) > 0 {
		t.Errorf("it left %v", found)
	}
}

// What can't be trained is refused at once and as a whole, with places.
func TestUnbuiltComponentsAreRefusedTogether(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "config.yml",
		"- name: EntitySynonymMapper", "- name: EntitySynonymMapper\n- name: MitieNLP\n- name: ConveRTFeaturizer")
	got := request{Dir: dir}.train(t).Error
	for _, want := range []string{
		`config.yml:11:9: the component "MitieNLP" is not built yet [not-built]`,
		`config.yml:12:9: the component "ConveRTFeaturizer" is not built yet [not-built]`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

func TestPartsOfAProject(t *testing.T) {
	for _, c := range []struct {
		part training.Part
		want []string
	}{
		{training.NLU, []string{counts, diet, synonyms, patterns}},
		{training.Core, []string{memory, rules}},
	} {
		dir := t.TempDir()
		write(t, dir, "")
		r := request{Dir: dir, Part: c.part, DryRun: true}
		if got := r.train(t); !slices.Equal(c.want, got.Stale) {
			t.Errorf("part %v would train %v (%s), want %v", c.part, got.Stale, got.Error, c.want)
		}
	}
}
