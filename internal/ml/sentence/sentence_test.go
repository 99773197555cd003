package sentence

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func load(t testing.TB, p *published) *Encoder {
	t.Helper()
	e, err := Load(p.write(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func encode(t testing.TB, e *Encoder, texts ...string) [][]float32 {
	t.Helper()
	v, err := e.Encode(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var someTexts = []string{"", "the cats sleep", "dogs, cats", strings.Repeat("the dog ", 300), "unknown words", "the", "cat", "sleep, sleep"}

// Vectors are close to those of 64 bits, for shapes that fill no register too.
func TestVectorsAreThoseOfExactArithmetic(t *testing.T) {
	for _, shape := range [][4]int{{24, 3, 40, 2}, {26, 2, 30, 1}, {64, 4, 96, 3}, {7, 7, 5, 1}} {
		p := newPublished(shape[0], shape[1], shape[2], shape[3])
		e := load(t, p)
		for i, v := range encode(t, e, someTexts...) {
			pieces, _ := e.Tokenize(nil, someTexts[i])
			var ids []int
			for _, piece := range pieces {
				ids = append(ids, int(piece.ID))
			}
			want := p.encode(ids)
			var dot float64
			for k := range want {
				dot += want[k] * float64(v[k])
			}
			if dot < 0.995 {
				t.Errorf("shape %v, %.20q: a cosine of %v", shape, someTexts[i], dot)
			}
		}
	}
}

func TestOtherSpellingsOfTheSameModel(t *testing.T) {
	p := newPublished(24, 3, 40, 2)
	want := encode(t, load(t, p), someTexts...)
	spelled := newPublished(24, 3, 40, 2)
	for name, values := range p.values {
		other := "bert." + strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name)
		delete(spelled.values, name)
		spelled.values[other], spelled.shapes[other] = values, p.shapes[name]
	}
	spelled.vocabulary = strings.ReplaceAll(strings.TrimSuffix(spelled.vocabulary, "\n"), "\n", "\r\n")
	if got := encode(t, load(t, spelled), someTexts...); !equal(got, want) {
		t.Error("other names of tensors and ends of lines give other vectors")
	}
	half := newPublished(24, 3, 40, 2)
	half.extra["model.safetensors"] = string(half.tensors(t, "BF16"))
	got := encode(t, load(t, half), someTexts...)
	for i := range got {
		if d := dot(got[i], want[i]); d < 0.99 {
			t.Errorf("numbers of 16 bits: a cosine of %v", d)
		}
	}
	first := newPublished(24, 3, 40, 2)
	first.extra["1_Pooling/config.json"] = `{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`
	if got := encode(t, load(t, first), someTexts...); equal(got, want) {
		t.Error("the pooling of the model is ignored")
	}
	cased := newPublished(24, 3, 40, 2)
	cased.extra["tokenizer_config.json"] = `{"do_lower_case": false}`
	if v := encode(t, load(t, cased), "the Cat", "the cat"); slices.Equal(v[0], v[1]) {
		t.Error("the model's case is ignored")
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 1.0 / (1 << 24), 0x3555: 0.33325195} {
		if got := half(bits); got != want {
			t.Errorf("half(%#x) = %v, want %v", bits, got, want)
		}
	}
	if v := half(0x7c01); v == v {
		t.Errorf("%v is a number", v)
	}
}

// A vector does not depend on the number of cores, or on what else is encoded.
func TestVectorsDependOnTheTextAlone(t *testing.T) {
	e := load(t, newPublished(24, 3, 40, 2))
	texts := slices.Repeat(someTexts, 5)
	var want [][]float32
	for _, text := range texts {
		want = append(want, encode(t, e, text)[0])
	}
	for _, cores := range []int{1, 2, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		if !equal(encode(t, e, texts...), want) {
			t.Errorf("other vectors on %d cores", cores)
		}
	}
}

func TestPackedWeights(t *testing.T) {
	folder := newPublished(24, 3, 40, 2).write(t)
	data, err := Pack(folder, "small one")
	if err != nil {
		t.Fatal(err)
	}
	again, err := Pack(folder, "small one")
	if err != nil || !slices.Equal(data, again) {
		t.Errorf("packing again gives other bytes (%v)", err)
	}
	file := filepath.Join(t.TempDir(), "weights.bin")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	packed, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(encode(t, packed, someTexts...), encode(t, loaded, someTexts...)) {
		t.Error("a packed file gives other vectors than its folder")
	}
	if packed.Name() != "small one" || loaded.Name() != "small" {
		t.Errorf("names %q and %q", packed.Name(), loaded.Name())
	}
	if _, err := Pack(folder, strings.Repeat("long", 20)); err == nil {
		t.Error("a name was cut in silence")
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	data, err := Pack(newPublished(24, 3, 40, 2).write(t), "small")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(data []byte) []byte
		want   string
	}{
		"empty":         {func([]byte) []byte { return nil }, "not a file of encoder weights"},
		"another file":  {func([]byte) []byte { return make([]byte, 1000) }, "not a file of encoder weights"},
		"cut off":       {func(d []byte) []byte { return d[:len(d)-1] }, "cut off"},
		"longer":        {func(d []byte) []byte { return append(d, 0) }, "changed"},
		"another shape": {func(d []byte) []byte { binary.LittleEndian.PutUint32(d[56:], 28); return d }, "heads"},
		"a giant":       {func(d []byte) []byte { binary.LittleEndian.PutUint32(d[48:], 1<<31); return d }, "at most"},
		"damaged":       {func(d []byte) []byte { d[len(d)-200] ^= 1; return d }, "checksum"},
		"later version": {func(d []byte) []byte { d[84] = 8; return d }, "later version"},
		"no number": {func(d []byte) []byte {
			binary.LittleEndian.PutUint32(d[len(d)-4:], math.Float32bits(float32(math.NaN())))
			return seal(d)
		}, "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "weights.bin")
			if err := os.WriteFile(file, c.change(slices.Clone(data)), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(file); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("the error %v does not say %q and %q", err, file, c.want)
			}
		})
	}
}

// seal puts the right checksum into a changed file.
func seal(data []byte) []byte {
	digest := sha256.Sum256(data[48:])
	copy(data[16:], digest[:])
	return data
}

func TestLongTextsAreCut(t *testing.T) {
	e := load(t, newPublished(24, 3, 40, 2))
	for _, text := range []string{strings.Repeat("the cat sleeps ", 70_000), strings.Repeat("s", 1_000_000), strings.Repeat(" ", 1_000_000), strings.Repeat("\u0301", 500_000)} {
		all, err := e.EncodePieces(context.Background(), []string{text}, 0)
		if err != nil || len(all[0].Pieces) > 254 {
			t.Errorf("%d pieces, %v", len(all[0].Pieces), err)
		}
		if all[0].Cut != (text[0] == 't') {
			t.Errorf("%.5q is cut off: %v", text, all[0].Cut)
		}
	}
}

func TestCancelledEncoding(t *testing.T) {
	e := load(t, newPublished(24, 3, 40, 2))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, texts := range [][]string{{"the cat"}, slices.Repeat(someTexts, 10)} {
		if _, err := e.Encode(ctx, texts); !errors.Is(err, context.Canceled) {
			t.Errorf("%d texts: %v", len(texts), err)
		}
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	e := load(t, newPublished(24, 3, 40, 2))
	to := make([]float32, e.Dim())
	texts := []string{"the cats sleep, dogs sleep"}
	ctx := context.Background()
	if n := testing.AllocsPerRun(20, func() {
		if err := e.EncodeInto(ctx, to, texts); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a text", n)
	}
}

func FuzzOpen(f *testing.F) {
	data, err := Pack(newPublished(8, 2, 8, 1).write(f), "small")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(48), byte(9), uint32(len(data)))
	f.Add(uint32(200), byte('\n'), uint32(len(data)))
	f.Add(uint32(0), byte('l'), uint32(300))
	f.Fuzz(func(t *testing.T, at uint32, value byte, length uint32) {
		changed := slices.Clone(data)[:min(int(length), len(data))]
		if int(at) < len(changed) {
			changed[at] = value
		}
		e, err := OpenTrusted(string(changed))
		if err != nil {
			return
		}
		// Weights that were changed may give no number, which is an error.
		if v, err := e.Encode(context.Background(), []string{"the cats, dogs"}); err == nil && !(dot(v[0], v[0]) > 0.99) {
			t.Errorf("a vector of length %v", dot(v[0], v[0]))
		}
	})
}

func equal(a, b [][]float32) bool {
	return slices.EqualFunc(a, b, func(x, y []float32) bool { return slices.Equal(x, y) })
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
