package lexicalsyntactic

import (
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// Values of features that are either so or not, spelled as Python does.
const (
	yes = "True"
	no  = "False"
)

func boolean(b bool) string {
	if b {
		return yes
	}
	return no
}

// flags are the features that tell how a token is written.
var flags = map[string]func(pystr.Case) bool{
	"low":   func(c pystr.Case) bool { return c.Lower },
	"title": func(c pystr.Case) bool { return c.Title },
	"upper": func(c pystr.Case) bool { return c.Upper },
	"digit": func(c pystr.Case) bool { return c.Digit },
}

// extractors give the features that are a part of a token.
var extractors = map[string]func(nlu.Token) string{
	"prefix2": func(t nlu.Token) string { return pystr.First(t.Text, 2) },
	"prefix5": func(t nlu.Token) string { return pystr.First(t.Text, 5) },
	"suffix1": func(t nlu.Token) string { return pystr.Last(t.Text, 1) },
	"suffix2": func(t nlu.Token) string { return pystr.Last(t.Text, 2) },
	"suffix3": func(t nlu.Token) string { return pystr.Last(t.Text, 3) },
	"suffix5": func(t nlu.Token) string { return pystr.Last(t.Text, 5) },
	"pos":     func(t nlu.Token) string { return partOfSpeech(t.POS) },
	"pos2":    func(t nlu.Token) string { return partOfSpeech(pystr.First(t.POS, 2)) },
}

// featureNames lists all features in alphabetical order.
func featureNames() []string {
	names := []string{"BOS", "EOS"}
	names = slices.AppendSeq(names, maps.Keys(flags))
	names = slices.AppendSeq(names, maps.Keys(extractors))
	slices.Sort(names)
	return names
}

func isFeature(name string) bool { return slices.Contains(featureNames(), name) }

// partOfSpeech is what Rasa makes of a token without one: the word None.
func partOfSpeech(pos string) string {
	if pos == "" {
		return "None"
	}
	return pos
}
