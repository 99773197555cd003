package nlu_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/diet"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/logistic"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/svm"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/crfentity"
	"github.com/loquat-dev/loquat/internal/nlu/selector"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// vectors is a dense featurizer for tests: words of one topic have vectors that
// are almost the same, other words have none. A text is the mean of its words.
type vectors struct{ scale float32 }

var topics = [][]string{
	{"car", "bus", "train", "automobile", "tram", "lorry"},
	{"apple", "bread", "cheese", "mango", "noodles", "soup"},
	{"rain", "snow", "wind", "hail", "thunder", "drizzle"},
	{"rome", "paris", "berlin", "oslo", "madrid", "tunis"},
}

const width = 8

func (v vectors) word(text string) []float32 {
	row := make([]float32, width)
	for t, words := range topics {
		for w, word := range words {
			if word == strings.ToLower(text) {
				row[2*t], row[2*t+1] = v.scale, v.scale*float32(1+w)/10
			}
		}
	}
	return row
}

// featurize adds dense features to the text of a message.
func (v vectors) featurize(m *nlu.Message) {
	mean := make([]float32, width)
	var rows [][]float32
	for _, token := range m.Tokens[nlu.Text] {
		row := v.word(token.Text)
		for k, x := range row {
			mean[k] += x / float32(len(m.Tokens[nlu.Text]))
		}
		rows = append(rows, row)
	}
	m.Features = append(m.Features,
		nlu.Features{Attribute: nlu.Text, Level: nlu.Sequence, Origin: "vectors", Dense: rows},
		nlu.Features{Attribute: nlu.Text, Level: nlu.Sentence, Origin: "vectors", Dense: [][]float32{mean}},
	)
}

func (v vectors) message(text string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = whitespace.Split(text)
	v.featurize(m)
	return m
}

// data has examples with the first three words of each topic. The rest of the
// words is what tests ask about: nothing but their vectors says what they are.
func (v vectors) data(t testing.TB) *nlu.TrainingData {
	t.Helper()
	source := &nludata.TrainingData{}
	for k, frame := range []string{"take me by %s", "i would like some %s", "will there be %s today", "a trip to [%s](city)"} {
		for _, word := range topics[k][:3] {
			for _, before := range []string{"", "hello ", "please "} {
				text, entities, err := nludata.ParseAnnotated(before + fmt.Sprintf(frame, word))
				if err != nil {
					t.Fatal(err)
				}
				intent := fmt.Sprint("topic", k)
				source.Examples = append(source.Examples, nludata.Example{
					Text: text, Intent: intent, IntentResponseKey: intent + "/" + "a", Response: intent, Entities: entities,
				})
			}
		}
	}
	out := nlu.NewTrainingData(source, nlu.Labels{})
	for _, m := range out.Messages {
		m.Tokens[nlu.Text] = whitespace.Split(m.Values[nlu.Text])
		v.featurize(m)
	}
	return out
}

// trained trains a component on dense features and makes it anew from what it
// keeps.
func (v vectors) trained(t testing.TB, of graph.Type, set graph.Config) nlu.Processor {
	t.Helper()
	config := maps.Clone(of.Defaults)
	if config["epochs"] != nil {
		config["epochs"] = int64(60)
	}
	maps.Copy(config, set)
	env := graph.Env{NodeName: of.Name, Logger: slog.New(slog.DiscardHandler), Threads: 2}
	fresh, err := of.Build(env, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.(nlu.Trainer).Train(context.Background(), v.data(t)); err != nil {
		t.Fatal(err)
	}
	saved, err := fresh.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	again, err := of.Build(env, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	return again.(nlu.Processor)
}

func (v vectors) process(t testing.TB, c nlu.Processor, text string) *nlu.Message {
	t.Helper()
	m := v.message(text)
	if err := c.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m
}

// Every classifier learns from dense features what words mean that training
// never saw, whatever numbers the featurizer deals in.
func TestClassifiersLearnFromDenseFeatures(t *testing.T) {
	for _, of := range []graph.Type{diet.Type(), logistic.Type(), svm.Type()} {
		confidence := map[float32]float64{}
		for _, scale := range []float32{0.01, 1, 100} {
			if of.Name == "LogisticRegressionClassifier" && scale < 1 {
				continue // it takes features as they are, as in Rasa: tiny ones are penalised
			}
			v := vectors{scale}
			c := v.trained(t, of, nil)
			for k, words := range topics {
				for _, unseen := range words[3:] {
					m := v.process(t, c, unseen)
					if want := fmt.Sprint("topic", k); m.Intent.Name != want {
						t.Errorf("%s, scale %v: %q is %+v, want %s", of.Name, scale, unseen, m.Intent, want)
					}
					confidence[scale] += m.Intent.Confidence / 12
				}
			}
		}
		if of.Name != "LogisticRegressionClassifier" && (math.Abs(confidence[0.01]-confidence[1]) > 0.02 || math.Abs(confidence[100]-confidence[1]) > 0.02) {
			t.Errorf("%s: the scale of features changes the mean confidence: %v", of.Name, confidence)
		}
	}
}

func TestResponseSelectorLearnsFromDenseFeatures(t *testing.T) {
	v := vectors{10}
	c := v.trained(t, selector.Type(), nil)
	for k, words := range topics {
		entry := v.process(t, c, words[4]).Selector["default"].(map[string]any)["response"].(map[string]any)
		if want := fmt.Sprint("topic", k, "/a"); entry["intent_response_key"] != want {
			t.Errorf("%q is answered with %v, want %s", words[4], entry["intent_response_key"], want)
		}
	}
}

// Only the vector of a word that was never seen says that it is a city.
func TestExtractorsLearnFromDenseFeatures(t *testing.T) {
	for _, c := range []struct {
		of  graph.Type
		set graph.Config
	}{
		{diet.Type(), graph.Config{"epochs": int64(300)}},
		{crfentity.Type(), graph.Config{"features": []any{[]any{}, []any{"bias", "text_dense_features"}, []any{}}}},
	} {
		for _, scale := range []float32{0.1, 10} {
			if c.of.Name == "CRFEntityExtractor" && scale < 1 {
				continue // like LogisticRegressionClassifier
			}
			v := vectors{scale}
			extractor := v.trained(t, c.of, c.set)
			for _, city := range topics[3][3:] {
				m := v.process(t, extractor, "hello "+city)
				if len(m.Entities) != 1 || m.Entities[0].Value != city || m.Entities[0].Entity != "city" {
					t.Errorf("%s, scale %v: %q has the entities %+v", c.of.Name, scale, city, m.Entities)
				}
			}
			for _, other := range topics[0][3:] {
				if m := v.process(t, extractor, "hello "+other); len(m.Entities) != 0 {
					t.Errorf("%s, scale %v: %q has the entities %+v", c.of.Name, scale, other, m.Entities)
				}
			}
		}
	}
}

// Sparse and dense features of one message are used side by side: the settings
// say whose count.
func TestFeaturizersSettingChoosesDenseFeatures(t *testing.T) {
	v := vectors{1}
	for _, c := range []struct {
		featurizers []any
		known       bool
	}{{[]any{"vectors"}, true}, {[]any{"others"}, false}} {
		classifier := v.trained(t, diet.Type(), graph.Config{"featurizers": c.featurizers})
		if m := v.process(t, classifier, "tram"); (m.Intent.Name == "topic0") != c.known {
			t.Errorf("featurizers %v: %+v", c.featurizers, m.Intent)
		}
	}
}
