package jieba

import "math"

// The states of the hidden Markov model: a character begins a word, is in the
// middle of it, ends it, or is one by itself.
const (
	begin = iota
	middle
	end
	single
)

// never is the logarithm that stands for what does not happen.
const never = -3.14e100

// The parameters of jieba 0.42.1, beside the emissions in data.bin.
var (
	initial = [4]float64{
		begin: -0.26268660809250016, middle: never, end: never, single: -1.4652633398537678,
	}
	transition = [4][4]float64{ // from, to
		begin:  {end: -0.510825623765990, middle: -0.916290731874155},
		middle: {end: -0.33344856811948514, middle: -1.2603623820268226},
		end:    {begin: -0.5897149736854513, single: -0.8085250474669937},
		single: {begin: -0.7211965654669841, single: -0.6658631448798212},
	}
	// before are the states that a state may follow; of equally probable ones the
	// last in the order of the letters B, E, M, S counts, so it comes first.
	before = [4][2]int{begin: {single, end}, middle: {middle, begin}, end: {middle, begin}, single: {single, end}}
)

// cutUnknown cuts text that no word of the dictionary fits: Han characters by
// the model, numbers and Latin letters where they end.
func (s *segmenter) cutUnknown(run []rune, yield func([]rune)) {
	for len(run) > 0 {
		n := 0
		for n < len(run) && isHan(run[n]) {
			n++
		}
		if n > 0 {
			s.cutHan(run[:n], yield)
			run = run[n:]
			continue
		}
		if n = number(run); n == 0 {
			for n < len(run) && !isHan(run[n]) && !isAlphanumeric(run[n]) {
				n++
			}
		}
		yield(run[:n])
		run = run[n:]
	}
}

// number gives the length of the letters and digits that a text begins with,
// with a decimal part and a percent sign behind them.
func number(run []rune) int {
	n := 0
	for n < len(run) && isAlphanumeric(run[n]) {
		n++
	}
	if n == 0 {
		return 0
	}
	if n+1 < len(run) && run[n] == '.' && isDigit(run[n+1]) {
		for n++; n < len(run) && isDigit(run[n]); n++ {
		}
	}
	if n < len(run) && run[n] == '%' {
		n++
	}
	return n
}

// cutHan cuts where the most probable sequence of states says that words end.
// Words that users want apart are yielded by character.
func (s *segmenter) cutHan(run []rune, yield func([]rune)) {
	states := s.standard.viterbi(run)
	from := 0
	for i, state := range states {
		if state != end && state != single && i+1 < len(run) {
			continue
		}
		word := run[from : i+1]
		from = i + 1
		if s.apart[string(word)] {
			for j := range word {
				yield(word[j : j+1])
			}
			continue
		}
		yield(word)
	}
}

// viterbi gives the most probable state of each character; the last ends a word.
// Time O(n), n > 0.
// Source: Rabiner 1989, "A Tutorial on Hidden Markov Models".
func (d *dictionary) viterbi(run []rune) []uint8 {
	from := make([][4]uint8, len(run)) // the state before, for each state
	var score [4]float64
	for state := range score {
		score[state] = initial[state] + d.emits(state, run[0])
	}
	for i := 1; i < len(run); i++ {
		var next [4]float64
		for state := range next {
			emits := d.emits(state, run[i])
			next[state] = math.Inf(-1)
			for _, b := range before[state] {
				if p := score[b] + transition[b][state] + emits; p > next[state] {
					next[state], from[i][state] = p, uint8(b)
				}
			}
		}
		score = next
	}
	states := make([]uint8, len(run))
	state := uint8(single)
	if score[end] > score[single] {
		state = end
	}
	for i := len(run) - 1; i >= 0; i-- {
		states[i] = state
		state = from[i][state]
	}
	return states
}

func (d *dictionary) emits(state int, r rune) float64 {
	if p, ok := d.emission[state][r]; ok {
		return p
	}
	return never
}
