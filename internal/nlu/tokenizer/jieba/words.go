package jieba

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// words are jieba's dictionary and what users add to it. After that they are
// never changed.
type words struct {
	standard *dictionary
	// own holds the users' words and the beginnings of them, which have
	// frequency 0 unless they are words too.
	own   map[string]float64
	apart map[string]bool // users' words of frequency 0, which are never kept together
	total float64
}

// frequency gives the frequency of a word. known is also true for what a word
// begins with, whose frequency is 0.
func (w *words) frequency(text []rune) (f float64, known bool) {
	if f, known = w.own[string(text)]; known {
		return f, true
	}
	s, depth := w.standard.all(), 0
	for _, r := range text {
		if s = w.standard.narrow(s, depth, r); s.empty() {
			return 0, false
		}
		depth += utf8.RuneLen(r)
	}
	return w.standard.frequencyOf(s, depth), true
}

// startingAt calls found for every word that text begins with: its length and
// its frequency.
func (w *words) startingAt(text []rune, found func(n int, frequency float64)) {
	s, depth := w.standard.all(), 0
	for n, r := range text {
		if !s.empty() {
			s = w.standard.narrow(s, depth, r)
			depth += utf8.RuneLen(r)
		}
		f, own := 0.0, false
		if w.own != nil {
			f, own = w.own[string(text[:n+1])]
		}
		if !own {
			f = w.standard.frequencyOf(s, depth)
		}
		if f > 0 {
			found(n+1, f)
		}
		if s.empty() && !own {
			return
		}
	}
}

// userLine is a line of a user dictionary: a word, which may hold spaces, its
// frequency, and its part of speech.
var userLine = regexp.MustCompile(`^(.+?)( [0-9]+)?( [a-z]+)?$`)

// addAll adds the words of a user dictionary, a word a line.
func (s *segmenter) addAll(file []byte) error {
	if !utf8.Valid(file) {
		return errors.New("not UTF-8")
	}
	for line := range bytes.SplitSeq(file, []byte("\n")) {
		text := strings.TrimLeft(strings.Trim(string(line), " \t\n\r\v\f"), "\ufeff")
		parts := userLine.FindStringSubmatch(text)
		if parts == nil { // an empty line
			continue
		}
		frequency := -1.0
		if parts[2] != "" {
			var err error
			if frequency, err = strconv.ParseFloat(parts[2][1:], 64); err != nil {
				return err
			}
		}
		s.add([]rune(parts[1]), frequency)
	}
	return nil
}

// add adds a word. A negative frequency stands for one that is just high enough
// to keep the word in one piece.
func (s *segmenter) add(word []rune, frequency float64) {
	if frequency < 0 {
		frequency = s.enough(word)
	}
	if s.own == nil {
		s.own = map[string]float64{}
	}
	s.own[string(word)] = frequency
	s.total += frequency
	for i := 1; i < len(word); i++ {
		if _, known := s.frequency(word[:i]); !known {
			s.own[string(word[:i])] = 0
		}
	}
	if frequency == 0 {
		if s.apart == nil {
			s.apart = map[string]bool{}
		}
		s.apart[string(word)] = true
	}
}

// enough is the least frequency that makes a word more probable than the words
// into which it would be cut.
func (s *segmenter) enough(word []rune) float64 {
	f := 1.0
	s.cut(word, false, func(piece []rune) {
		n, known := s.frequency(piece)
		if !known {
			n = 1
		}
		f *= n / s.total
	})
	old, _ := s.frequency(word)
	return max(float64(int64(f*s.total)+1), old)
}
