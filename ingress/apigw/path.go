package apigw

import (
	"bytes"

	"fanfare/ingress/scan"
)

// segmentsMax is more than any documented path has.
const segmentsMax = 10

// Path is a request path cut at its slashes, each segment percent-encoded as it was received. Views of the
// request, valid until the face's Serve returns.
type Path struct {
	segments [segmentsMax][]byte
	n        int
}

// Parse cuts a path. One slash at the end does not count.
func (p *Path) Parse(path []byte) {
	p.n = 0
	path = bytes.TrimPrefix(path, slash)
	path = bytes.TrimSuffix(path, slash)
	for more := len(path) > 0; more; p.n++ {
		segment := path
		i := bytes.IndexByte(path, '/')
		if more = i >= 0; more {
			segment, path = path[:i], path[i+1:]
		}
		if p.n < segmentsMax {
			p.segments[p.n] = segment
		}
	}
}

// Len is the number of segments.
func (p *Path) Len() int { return p.n }

// At is a segment, empty when the path is shorter.
func (p *Path) At(i int) []byte {
	if i >= p.n || i >= segmentsMax {
		return nil
	}
	return p.segments[i]
}

// Is reports whether a segment is the word.
func (p *Path) Is(i int, word string) bool { return string(p.At(i)) == word }

// Matches reports whether the segments from a place on are those of the pattern, in which "*" stands for
// any one segment and a last "**" for all that follow.
func (p *Path) Matches(from int, pattern string) bool {
	for ; pattern != ""; from++ {
		word := pattern
		if i := indexSlash(pattern); i >= 0 {
			word, pattern = pattern[:i], pattern[i+1:]
		} else {
			pattern = ""
		}
		if word == "**" {
			return true
		}
		if from >= p.n || word != "*" && !p.Is(from, word) {
			return false
		}
	}
	return from == p.n
}

func indexSlash(s string) int {
	for i := range len(s) {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}

var slash = []byte("/")

// Decode returns a segment without its percent-encoding: the segment itself when it has none, else appended
// to dst. It reports false for a broken encoding.
func Decode(dst, segment []byte) (decoded, grown []byte, ok bool) {
	if bytes.IndexByte(segment, '%') < 0 {
		return segment, dst, true
	}
	start := len(dst)
	dst, err := scan.AppendFormPath(dst, segment)
	if err != nil {
		return nil, dst[:start], false
	}
	return dst[start:], dst, true
}

// projectBytes is the length of a project id.
const projectBytes = 32

// ValidProject reports whether the text is a project id: 32 hex digits.
func ValidProject(project []byte) bool {
	if len(project) != projectBytes {
		return false
	}
	for _, c := range project {
		if c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}
