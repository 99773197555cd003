package telemetry

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
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
	// Count is a number of things, zero or more. It is an int, so that plain counts
	// become a part of an event in one conversion.
	Count = int

	// Ratio is a share from 0 to 1, in tenths.
	Ratio float64

	// ID is a random identifier (uuid4 as 32 hex digits).
	ID struct{ matched }

	// Hash is the HMAC-SHA-256 of something under a secret that never leaves the
	// machine, or for the organisation's licence key its SHA-256.
	Hash struct{ matched }

	// Version is up to three numbers, such as 6.1.0, or "dev" for a development version
	// of the program.
	Version struct{ matched }

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

// MarshalText gives the text for JSON.
func (m matched) MarshalText() ([]byte, error) { return []byte(m.text), nil }

const (
	idPattern       = "^[0-9a-f]{32}$"
	hashPattern     = "^[0-9a-f]{64}$"
	versionPattern  = `^(dev|[0-9]+(\.[0-9]+){0,2})$`
	maxOrganisation = 200
)

// classes are the schemas of the classes; the title is for people.
var classes = sync.OnceValue(func() map[reflect.Type]fragment {
	text := func(title, pattern string) fragment {
		return fragment{Type: []string{"string"}, Title: title, Pattern: pattern, match: regexp.MustCompile(pattern)}
	}
	return map[reflect.Type]fragment{
		reflect.TypeFor[bool]():         {Type: []string{"boolean"}, Title: "yes or no"},
		reflect.TypeFor[Count]():        {Type: []string{"integer"}, Title: "count", Minimum: new(0)},
		reflect.TypeFor[Ratio]():        {Type: []string{"number"}, Enum: []any{0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}},
		reflect.TypeFor[ID]():           text("id", idPattern),
		reflect.TypeFor[Hash]():         text("hash", hashPattern),
		reflect.TypeFor[Version]():      text("version", versionPattern),
		reflect.TypeFor[Organisation](): {Type: []string{"string"}, Title: "organisation", MaxLength: maxOrganisation},
		reflect.TypeFor[MessageID]():    text("message id", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
		reflect.TypeFor[moment]():       text("time", "^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"),
		reflect.TypeFor[Event]():        {Type: []string{"object"}, Title: "object"}, // each has a schema of its own
	}
})

// List holds values of a class, of which the first maxItems are reported.
type List[T any] []T

const maxItems = 64

// MarshalJSON writes a JSON array, of no list an empty one.
func (l List[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]T{}, l[:min(len(l), maxItems)]...))
}

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

// releaseOf is the version of a program, "dev" if it is not a released one.
func releaseOf(text string) Version {
	if !regexp.MustCompile(versionPattern).MatchString(text) {
		text = "dev"
	}
	return Version{matched{text}}
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

// MarshalText gives the word for JSON.
func (w word[W]) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

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
	if t == reflect.TypeFor[ErrorCode]() {
		return append(documentedCodes(), lists()[t.Name()]...)
	}
	return lists()[t.Name()]
}

//go:embed words.txt
var wordsText string

// lists are those of words.txt by the name of their type, and the names of events.
var lists = sync.OnceValue(func() map[string][]any {
	out := map[string][]any{}
	for _, name := range EventNames() {
		out["eventName"] = append(out["eventName"], name)
	}
	for _, paragraph := range strings.Split(strings.TrimSpace(wordsText), "\n\n") {
		name, words, _ := strings.Cut(paragraph, ":\n")
		for w := range strings.SplitSeq(strings.ReplaceAll(words, "\n", " "), ", ") {
			if i := strings.LastIndex(w, "."); i >= 0 && name == "Component" {
				out[name] = append(out[name], w[i+1:])
			}
			out[name] = append(out[name], w)
		}
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
