package jieba

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// What gen.go makes of jieba 0.42.1's files.
func TestDataIsUnchanged(t *testing.T) {
	sum := sha256.Sum256(packed)
	if got := hex.EncodeToString(sum[:]); got != "8d70b98525ea51fc9a0cad91ac253eb6cf2357c7a1e186c173a09f804ef43998" {
		t.Errorf("data.bin has the checksum %s", got)
	}
	d, err := unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(d.frequency); n != 349_045 || d.total != 60_101_967 {
		t.Errorf("%d words, total %v", n, d.total)
	}
	for i := 1; i < len(d.frequency); i++ {
		if bytes.Compare(d.word(i-1), d.word(i)) >= 0 {
			t.Fatalf("%s stands before %s", d.word(i-1), d.word(i))
		}
	}
}

func TestBrokenDataIsAnError(t *testing.T) {
	for _, data := range []string{"", "\x01", "\x01\x05\x03\x01a\x01", "\x02\x05\x00\x00\x01\x01ab\x01", "\xff\xff\xff\xff\x0f\x01", "\x01\x05\x00\x01a\x01\xff\xff\xff\x0f"} {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, flate.BestSpeed)
		_, _ = w.Write([]byte(data))
		_ = w.Close()
		if _, err := unpack(b.Bytes()); err == nil {
			t.Errorf("%q was accepted", data)
		}
	}
	if _, err := unpack(packed[:len(packed)/2]); err == nil {
		t.Error("half of the data was accepted")
	}
}

func BenchmarkUnpack(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := unpack(packed); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever a user dictionary says, texts are cut into all of their characters.
func FuzzUserDictionary(f *testing.F) {
	for _, s := range []string{"云计算 5\n创新办 3 i\n", "今天天气 0\n\ufeff好用", "a b 99999999999999999999999 n\r\n", " 3", "中 \n中国 0 x"} {
		f.Add(s, "李小福是创新办主任也是云计算方面的专家，今天天气好用")
	}
	d, err := standard()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, dictionary, text string) {
		s := &segmenter{words{standard: d, total: d.total}}
		if s.addAll([]byte(dictionary)) != nil {
			return
		}
		joined := ""
		s.cut([]rune(text), true, func(piece []rune) { joined += string(piece) })
		if joined != string([]rune(text)) {
			t.Errorf("%q with %q became %q", text, dictionary, joined)
		}
	})
}
