package telemetry

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/docs"
)

// A report is made of these classes of values, of the closed lists below,
// and of bool, pointers (which may be null), structs and Lists of them; describe
// refuses every other type.
//
// The text inside of a class can't be set from outside: a constructor checks it.
type (
	// Count is a number of things; below zero counts as zero.
	Count int

	// Ratio is a share from 0 to 1, in tenths.
	Ratio float64

	// ID is a random identifier (uuid4 as 32 hex digits).
	ID struct{ matched }

	// Hash is the HMAC-SHA-256 of something under a secret that never leaves the
	// machine, or for the organisation's licence key its SHA-256.
	Hash struct{ matched }

	// Version is up to three numbers, such as 6.1.0.
	Version struct{ matched }

	// Release is the version of a released product, or "dev".
	Release struct{ matched }

	// Organisation is the name that an operator set on purpose (telemetry.company).
	// It is the only text in a report that somebody chose.
	Organisation struct{ matched }

	// MessageID identifies one report, so that a receiver knows it again (uuid4).
	MessageID struct{ matched }

	moment struct{ matched } // in UTC, to the second
)

// matched is a text that follows the pattern of its class. Only this package
// makes one.
type matched struct{ text string }

// String gives the text.
func (m matched) String() string { return m.text }

const (
	idPattern       = "^[0-9a-f]{32}$"
	hashPattern     = "^[0-9a-f]{64}$"
	maxOrganisation = 200
)

// classes are the schemas of the classes.
var classes = sync.OnceValue(func() map[reflect.Type]fragment {
	pattern := func(name, p string) fragment {
		return fragment{Type: []string{"string"}, Pattern: p, match: regexp.MustCompile(p), name: name}
	}
	return map[reflect.Type]fragment{
		reflect.TypeFor[bool]():         {Type: []string{"boolean"}, name: "yes or no"},
		reflect.TypeFor[Count]():        {Type: []string{"integer"}, Minimum: new(0), name: "count"},
		reflect.TypeFor[Ratio]():        {Type: []string{"number"}, Minimum: new(0), Maximum: new(1), MultipleOf: 0.1, name: "ratio"},
		reflect.TypeFor[ID]():           pattern("id", idPattern),
		reflect.TypeFor[Hash]():         pattern("hash", hashPattern),
		reflect.TypeFor[Version]():      pattern("version", `^[0-9]+(\.[0-9]+){0,2}$`),
		reflect.TypeFor[Release]():      pattern("release", `^(dev|[0-9]+(\.[0-9]+){2})$`),
		reflect.TypeFor[Organisation](): {Type: []string{"string"}, MaxLength: maxOrganisation, name: "organisation"},
		reflect.TypeFor[MessageID]():    pattern("message id", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
		reflect.TypeFor[moment]():       pattern("time", "^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"),
	}
})

// List holds values of a class, of which the first maxItems are reported.
type List[T any] []T

const maxItems = 64

// RatioOf rounds a share.
func RatioOf(share float64) Ratio { return Ratio(math.Round(min(max(share, 0), 1)*10) / 10) }

// NewID returns an identifier from the system's random numbers.
func NewID() ID { return ID{matched{strings.ReplaceAll(uuid4(), "-", "")}} }

func uuid4() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func hashOf(text string) *Hash {
	sum := sha256.Sum256([]byte(text))
	return &Hash{matched{hex.EncodeToString(sum[:])}}
}

var leadingVersion = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9}){0,2}`)

// versionOf keeps the leading numbers of a text, "0" if there are none.
func versionOf(text string) Version {
	return Version{matched{cmp.Or(leadingVersion.FindString(text), "0")}}
}

func releaseOf(text string) Release {
	if !classes()[reflect.TypeFor[Release]()].match.MatchString(text) {
		text = "dev"
	}
	return Release{matched{text}}
}

func momentOf(t time.Time) moment { return moment{matched{t.UTC().Format("2006-01-02T15:04:05Z")}} }

// Each of these is one word of a closed list of words.txt.
type (
	TrainingType struct{ word[TrainingType] }
	GraphSchema  struct{ word[GraphSchema] }
	Recipe       struct{ word[Recipe] }
	Language     struct{ word[Language] }
	Component    struct{ word[Component] }
	Provider     struct{ word[Provider] }
	Model        struct{ word[Model] }
	Channel      struct{ word[Channel] }
	Backend      struct{ word[Backend] }
	Tracing      struct{ word[Tracing] }
	Metrics      struct{ word[Metrics] }
	Template     struct{ word[Template] }
	DataFormat   struct{ word[DataFormat] }
	Command      struct{ word[Command] }
	Stage        struct{ word[Stage] }
	Strategy     struct{ word[Strategy] }
	ErrorCode    struct{ word[ErrorCode] } // besides those of docs/problems.md
	osName       struct{ word[osName] }
	track        struct{ word[track] }
	eventName    struct{ word[eventName] } // of the catalogue
)

// word is a word of the list of type W; only Named sets its text.
type word[W any] struct{ text string }

// words returns the list. Its last word stands for all others.
func (word[W]) words() []any { return wordsOf(reflect.TypeFor[W]()) }

// String gives the word.
func (w word[W]) String() string {
	words := w.words()
	return cmp.Or(w.text, words[len(words)-1].(string))
}

// Named returns the word s of a closed list, or what the list has for others.
func Named[W ~struct{ word[W] }](s string) W {
	if !slices.Contains(wordsOf(reflect.TypeFor[W]()), any(s)) {
		s = ""
	}
	return W{word[W]{s}}
}

// NamedOrNull is Named, and null for the empty word.
func NamedOrNull[W ~struct{ word[W] }](s string) *W {
	if s == "" {
		return nil
	}
	return new(Named[W](s))
}

// wordsOf returns the closed list of a type.
func wordsOf(t reflect.Type) []any {
	words := lists()[t.Name()]
	switch t {
	case reflect.TypeFor[ErrorCode]():
		return append(documentedCodes(), words...)
	case reflect.TypeFor[eventName]():
		for _, name := range EventNames() {
			words = append(words, name)
		}
	}
	return words
}

//go:embed words.txt
var wordsText string

// lists are those of words.txt by the name of their type.
var lists = sync.OnceValue(func() map[string][]any {
	out := map[string][]any{}
	for _, paragraph := range strings.Split(strings.TrimSpace(wordsText), "\n\n") {
		name, words, _ := strings.Cut(paragraph, ":\n")
		for w := range strings.SplitSeq(strings.ReplaceAll(words, "\n", " "), ", ") {
			if i := strings.LastIndex(w, "."); i >= 0 && name == "Component" {
				out[name] = append(out[name], w[i+1:])
			}
			out[name] = append(out[name], w)
		}
		out[name] = slices.Clip(out[name])
	}
	return out
})

// documentedCodes are those that docs/problems.md lists.
var documentedCodes = sync.OnceValue(func() []any {
	var codes []any
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(docs.Problems, -1) {
		codes = append(codes, row[1])
	}
	return slices.Clip(codes)
})
