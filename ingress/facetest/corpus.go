package facetest

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Case is one line of a corpus.
type Case struct {
	Name    string
	Verdict string // what the line says between name and text, empty when it says nothing
	Text    []byte
}

// Corpus reads a file of cases, one a line: a name, perhaps a verdict, and the text as Go strings, each of which may
// be followed by *N for N times. Lines that are empty or begin with '#' are skipped.
func Corpus(t testing.TB, file string) []Case {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		c := Case{Name: name}
		if rest != "" && rest[0] != '"' && rest[0] != '`' {
			c.Verdict, rest, _ = strings.Cut(rest, " ")
		}
		if c.Text, err = corpusText(rest); err != nil {
			t.Fatalf("%s: %s: %v", file, name, err)
		}
		cases = append(cases, c)
	}
	return cases
}

// corpusText puts the strings of a line together.
func corpusText(rest string) ([]byte, error) {
	text := []byte{}
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, err
		}
		part, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		rest = rest[len(quoted):]
		times := 1
		if strings.HasPrefix(rest, "*") {
			number, _, _ := strings.Cut(rest[1:], " ")
			if times, err = strconv.Atoi(number); err != nil {
				return nil, err
			}
			rest = rest[1+len(number):]
		}
		text = append(text, strings.Repeat(part, times)...)
		rest = strings.TrimPrefix(rest, " ")
	}
	return text, nil
}
