package yamlfile

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// MarshalJSON writes the node with the keys of maps in file order. Numbers that
// are no whole numbers keep their point, as in Python's JSON; dates are strings.
// JSON has no infinity; null stands for it.
func (n *Node) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := n.writeJSON(&b)
	return b.Bytes(), err
}

func (n *Node) writeJSON(b *bytes.Buffer) error {
	if n.IsNull() {
		b.WriteString("null")
		return nil
	}
	switch n.Kind {
	case Bool:
		b.WriteString(strconv.FormatBool(n.Flag))
	case Int:
		b.WriteString(strconv.FormatInt(n.Int(), 10))
	case Float:
		if f := n.Float(); math.IsInf(f, 0) || math.IsNaN(f) {
			b.WriteString("null")
		} else {
			b.WriteString(pystr.Float(f))
		}
	case List:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := item.writeJSON(b); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case Map:
		b.WriteByte('{')
		for i, p := range n.Pairs {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeString(b, p.Key.Text); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := p.Value.writeJSON(b); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		return writeString(b, n.Text)
	}
	return nil
}

func writeString(b *bytes.Buffer, s string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder's line end
	return nil
}
