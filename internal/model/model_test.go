package model_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/model"
)

func sample(t testing.TB) *model.Model {
	t.Helper()
	m := &model.Model{
		Metadata: model.Metadata{
			Rasa: "3.6.21", TrainingType: 3, NLUTarget: "run_RegexMessageHandler", Domain: json.RawMessage(`{"intents":["greet"]}`),
			PredictSchema: graph.Schema{Nodes: []graph.Node{{
				Name: "nlu_message_converter", Uses: "NLUMessageConverter", Fn: "convert_user_message", Constructor: graph.Load, Eager: true,
				Needs: map[string]string{"messages": "__message__"}, Config: graph.Config{"share": 1.0, "count": int64(1)},
			}}},
		},
		Resources: map[string]graph.Resource{
			"train_A0": {"b.json": []byte("{}"), "a.bin": {0, 1, 2}},
			"train_B1": {"empty": nil},
		},
	}
	if err := m.Seal(); err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t testing.TB, m *model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := model.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAModelSurvivesItsArchive(t *testing.T) {
	want := sample(t)
	path := filepath.Join(t.TempDir(), "models", "m.tar.gz")
	if err := model.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := model.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.ModelID != want.ModelID || len(got.ModelID) != 32 {
		t.Errorf("model id %q, want %q", got.ModelID, want.ModelID)
	}
	want.Resources["train_B1"]["empty"] = []byte{}
	if d := cmp.Diff(want.Resources, got.Resources); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want.PredictSchema, got.PredictSchema, cmp.AllowUnexported(graph.Node{})); d != "" {
		t.Errorf("schema (-want +got):\n%s", d)
	}
	if !bytes.Equal(encode(t, want), encode(t, got)) {
		t.Error("writing what was read gives other bytes")
	}
	if err := got.Seal(); err != nil || got.ModelID != want.ModelID {
		t.Errorf("sealing what was read gives the id %q (%v)", got.ModelID, err)
	}
}

func TestTheIDFollowsTheContents(t *testing.T) {
	a, b := sample(t), sample(t)
	if !bytes.Equal(encode(t, a), encode(t, b)) {
		t.Error("equal models give different archives")
	}
	b.Resources["train_A0"]["a.bin"][0] = 9
	if err := b.Seal(); err != nil {
		t.Fatal(err)
	}
	if a.ModelID == b.ModelID {
		t.Error("different models have the same id")
	}
}

func TestTheFileTimeIsThatOfTheSources(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	path := filepath.Join(t.TempDir(), "m.tar.gz")
	if err := model.Write(path, sample(t)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.ModTime().Unix() != 1700000000 {
		t.Errorf("file time %v", info.ModTime())
	}
}

func TestLeftoversOfKilledTrainingsGo(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, ".model-1.partial"), filepath.Join(dir, ".model-2.partial")
	for i, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-1) * 2 * time.Hour)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := model.Write(filepath.Join(dir, "m.tar.gz"), sample(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the old leftover is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a file that may still be written is gone")
	}
}

func TestFindTakesTheNewest(t *testing.T) {
	dir := t.TempDir()
	if _, err := model.Find(dir); !errors.Is(err, model.ErrNone) {
		t.Errorf("an empty folder gave %v", err)
	}
	if _, err := model.Find(filepath.Join(dir, "missing")); !errors.Is(err, model.ErrNone) {
		t.Errorf("a missing folder gave %v", err)
	}
	for i, name := range []string{"old.tar.gz", "new.tar.gz", "newer.zip", ".half.tar.gz"} {
		at := time.Unix(int64(1000+i), 0)
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, want string }{{dir, "new.tar.gz"}, {filepath.Join(dir, "old.tar.gz"), "old.tar.gz"}} {
		got, err := model.Find(c.path)
		if err != nil || filepath.Base(got) != c.want {
			t.Errorf("Find(%s) = %s, %v, want %s", c.path, got, err, c.want)
		}
	}
}

// entry is one entry of a hostile archive.
type entry struct {
	name, data, link string
	kind             byte
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.data)), Typeflag: e.kind, Linkname: e.link, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	_ = zip.Close()
	return b.Bytes()
}

func TestForeignAndHostileArchivesAreRefused(t *testing.T) {
	ours := entry{name: "metadata.json", data: `{"format":"loquat/1","nlu_target":"x"}`}
	for name, c := range map[string]struct {
		data []byte
		code diag.Code
		text string
	}{
		"Rasa 3":       {archive(t, entry{name: "components/train_DIETClassifier5/x.pkl", data: "?"}, entry{name: "metadata.json", data: `{"rasa_open_source_version":"3.6.20"}`}), "foreign-model", "Rasa 3.6.20"},
		"Rasa 2":       {archive(t, entry{name: "./fingerprint.json", data: "{}"}, entry{name: "nlu/metadata.json"}), "foreign-model", "Rasa 2"},
		"later format": {archive(t, entry{name: "metadata.json", data: `{"format":"loquat/9"}`}), "foreign-model", "loquat/9"},
		"no gzip":      {[]byte("hello, this is no archive"), "no-model", "gzip"},
		"no metadata":  {archive(t, entry{name: "a"}), "no-model", "metadata.json"},
		"cut off":      {encode(t, sample(t))[:200], "damaged-model", "unexpected EOF"},
		"parent":       {archive(t, ours, entry{name: "components/x/../../../etc/passwd"}), "damaged-model", "no place"},
		"absolute":     {archive(t, ours, entry{name: "/components/x/y"}), "damaged-model", "no place"},
		"backslash":    {archive(t, ours, entry{name: `components/x/..\y`}), "damaged-model", "no place"},
		"deep":         {archive(t, ours, entry{name: "components/x/y/z"}), "damaged-model", "no place"},
		"link":         {archive(t, ours, entry{name: "components/x/y", kind: tar.TypeSymlink, link: "/etc/passwd"}), "damaged-model", "regular"},
		"twice":        {archive(t, ours, entry{name: "components/x/y"}, entry{name: "components/x/y"}), "damaged-model", "twice"},
		"two metadata": {archive(t, ours, ours), "damaged-model", "twice"},
		"bad json":     {archive(t, entry{name: "metadata.json", data: "{"}), "damaged-model", "JSON"},
	} {
		_, err := model.Decode(bytes.NewReader(c.data))
		ps := diag.Of(err)
		if len(ps) != 1 || ps[0].Code != c.code || !strings.Contains(ps[0].Message, c.text) {
			t.Errorf("%s: got %v, want [%s] with %q", name, err, c.code, c.text)
		}
	}
}

func TestNamesBeginWithTheTime(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 5, 7, 0, time.UTC)
	if name := model.NewName("nlu-", at); !strings.HasPrefix(name, "nlu-20261121-090507-") || strings.Count(name, "-") != 4 {
		t.Errorf("name %q", name)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample(f)))
	f.Add(archive(f, entry{name: "metadata.json", data: `{"format":"loquat/1","train_schema":{"nodes":{"a":{"config":{}}}}}`}, entry{name: "components/a/b", data: "c"}))
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := model.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := model.Decode(bytes.NewReader(encode(t, m)))
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if d := cmp.Diff(m.Resources, again.Resources); d != "" {
			t.Errorf("resources changed:\n%s", d)
		}
	})
}
