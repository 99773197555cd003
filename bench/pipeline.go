package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/diet"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/logistic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/languagemodel"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// dataSet is one of the public sets: text, intent, and the text with its
// entities marked, in columns.
type dataSet struct {
	name                           string
	train, valid, test, outOfScope []nludata.Example // valid may be nil
}

func readSet(dir, name string) (dataSet, error) {
	s := dataSet{name: name}
	var err error
	if s.train, err = readExamples(filepath.Join(dir, name, "train.tsv")); err != nil {
		return s, err
	}
	if s.test, err = readExamples(filepath.Join(dir, name, "test.tsv")); err != nil {
		return s, err
	}
	for file, into := range map[string]*[]nludata.Example{"valid.tsv": &s.valid, "oos_test.tsv": &s.outOfScope} {
		if *into, err = readExamples(filepath.Join(dir, name, file)); err != nil && !os.IsNotExist(err) {
			return s, err
		}
	}
	return s, nil
}

func readExamples(file string) ([]nludata.Example, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []nludata.Example
	lines := bufio.NewScanner(f)
	lines.Scan() // the header
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) < 2 {
			return nil, fmt.Errorf("%s: a line without an intent", file)
		}
		e := nludata.Example{Text: columns[0], Intent: columns[1]}
		if len(columns) > 2 {
			if e.Text, e.Entities, err = nludata.ParseAnnotated(columns[2]); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
		out = append(out, e)
	}
	return out, lines.Err()
}

// pipeline is a trained pipeline of components.
type pipeline struct {
	nodes []nlu.Processor
}

type step struct {
	of  graph.Type
	set graph.Config
}

// trainPipeline trains Rasa's default pipeline with the given classifier, and with
// the sentence encoder if meaning is set, each component on what the ones before made
// of the data.
func trainPipeline(ctx context.Context, examples []nludata.Example, classifier string, meaning bool, logger *slog.Logger) (*pipeline, error) {
	steps := []step{
		{whitespace.Type(), nil},
		{regexfeaturizer.Type(), nil},
		{lexicalsyntactic.Type(), nil},
		{countvectors.Type(), nil},
		{countvectors.Type(), graph.Config{"analyzer": "char_wb", "min_ngram": int64(1), "max_ngram": int64(4)}},
	}
	if meaning {
		steps = append(steps, step{languagemodel.Type(), nil})
	}
	if classifier == "DIETClassifier" {
		steps = append(steps, step{diet.Type(), graph.Config{"epochs": int64(100), "constrain_similarities": true}})
	} else {
		steps = append(steps, step{logistic.Type(), nil})
	}
	data := nlu.NewTrainingData(&nludata.TrainingData{Examples: examples}, nlu.Labels{})
	p := &pipeline{}
	for i, s := range steps {
		env := graph.Env{NodeName: fmt.Sprintf("%s%d", s.of.Name, i), Logger: logger, Threads: runtime.GOMAXPROCS(0)}
		config := maps.Clone(s.of.Defaults)
		maps.Copy(config, s.set)
		component, err := s.of.Build(env, config, nil)
		if err != nil {
			return nil, err
		}
		if t, ok := component.(nlu.Trainer); ok {
			if err := t.Train(ctx, data); err != nil {
				return nil, err
			}
		}
		if t, ok := component.(nlu.TrainingProcessor); ok {
			if data, err = t.ProcessTrainingData(ctx, data); err != nil {
				return nil, err
			}
		}
		p.nodes = append(p.nodes, component.(nlu.Processor))
	}
	return p, nil
}

func (p *pipeline) parse(ctx context.Context, text string) (*nlu.Message, error) {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	for _, n := range p.nodes {
		if err := n.Process(ctx, []*nlu.Message{m}); err != nil {
			return nil, err
		}
	}
	return m, nil
}
