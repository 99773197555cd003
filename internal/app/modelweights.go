package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/safefile"
)

// PackedWeights is a weights file that was written.
type PackedWeights struct {
	Bytes   int
	File    string // SHA-256 of the file, in hexadecimal digits, as sha256sum prints it
	Weights string // that of the weights alone, which models name: weights_sha256
}

// PackModelWeights makes the file of a folder with an encoder's published weights.
func PackModelWeights(folder, file, name string) (PackedWeights, error) {
	written, err := os.Stat(file)
	for _, source := range []string{"config.json", "vocab.txt", "model.safetensors"} {
		if info, missing := os.Stat(filepath.Join(folder, source)); err == nil && missing == nil && os.SameFile(info, written) {
			return PackedWeights{}, fmt.Errorf("%s is one of the files to be packed; name another file", file)
		}
	}
	data, err := sentence.Pack(folder, name)
	if err != nil {
		return PackedWeights{}, err
	}
	encoder, err := sentence.Open(string(data))
	if err != nil {
		return PackedWeights{}, fmt.Errorf("read what was packed: %w", err)
	}
	digest := sha256.Sum256(data)
	return PackedWeights{len(data), hex.EncodeToString(digest[:]), encoder.Fingerprint()}, safefile.Replace(file, data, 0o644, false)
}
