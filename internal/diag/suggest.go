package diag

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean returns a hint that names the candidate nearest to name, or "" when
// none is near.
func DidYouMean(name string, candidates []string) string {
	if best, ok := Nearest(name, candidates); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}

// Nearest returns the candidate with the smallest edit distance to name,
// provided that it is near enough to be a slip of the pen: at most a third of
// the name's length, and at most 3. Ties go to the first in alphabetical order.
func Nearest(name string, candidates []string) (string, bool) {
	candidates = slices.Sorted(slices.Values(candidates))
	limit := max(1, min(3, len([]rune(name))/3))
	best, bestDistance := "", limit+1
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != "" && bestDistance <= limit
}

// editDistance is the Levenshtein distance in code points.
func editDistance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range ra {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range rb {
			above := row[j+1]
			cost := diagonal
			if x != y {
				cost++
			}
			row[j+1] = min(cost, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(rb)]
}
