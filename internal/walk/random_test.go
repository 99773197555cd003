package walk

import (
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// random draws what strangers send.
type random struct{ *rand.Rand }

func newRandom(seed, stream uint64) random { return random{rand.New(rand.NewPCG(seed, stream))} }

// chance is true in so many of a hundred cases.
func (r random) chance(percent int) bool { return r.IntN(100) < percent }

func pick[T any](r random, from []T) T { return from[r.IntN(len(from))] }

// texts are what a message or a value may hold.
var texts = []string{
	"", " ", "x", "Rome", "window", "4", "-1.5", "true", "None", "no thanks", "null", "/", "/greet", "/restart", "{from}", "{{to}}", "{",
	"été", "e\u0301", "👨‍👩‍👧", "\u202e right to left", "\x00", "line\nbreak", `quotes " and '`, "<b>", "EXTERNAL: book", "a/b", "%s", "\ufeff",
	strings.Repeat("long ", 200),
}

// scalar is a JSON value without parts.
func (r random) scalar() any {
	switch r.IntN(9) {
	case 0:
		return nil
	case 1:
		return r.chance(50)
	case 2:
		return r.IntN(10)
	case 3:
		return -r.Float64() * 5
	case 4:
		return pick(r, []float64{1, 4, 1e300, 1e-300, 0.1, 123456789012})
	case 5:
		return json.Number(pick(r, []string{"1e999", "-1e999", "123456789012345678901234567890", "1.0", "-0.0", "1E2", "9007199254740993", "0.1000"}))
	default:
		return pick(r, texts)
	}
}

// value is any JSON value, now and then a deeply nested one.
func (r random) value(depth int) any {
	switch {
	case r.chance(1):
		return nested(r.IntN(150))
	case depth > 3 || r.chance(70):
		return r.scalar()
	case r.chance(50):
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = r.value(depth + 1)
		}
		return list
	default:
		object := map[string]any{}
		for range r.IntN(4) {
			object[pick(r, texts)] = r.value(depth + 1)
		}
		return object
	}
}

func nested(depth int) any {
	var v any = "deep"
	for i := range depth {
		if i%2 == 0 {
			v = []any{v}
		} else {
			v = map[string]any{"d": v}
		}
	}
	return v
}

// received is any JSON value as it comes out of a request.
func (r random) received() any {
	text, err := json.Marshal(r.value(0))
	if err != nil {
		panic(err) // of our own making
	}
	v, err := tracker.DecodeValue(text)
	if err != nil {
		panic(err)
	}
	return v
}

// mostly is a value of the wanted kind, or now and then of another.
func (r random) mostly(v any) any {
	if r.chance(3) {
		return r.value(0)
	}
	return v
}
