// Package crfentity is Rasa's CRFEntityExtractor: a linear-chain conditional
// random field over the tokens of a message that finds entities, and two more
// that see the entities and find their roles and groups. What the fields see of a
// token, and how they are regularised, is the user's to choose. They are the same
// penalised maximum likelihood that Rasa has CRFsuite look for, except that
// transitions between tags that are never neighbours in the data have one weight
// together instead of one each.
package crfentity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

// Config is what config.yml may set for CRFEntityExtractor.
type Config struct {
	BILOU                bool           `json:"BILOU_flag"`
	SplitEntitiesByComma nlu.CommaSplit `json:"split_entities_by_comma"`
	// Features lists what is looked at for each token of a window, whose middle is
	// the token itself.
	Features      [][]string `json:"features"`
	MaxIterations int        `json:"max_iterations"`
	L1            float64    `json:"L1_c"`
	L2            float64    `json:"L2_c"`
	Featurizers   []string   `json:"featurizers"` // whose dense features to use; none means all
}

func defaults() Config {
	return Config{
		BILOU:                true,
		SplitEntitiesByComma: nlu.CommaSplit{Default: true},
		Features: [][]string{
			{"low", "title", "upper"},
			{"low", "bias", "prefix5", "prefix2", "suffix5", "suffix3", "suffix2", "upper", "title", "digit", "pattern"},
			{"low", "title", "upper"},
		},
		MaxIterations: 50,
		L1:            0.1,
		L2:            0.1,
		Featurizers:   []string{},
	}
}

const componentName = "CRFEntityExtractor"

// version goes up whenever the same examples give another model.
const version = 2

// Type describes the component.
func Type() graph.Type {
	return graph.Define(graph.Type{
		Name:      componentName,
		ClassPath: "rasa.nlu.extractors.crf_entity_extractor.CRFEntityExtractor",
		Kinds:     []graph.Kind{graph.EntityExtractor},
		Trainable: true,
		Version:   version,
		Requires:  []string{"Tokenizer"},
		AnyKind:   []string{"split_entities_by_comma"},
		Packages:  []string{"sklearn_crfsuite", "sklearn"},
		Check:     check,
		Fns:       nlu.Fns(),
	}, defaults(), build)
}

func check(config graph.Config) []error {
	c := defaults()
	if err := config.Decode(&c); err != nil {
		return []error{err}
	}
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(len(c.Features)%2 == 0, "features must have an odd number of lists, not %d: the one in the middle is for the word itself", len(c.Features))
	refuse(c.MaxIterations < 1, "max_iterations must be at least 1, not %d", c.MaxIterations)
	refuse(c.L1 < 0, "L1_c must not be negative, but is %v", c.L1)
	refuse(c.L2 < 0, "L2_c must not be negative, but is %v", c.L2)
	return errs
}

// Extractor is a trained or untrained CRFEntityExtractor.
type Extractor struct {
	config  Config
	env     graph.Env
	encoder *encoder
	layers  [tagger.NumLayers]*tagger.Tagger // nil if the data has no such labels
	work    sync.Pool                        // of *scratch
}

// scratch is the work space of one message.
type scratch struct {
	encoder encoderScratch
	lattice [tagger.NumLayers]crf.Lattice
}

func build(env graph.Env, config Config, saved graph.Resource) (any, error) {
	e := &Extractor{config: config, env: env}
	e.encoder = &encoder{window: newWindow(config.Features), origins: config.Featurizers}
	e.work.New = func() any { return &scratch{} }
	// A convex problem has the same answer from any start, so fine-tuning learns
	// it afresh.
	if saved == nil || env.Finetuning {
		return e, nil
	}
	if err := e.load(saved[fileName]); err != nil {
		return nil, fmt.Errorf("read %s: %w", fileName, err)
	}
	return e, nil
}

// Process adds the entities of each message to those it has.
func (e *Extractor) Process(_ context.Context, messages []*nlu.Message) error {
	if e.layers[tagger.Entities] == nil {
		return nil
	}
	s := e.work.Get().(*scratch)
	for _, m := range messages {
		m.Entities = append(m.Entities, e.extract(m, s)...)
		if len(m.Tokens[nlu.Text]) > longMessage { // don't hold on to so much
			s = &scratch{}
		}
	}
	e.work.Put(s)
	return nil
}

// longMessage is how many tokens a message may have for its work space to be
// used again.
const longMessage = 512

func (e *Extractor) extract(m *nlu.Message, s *scratch) []nlu.Entity {
	if len(m.Tokens[nlu.Text]) == 0 {
		return nil
	}
	var found [tagger.NumLayers]nlu.TokenTags
	for l, t := range e.layers {
		if t == nil {
			continue
		}
		x := e.encoder.encode(m, found[tagger.Entities].Tags, &s.encoder)
		found[l] = t.Decode(x, &s.lattice[l])
		if e.config.BILOU {
			nlu.RepairBILOU(found[l].Tags, found[l].Confidence)
		}
		if l == tagger.Entities && !slices.ContainsFunc(found[l].Tags, func(t nlu.Tag) bool { return !t.Outside() }) {
			return nil
		}
	}
	layers := nlu.TagLayers{Entity: found[tagger.Entities], Role: found[tagger.Roles], Group: found[tagger.Groups]}
	entities := nlu.Entities(m.Values[nlu.Text], m.Tokens[nlu.Text], layers, e.config.SplitEntitiesByComma)
	for i := range entities {
		entities[i].Extractor = componentName
	}
	return entities
}

const (
	fileName    = "crf.bin"
	fileKind    = "crf entities"
	fileVersion = 1
)

// Persist writes what was learned (docs/formats/diet.md).
func (e *Extractor) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Hashes(e.encoder.table.Hashes())
	for _, t := range e.layers {
		w.Bool(t != nil)
		if t != nil {
			t.Write(w)
		}
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (e *Extractor) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	table := vocab.NewTable(r.Hashes())
	var layers [tagger.NumLayers]*tagger.Tagger
	for l := range layers {
		if r.Bool() {
			layers[l] = tagger.Read(r, table.Len())
		}
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		return err
	}
	e.encoder.table, e.layers = *table, layers
	return nil
}
