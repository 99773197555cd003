//go:build ignore

// This program packs the data of jieba 0.42.1 (https://pypi.org/project/jieba/0.42.1)
// into data.bin, whose format unpack describes. It takes the folder "jieba" of the
// unpacked distribution:
//
//	go run gen.go path/to/jieba
package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checksums are those of the distribution's files.
var checksums = map[string]string{
	"dict.txt":              "7197c3211ddd98962b036cdf40324d1ea2bfaa12bd028e68faa70111a88e12a8",
	"finalseg/prob_emit.py": "27d46b1c9efe4dd148fde8be042a21be40e3562d0c7f1273f9de7abae12ebb8d",
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run gen.go path/to/jieba")
	}
	var out []byte
	out = appendWords(out, read("dict.txt"))
	out = appendEmissions(out, read("finalseg/prob_emit.py"))
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := w.Write(out); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("data.bin", b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

func read(name string) string {
	data, err := os.ReadFile(filepath.Join(os.Args[1], filepath.FromSlash(name)))
	if err != nil {
		log.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != checksums[name] {
		log.Fatalf("%s has the checksum %s, not %s", name, got, checksums[name])
	}
	return string(data)
}

// appendWords packs lines of a word, its frequency and its part of speech. Of a
// word that comes twice the later frequency counts, and both are in the total.
func appendWords(out []byte, text string) []byte {
	frequency, total := map[string]uint64{}, uint64(0)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		n, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			log.Fatal(err)
		}
		frequency[fields[0]] = n
		total += n
	}
	out = binary.AppendUvarint(out, uint64(len(frequency)))
	out = binary.AppendUvarint(out, total)
	words := slices.Sorted(maps.Keys(frequency))
	var own, text2, frequencies []byte
	previous := ""
	for _, w := range words {
		shared := 0
		for shared < min(len(w), len(previous)) && w[shared] == previous[shared] {
			shared++
		}
		out = binary.AppendUvarint(out, uint64(shared))
		own = binary.AppendUvarint(own, uint64(len(w)-shared))
		text2 = append(text2, w[shared:]...)
		frequencies = binary.AppendUvarint(frequencies, frequency[w])
		previous = w
	}
	return slices.Concat(out, own, text2, frequencies)
}

// appendEmissions packs the logarithms of a character's probability in each
// state, which the distribution writes as a table of numbers: {'B': {'x': -3.1, …
func appendEmissions(out []byte, text string) []byte {
	state := regexp.MustCompile(`'([BMES])': \{`)
	entry := regexp.MustCompile(`'\\u([0-9a-f]{4})': (-[0-9.e+]+)`)
	tables := map[string]map[uint64]float64{}
	starts := state.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		until := len(text)
		if i+1 < len(starts) {
			until = starts[i+1][0]
		}
		table := map[uint64]float64{}
		for _, m := range entry.FindAllStringSubmatch(text[at[1]:until], -1) {
			r, _ := strconv.ParseUint(m[1], 16, 32)
			p, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				log.Fatal(err)
			}
			table[r] = p
		}
		tables[text[at[2]:at[3]]] = table
	}
	for _, name := range []string{"B", "M", "E", "S"} {
		table := tables[name]
		fmt.Println("state", name, "characters", len(table))
		out = binary.AppendUvarint(out, uint64(len(table)))
		characters, previous := slices.Sorted(maps.Keys(table)), uint64(0)
		for _, r := range characters {
			out = binary.AppendUvarint(out, r-previous)
			previous = r
		}
		for _, r := range characters {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(table[r]))
		}
	}
	return out
}
