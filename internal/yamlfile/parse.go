package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/diag"
)

// Limits on what one file may hold. They stop an accident or an attack early
// and are far above what a real project needs.
const (
	MaxSize    = 64 << 20 // bytes
	MaxDepth   = 512      // nesting of lists and maps
	MaxNodes   = 20 << 20 // values
	MaxAliased = 1 << 20  // values that aliases stand for
)

// Read parses the file at path. Positions carry the name display. The result is
// nil for an empty file and for one that can't be read as YAML; what is wrong
// is then on the list.
func Read(path, display string, problems *diag.List) *Node {
	data := ReadBytes(path, display, problems)
	if data == nil {
		return nil
	}
	return Parse(data, display, problems)
}

// ReadBytes reads a file that is not too large; the result is nil when it can't
// be read.
func ReadBytes(path, display string, problems *diag.List) []byte {
	f, err := os.Open(path)
	if err != nil {
		problems.Errorf(diag.Position{File: display}, "unreadable-file", "", "the file can't be read: %v", reason(err))
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() > MaxSize {
		problems.Add(tooLarge(display))
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1)) // a pipe tells no size
	switch {
	case err != nil:
		problems.Errorf(diag.Position{File: display}, "unreadable-file", "", "the file can't be read: %v", reason(err))
		return nil
	case len(data) > MaxSize:
		problems.Add(tooLarge(display))
		return nil
	}
	return data
}

func tooLarge(display string) diag.Problem {
	return diag.Problem{Pos: diag.Position{File: display}, Code: "file-too-large", Hint: "split it into several files",
		Message: fmt.Sprintf("the file is larger than %d MiB", MaxSize>>20)}
}

// reason is the error of the operating system without the path.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Parse is Read for text that is in memory already.
func Parse(data []byte, display string, problems *diag.List) *Node {
	if !acceptable(data, display, problems) {
		return nil
	}
	data = decodeEscapes(data)
	if len(data) > pieceSize {
		if root, ok := parsePieces(data, display, pieceSize); ok {
			return root
		}
	}
	return parseWhole(newBuilder(display, problems), data, display, problems)
}

// ParseForeign is Parse for text that came over a network: names of environment
// variables stay as they stand, since their values are no business of the sender.
func ParseForeign(data []byte, display string, problems *diag.List) *Node {
	if !acceptable(data, display, problems) {
		return nil
	}
	b := newBuilder(display, problems)
	b.lookup = nil
	return parseWhole(b, decodeEscapes(data), display, problems)
}

// acceptable reports whether data is UTF-8 text that is not too large.
func acceptable(data []byte, display string, problems *diag.List) bool {
	if len(data) > MaxSize {
		problems.Add(tooLarge(display))
		return false
	}
	if pos, ok := firstInvalid(data); ok {
		pos.File = display
		problems.Errorf(pos, "invalid-encoding", "save the file as UTF-8 text", "the file is not UTF-8 text")
		return false
	}
	return true
}

// parseWhole reads a document at once, with a builder of its own.
func parseWhole(b *builder, data []byte, display string, problems *diag.List) *Node {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		problems.Add(syntaxProblem(err, display))
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		problems.Errorf(diag.Position{File: display, Line: second.Line, Column: second.Column}, "yaml-syntax",
			"remove the line --- and what belongs to another file", "not valid here: a second document in one file")
		return nil
	} else if !errors.Is(err, io.EOF) {
		problems.Add(syntaxProblem(err, display))
		return nil
	}
	if len(document.Content) == 0 {
		return nil
	}
	b.source = bytes.Split(data, []byte("\n"))
	root := b.build(document.Content[0], 0)
	if b.failed {
		return nil
	}
	return root
}

// firstInvalid finds the first NUL byte or invalid UTF-8 sequence.
func firstInvalid(data []byte) (diag.Position, bool) {
	at := bytes.IndexByte(data, 0)
	if at < 0 && utf8.Valid(data) {
		return diag.Position{}, false
	}
	if at < 0 {
		for at = 0; at < len(data); {
			r, size := utf8.DecodeRune(data[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
	}
	line := bytes.Count(data[:at], []byte("\n")) + 1
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return diag.Position{Line: line, Column: utf8.RuneCount(data[start:at]) + 1}, true
}

func syntaxProblem(err error, display string) diag.Problem {
	p := diag.Problem{
		Pos:     diag.Position{File: display},
		Code:    "yaml-syntax",
		Message: err.Error(),
		Hint:    "check indentation, quotes and brackets around this place",
	}
	if load, ok := errors.AsType[*yaml.LoadError](err); ok {
		p.Pos.Line, p.Pos.Column = load.Mark.Line, load.Mark.Column
		p.Message = load.Message
	}
	p.Message = fmt.Sprintf("not valid YAML: %s", p.Message)
	return p
}
