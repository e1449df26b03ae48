package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

// profileBytesMax bounds one profile, and what it unpacks to.
const profileBytesMax = 64 << 20

// fetchProfile gets a profile of a running server.
func fetchProfile(ctx context.Context, client *http.Client, admin, path string, seconds int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+profilePath(path, seconds), http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, profileBytesMax))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("profile %s: status %d: %s", path, res.StatusCode, excerpt(body))
	}
	return body, nil
}

func profilePath(kind string, seconds int) string {
	return fmt.Sprintf("/debug/pprof/%s?seconds=%d", kind, seconds)
}

// scrubProfile takes the machine's directories out of a profile. It is a gzip-compressed protocol buffer,
//
//	message Profile { ... repeated string string_table = 6; ... }
//
// whose strings are referred to by number, so that they can be changed in place. Left of an absolute path are its
// last two elements for a source file, which is its package, and the last for a program.
func scrubProfile(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, profileBytesMax))
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if raw, err = scrubStrings(raw); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(raw)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

var errProfile = errors.New("bench: the profile is damaged")

// The fields of a Profile are numbers (wire type 0) or have a length (2). A key is the field's number and the type.
const (
	wireNumber     = 0
	wireBytes      = 2
	stringTableKey = 6<<3 | wireBytes
)

func scrubStrings(raw []byte) ([]byte, error) {
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		key, n := binary.Uvarint(raw)
		if n <= 0 {
			return nil, errProfile
		}
		value, m := binary.Uvarint(raw[n:])
		if m <= 0 {
			return nil, errProfile
		}
		length := n + m
		switch key & 7 {
		case wireNumber:
		case wireBytes:
			if value > uint64(len(raw)-length) {
				return nil, errProfile
			}
			length += int(value)
		default:
			return nil, errProfile
		}
		field := raw[:length]
		raw = raw[length:]
		if key != stringTableKey {
			out = append(out, field...)
			continue
		}
		text := scrubPath(string(field[n+m:]))
		out = binary.AppendUvarint(out, key)
		out = binary.AppendUvarint(out, uint64(len(text)))
		out = append(out, text...)
	}
	return out, nil
}

// scrubPath shortens an absolute path, and returns any other string as it is.
func scrubPath(s string) string {
	if !strings.HasPrefix(s, "/") {
		return s
	}
	s = strings.TrimSuffix(s, " (deleted)") // a mapped file that is not there any more
	switch path.Ext(s) {
	case ".go", ".s", ".c", ".h":
		return path.Join(path.Base(path.Dir(s)), path.Base(s))
	default:
		return path.Base(s)
	}
}
