package engine

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
)

// sealedRecord is the record of a message with the body, with length and checksum as the engine sets them.
func sealedRecord(body []byte) []byte {
	empty := NewMessage()
	defer empty.Release()
	m := NewMessage()
	defer m.Release()
	m.Set(FieldBody, body)
	record := bytes.Clone(m.Record())
	binary.LittleEndian.PutUint32(record[4:], uint32(len(record)-len(empty.Record())))
	binary.LittleEndian.PutUint64(record[16:], xxhash.Sum64(record[24:])^binary.LittleEndian.Uint64(record)*0x9E3779B97F4A7C15)
	return record
}

// FuzzDeadLetter writes dead letters and reads them back: whole, cut at any byte, and with a byte changed, of which
// only the whole one and changes of its head are read.
func FuzzDeadLetter(f *testing.F) {
	f.Add(int64(1_700_000_000_000), uint32(3), uint16(503), "max_attempts", "HTTP 503", []byte("busy"), []byte("order 42 paid"), uint16(0), byte(1))
	f.Add(int64(-1), ^uint32(0), ^uint16(0), strings.Repeat("r", 255), strings.Repeat("f", 255), bytes.Repeat([]byte("a"), 256), []byte{}, uint16(15), byte(255))
	f.Add(int64(0), uint32(0), uint16(0), "", "", []byte{}, []byte{0}, uint16(90), byte(128))
	f.Fuzz(func(t *testing.T, at int64, attempts uint32, status uint16, reason string, failure string, answer, body []byte, place uint16, change byte) {
		d := DeadLetter{Sequence: 7, At: at, Attempts: int(attempts), Status: int(status), Reason: reason[:min(len(reason), 255)], Failure: failure[:min(len(failure), 255)], Answer: answer[:min(len(answer), 1<<16-1)]}
		stored := append(AppendDeadLetterHead(nil, &d), sealedRecord(body)...)
		got, m, err := ParseDeadLetter(7, stored)
		if err != nil {
			t.Fatal(err)
		}
		got.Answer = append([]byte{}, got.Answer...)
		d.Answer = append([]byte{}, d.Answer...)
		if diff := cmp.Diff(d, got); diff != "" || !bytes.Equal(m.Body(), body) {
			t.Errorf("body %q, want %q, and (-written +read):\n%s", m.Body(), body, diff)
		}
		m.Release()

		cut := int(place) % len(stored)
		if _, m, err := ParseDeadLetter(7, stored[:cut]); err == nil {
			m.Release()
			t.Errorf("cut at byte %d of %d it was read", cut, len(stored))
		}
		stored[cut] ^= change
		d, m, err = ParseDeadLetter(7, stored)
		if err != nil {
			return
		}
		defer m.Release()
		if !bytes.Equal(append(AppendDeadLetterHead(nil, &d), m.Record()...), stored) || !bytes.Equal(m.Body(), body) {
			t.Errorf("with byte %d changed by %x it was read as %+v, %q", cut, change, d, m.Body())
		}
	})
}

// FuzzParseDeadLetter reads whatever bytes.
func FuzzParseDeadLetter(f *testing.F) {
	f.Add(append(AppendDeadLetterHead(nil, &DeadLetter{Reason: "refused"}), sealedRecord([]byte("order 42 paid"))...))
	f.Add([]byte{deadLetterVersion})
	f.Add(make([]byte, deadLetterHeadSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, m, err := ParseDeadLetter(7, b)
		if err != nil {
			return
		}
		defer m.Release()
		if again := append(AppendDeadLetterHead(nil, &d), m.Record()...); !bytes.Equal(again, b) {
			t.Errorf("%x came back as %x", b, again)
		}
	})
}
