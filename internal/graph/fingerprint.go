package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Fingerprinted is what an input node gives: a value, and a short text that is
// equal for equal contents as far as they matter to those who need the value.
// Other nodes get the value alone.
type Fingerprinted struct {
	Value any
	Print string
}

// Fingerprint hashes a value by its JSON, whose maps are sorted.
func Fingerprint(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("graph: fingerprint of %T: %v", v, err)) // our own values always encode
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// keyOf is the fingerprint of what a node would give: it depends on the
// component, the version of its code, its settings and the fingerprints of what
// it is given.
func keyOf(n *Node, t *Type, config Config, inputs map[string]string) string {
	parts := []any{n.Uses, t.Version, n.Fn, n.Constructor, spelled(config)}
	for _, parameter := range slices.Sorted(maps.Keys(inputs)) {
		parts = append(parts, parameter, inputs[parameter])
	}
	return Fingerprint(parts)
}
