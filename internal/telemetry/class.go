package telemetry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// class is a kind of value that a report can hold. Besides classes there are
// bool, pointers (which may be null), and structs and lists of classes; describe
// refuses every other type.
//
// The text inside of a class can't be set from outside: a constructor checks it.
type class interface {
	json.Marshaler
	class() fragment
}

// Count is a number of things; below zero counts as zero.
type Count int

// MarshalJSON writes the number.
func (c Count) MarshalJSON() ([]byte, error) { return json.Marshal(max(0, int(c))) }

func (Count) class() fragment {
	zero := 0
	return fragment{Type: types{"integer"}, Minimum: &zero, name: "count"}
}

// Seconds is a time span in whole seconds, truncated.
type Seconds struct{ Count }

// SecondsOf truncates a time span.
func SecondsOf(d time.Duration) Seconds { return Seconds{Count(d / time.Second)} }

// Ratio is a share from 0 to 1, in tenths.
type Ratio struct{ tenths int }

// RatioOf rounds a share.
func RatioOf(share float64) Ratio { return Ratio{int(math.Round(min(max(share, 0), 1) * 10))} }

// MarshalJSON writes the share with one decimal.
func (r Ratio) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(r.tenths)/10, 'g', -1, 64), nil
}

func (Ratio) class() fragment {
	zero, one := 0, 1
	return fragment{Type: types{"number"}, Minimum: &zero, Maximum: &one, MultipleOf: 0.1, name: "ratio"}
}

// list is a closed list of words. The last one stands for every other word.
type list interface{ words() []string }

// Word is one word of a closed list.
type Word[L list] struct{ word string }

// Of returns the word s if the list has it.
func (Word[L]) Of(s string) Word[L] {
	var l L
	if slices.Contains(l.words(), s) {
		return Word[L]{s}
	}
	return Word[L]{}
}

// Named returns the word s of a closed list, or what the list has for others.
func Named[W interface{ Of(string) W }](s string) W {
	var w W
	return w.Of(s)
}

// NamedOrNull is Named, and null for the empty word.
func NamedOrNull[W interface{ Of(string) W }](s string) *W {
	if s == "" {
		return nil
	}
	w := Named[W](s)
	return &w
}

// String gives the word.
func (w Word[L]) String() string {
	if w.word != "" {
		return w.word
	}
	var l L
	words := l.words()
	return words[len(words)-1]
}

// MarshalJSON writes the word.
func (w Word[L]) MarshalJSON() ([]byte, error) { return json.Marshal(w.String()) }

func (w Word[L]) class() fragment {
	var l L
	return fragment{Type: types{"string"}, Enum: &enum{words: l.words()}, name: listNameOf(l)}
}

// List holds values of a class, at most maxItems of them.
type List[T any] []T

const maxItems = 64

// MarshalJSON writes the first maxItems values.
func (l List[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]T{}, l[:min(len(l), maxItems)]...))
}

// matched is a text that follows a pattern. Only this package makes one.
type matched struct{ text string }

// MarshalJSON writes the text.
func (m matched) MarshalJSON() ([]byte, error) { return json.Marshal(m.text) }

func pattern(name, p string) fragment {
	return fragment{Type: types{"string"}, Pattern: p, match: regexp.MustCompile(p), name: name}
}

// ID is a random identifier (uuid4 as 32 hex digits).
type ID struct{ matched }

const idPattern = "^[0-9a-f]{32}$"

func (ID) class() fragment { return pattern("id", idPattern) }

// NewID returns an identifier from the system's random numbers.
func NewID() ID { return ID{matched{strings.ReplaceAll(uuid4(), "-", "")}} }

func uuid4() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// messageID identifies one report, so that a receiver knows it again.
type messageID struct{ matched }

func (messageID) class() fragment {
	return pattern("message id", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
}

// Hash is the HMAC-SHA-256 of something under a secret that never leaves the
// machine, or for the organisation's licence key its SHA-256.
type Hash struct{ matched }

func (Hash) class() fragment { return pattern("hash", "^[0-9a-f]{64}$") }

func hashOf(text string) *Hash {
	sum := sha256.Sum256([]byte(text))
	return &Hash{matched{hex.EncodeToString(sum[:])}}
}

// Version is up to three numbers, such as 6.1.0.
type Version struct{ matched }

func (Version) class() fragment { return pattern("version", `^[0-9]+(\.[0-9]+){0,2}$`) }

var leadingVersion = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9}){0,2}`)

// versionOf keeps the leading numbers of a text, "0" if there are none.
func versionOf(text string) Version {
	if v := leadingVersion.FindString(text); v != "" {
		return Version{matched{v}}
	}
	return Version{matched{"0"}}
}

// Release is the version of a released product, or "dev".
type Release struct{ matched }

func (Release) class() fragment { return pattern("release", `^(dev|[0-9]+(\.[0-9]+){2})$`) }

func releaseOf(text string) Release {
	if leadingVersion.FindString(text) == text && strings.Count(text, ".") == 2 {
		return Release{matched{text}}
	}
	return Release{matched{"dev"}}
}

// moment is a time in UTC, to the second.
type moment struct{ matched }

func (moment) class() fragment {
	return pattern("time", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`)
}

func momentOf(t time.Time) moment { return moment{matched{t.UTC().Format("2006-01-02T15:04:05Z")}} }

// Organisation is the name that an operator set on purpose (telemetry.company).
// It is the only text in a report that somebody chose.
type Organisation struct{ matched }

const maxOrganisation = 200

func (Organisation) class() fragment {
	return fragment{Type: types{"string"}, MaxLength: maxOrganisation, name: "organisation"}
}
