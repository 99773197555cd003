// Package golden compares Loquat with recordings of the real Rasa 3.6.21, file by
// file: equal, different, or not covered yet.
package golden
