package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/evaluate"
)

// keep writes pictures to the folder that LOQUAT_PICTURES names, to be looked at.
func keep(t *testing.T, name string, p *Picture) {
	t.Helper()
	dir := os.Getenv("LOQUAT_PICTURES")
	if dir == "" {
		return
	}
	files, err := Files(name, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

var oddLabels = []string{
	"", "greet", "an_intent_with_a_name_that_is_much_longer_than_anybody_would_want_to_read_on_a_picture", "询问天气", "سؤال", "मौसम पूछना",
	"größe_ändern", "привет", "<&>\"'\x01", "emoji 👍", "é",
}

func oddMatrix() *evaluate.Matrix {
	var pairs []evaluate.Pair
	for i, target := range oddLabels {
		for j, predicted := range oddLabels {
			for range (i*7 + j*3) % 5 * (i + j) {
				pairs = append(pairs, evaluate.Pair{Target: target, Predicted: predicted})
			}
		}
		pairs = append(pairs, evaluate.Pair{Target: target, Predicted: target})
	}
	return evaluate.NewMatrix(pairs)
}

// texts reads the SVG back: all texts, those that are shown when pointed at too.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var out []string
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("the SVG is no XML: %v", err)
		}
		if data, ok := token.(xml.CharData); ok && strings.TrimSpace(string(data)) != "" {
			out = append(out, string(data))
		}
	}
}

// In the SVG every label stands as it is, or shortened with the whole one behind
// it. In the PNG no letter is missing without a word about it.
func TestEveryScriptIsShown(t *testing.T) {
	p := ConfusionMatrix("Intent confusion matrix", oddMatrix())
	keep(t, "odd", p)
	all := strings.Join(texts(t, p.SVG()), "\n")
	for _, label := range oddLabels {
		if label = strings.ReplaceAll(label, "\x01", ""); !strings.Contains(all, label) {
			t.Errorf("the SVG does not have %q", label)
		}
	}
	if strings.Contains(all, "numbered") {
		t.Error("the SVG excuses itself for what it shows")
	}
	plain := map[string]string{}
	for _, s := range p.shapes {
		if s.text != nil {
			plain[s.text.s] = s.text.plain
			if !drawable(s.text.plain) {
				t.Errorf("the PNG has letters that its font lacks: %q", s.text.plain)
			}
		}
	}
	for s, want := range map[string]string{"询问天气": "no. ", "سؤال": "no. ", "मौसम पूछना": "no. ", "привет": "привет", "größe_ändern": "größe_ändern", "": "Labels in scripts"} {
		if !strings.HasPrefix(plain[s], want) {
			t.Errorf("the PNG shows %q for %q, want %q", plain[s], s, want)
		}
	}
}

func TestNoExcuseWhereNoneIsNeeded(t *testing.T) {
	p := ConfusionMatrix("x", evaluate.NewMatrix([]evaluate.Pair{{Target: "a", Predicted: "b"}}))
	for _, s := range p.shapes {
		if s.text != nil && s.text.s != s.text.plain {
			t.Errorf("the PNG shows %q for %q", s.text.plain, s.text.s)
		}
	}
}

// Both files are the same size, and a cell has the colour of its count.
func TestAMatrixIsDrawnWhereItBelongs(t *testing.T) {
	m := evaluate.NewMatrix([]evaluate.Pair{
		{Target: "a", Predicted: "a"}, {Target: "a", Predicted: "a"}, {Target: "a", Predicted: "b"}, {Target: "b", Predicted: "b"},
	})
	p := ConfusionMatrix("t", m)
	data, err := p.PNG()
	if err != nil {
		t.Fatal(err)
	}
	im, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := im.Bounds(); b.Dx() != int(math.Ceil(p.Width)) || b.Dy() != int(math.Ceil(p.Height)) {
		t.Errorf("the picture is %v, want %v by %v", b, p.Width, p.Height)
	}
	found := map[color.RGBA]int{}
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			found[color.RGBAModel.Convert(im.At(x, y)).(color.RGBA)]++
		}
	}
	cell := int(cellSize(2))
	for _, c := range []struct {
		what string
		fill color.RGBA
	}{{"two that are right", darkRight}, {"one that is right", lightRight}, {"one that is wrong", lightWrong}} {
		if n := found[c.fill]; n < cell*cell*3/4 {
			t.Errorf("%s: %d pixels of %v, want about %d", c.what, n, c.fill, cell*cell)
		}
	}
	if n := found[darkWrong]; n > cell*cell/2 { // the legend alone
		t.Errorf("%d pixels of the darkest wrong", n)
	}
}

// A matrix of any size can be looked at: its picture is bounded, and labels don't
// lie on each other.
func TestManyLabels(t *testing.T) {
	for _, n := range []int{1, 2, 9, 17, 41, 81, 150, 400, 1500} {
		m := &evaluate.Matrix{Counts: make([][]int, n)}
		for i := range n {
			m.Labels = append(m.Labels, fmt.Sprintf("intent number %d", i))
			m.Counts[i] = make([]int, n)
			m.Counts[i][i] = i % 37
			m.Counts[i][(i*13+5)%n] += i % 5
		}
		p := ConfusionMatrix("t", m)
		if p.Width > widestMatrix+1000 || p.Height > widestMatrix+1000 {
			t.Errorf("%d labels: %v by %v pixels", n, p.Width, p.Height)
		}
		last := math.Inf(-1)
		for _, s := range p.shapes {
			if s.text == nil || s.text.up || !strings.HasPrefix(s.text.s, "intent number") {
				continue
			}
			if s.text.at.y-last < s.text.size {
				t.Fatalf("%d labels: lines at %v and %v, letters of %v", n, last, s.text.at.y, s.text.size)
			}
			last = s.text.at.y
		}
		if n == 400 {
			keep(t, "many", p)
		}
	}
}

func TestHistogramsCountEveryConfidenceOnce(t *testing.T) {
	counts := countBins([]float64{0, 0.039, 0.04, 0.999, 1, 1.0001, -1, math.NaN(), 0.5})
	if counts[0] != 3 || counts[1] != 1 || counts[12] != 1 || counts[24] != 3 {
		t.Errorf("got %v", counts)
	}
	for _, values := range [][]float64{nil, {1}, {0.1, 0.2, 0.9}} {
		p := Histogram("Entity prediction confidence distribution", values, []float64{0.5})
		all := strings.Join(texts(t, p.SVG()), "\n")
		if want := fmt.Sprintf("Correct (%d)\n", len(values)); !strings.Contains(all, want) {
			t.Errorf("the SVG does not say %q:\n%s", want, all)
		}
		if _, err := p.PNG(); err != nil {
			t.Error(err)
		}
	}
}

// Every curve has its point where it belongs, whatever the order of its points.
func TestCurvesGoThroughTheirMeans(t *testing.T) {
	p := Curves("NLU model comparison", "examples", "F1", []Curve{
		{Name: "a", X: []float64{100, 50}, Y: [][]float64{{0.9, 0.7}, {0.5}}},
		{Name: "配置", X: []float64{100, 50}, Y: [][]float64{{1}, {0, 0.2}}},
		{Name: "empty"},
	})
	keep(t, "curves", p)
	found := map[string]bool{}
	for _, s := range p.shapes {
		if s.text == nil && len(s.points) == 4 && s.points[2].x-s.points[0].x == 7 && s.points[2].y-s.points[0].y == 7 {
			found[fmt.Sprint(s.fill == curveColours[0], s.points[0].x+3, s.points[0].y+3)] = true
		}
	}
	// The plot is 720 by 440 pixels from (96, 60); its axis ends at 120.
	for _, want := range []string{"true 696 148", "true 396 280", "false 696 60", "false 396 456"} {
		if !found[want] {
			t.Errorf("no point %s; there are %v", want, found)
		}
	}
	if all := strings.Join(texts(t, p.SVG()), "\n"); !strings.Contains(all, "配置") || !strings.Contains(all, "empty") {
		t.Errorf("a name is missing: %s", all)
	}
}

func TestAxesEndAtGoodNumbers(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 12: 12, 13: 16, 17: 20, 25: 32, 33: 40, 41: 80, 2668: 3200, 1e6: 1.2e6} {
		if got := niceCeil(n); got != want {
			t.Errorf("the axis of %d ends at %d, want %d", n, got, want)
		}
	}
}

// The same evaluation gives the same bytes.
func TestPicturesAreReproducible(t *testing.T) {
	draw := func() []evaluate.File {
		files, err := Files("x", ConfusionMatrix("t", oddMatrix()))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	a, b := draw(), draw()
	for i := range a {
		if !bytes.Equal(a[i].Data, b[i].Data) {
			t.Errorf("%s differs", a[i].Name)
		}
	}
}

func TestPicturesOfAnEvaluation(t *testing.T) {
	e := &evaluate.Evaluation{Name: "CRFEntityExtractor", What: "Entity", Pairs: []evaluate.Pair{{Target: "a", Predicted: "a"}}}
	for _, c := range []struct {
		right []float64
		want  string
	}{
		{nil, "CRFEntityExtractor_confusion_matrix.png CRFEntityExtractor_confusion_matrix.svg"},
		{[]float64{1}, "CRFEntityExtractor_confusion_matrix.png CRFEntityExtractor_confusion_matrix.svg CRFEntityExtractor_histogram.png CRFEntityExtractor_histogram.svg"},
	} {
		e.Right = c.right
		files, err := Of(e)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
