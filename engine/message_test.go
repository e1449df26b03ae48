package engine

import (
	"bytes"
	"crypto/md5"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() *Message {
	m := NewMessage()
	m.SetOrigin(OriginSMQ)
	m.SetDeliverAt(7)
	m.SetExpiresAt(9)
	m.Set(FieldTag, []byte("red"))
	m.Set(FieldBody, []byte("order 42 paid"))
	m.AddAttribute([]byte("colour"), []byte("String"), []byte("blue"), false)
	m.AddAttribute([]byte("raw"), []byte("Binary.x"), []byte{0, 1, 2}, true)
	m.Set(FieldSubject, nil)
	m.SumBody()
	m.seal()
	m.setSequence(5)
	return m
}

type attribute struct {
	Name, Type, Value string
	Binary            bool
}

func attributes(m *Message) (all []attribute) {
	for it := m.Attributes(); it.Next(); {
		all = append(all, attribute{string(it.Name), string(it.Type), string(it.Value), it.Binary})
	}
	return all
}

func TestRecordRoundTrip(t *testing.T) {
	m := sample()
	defer m.Release()
	d, err := DecodeMessage(m.Record())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Release()
	if d.ID() != m.ID() || d.Sequence() != 5 || d.Origin() != OriginSMQ || d.PublishedAt() != m.PublishedAt() ||
		d.DeliverAt() != 7 || d.ExpiresAt() != 9 || d.BodyMD5() != md5.Sum([]byte("order 42 paid")) {
		t.Errorf("the header differs: % x", d.Record()[:recordHeaderSize])
	}
	if string(d.Body()) != "order 42 paid" || string(d.Tag()) != "red" {
		t.Errorf("body %q, tag %q", d.Body(), d.Tag())
	}
	if !d.Has(FieldSubject) || len(d.Get(FieldSubject)) != 0 {
		t.Error("the empty subject was lost")
	}
	if d.Has(FieldKeys) || d.Get(FieldKeys) != nil {
		t.Error("a field that was never set is there")
	}
	want := []attribute{{"colour", "String", "blue", false}, {"raw", "Binary.x", "\x00\x01\x02", true}}
	if diff := cmp.Diff(want, attributes(d)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// Every single bit that flips is found: by the checksum, or, in the sequence, by the key that repeats it.
func TestEveryFlippedBitIsFound(t *testing.T) {
	m := sample()
	defer m.Release()
	record := bytes.Clone(m.Record())
	for bit := range len(record) * 8 {
		record[bit/8] ^= 1 << (bit % 8)
		d, err := DecodeMessage(record)
		if err == nil {
			if d.Sequence() == m.Sequence() {
				t.Errorf("bit %d of byte %d flipped unseen", bit%8, bit/8)
			}
			d.Release()
		}
		record[bit/8] ^= 1 << (bit % 8)
	}
}

func TestTruncatedRecordIsRefused(t *testing.T) {
	m := sample()
	defer m.Release()
	for n := range m.Record() {
		if d, err := DecodeMessage(m.Record()[:n]); err == nil {
			d.Release()
			t.Errorf("a record of %d bytes cut to %d was accepted", m.Size(), n)
		}
	}
}

func TestDiscardDropsTheOpenField(t *testing.T) {
	m := NewMessage()
	defer m.Release()
	m.Set(FieldTag, []byte("red"))
	size := m.Size()
	m.Discard(append(m.Begin(FieldBody), "half"...))
	if m.Size() != size || m.Has(FieldBody) {
		t.Errorf("size %d, want %d; body %q", m.Size(), size, m.Body())
	}
	m.Set(FieldBody, []byte("whole"))
	if string(m.Body()) != "whole" {
		t.Errorf("body %q", m.Body())
	}
}

func TestIDForms(t *testing.T) {
	m := NewMessage()
	defer m.Release()
	m.SetID(MessageID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10})
	f := func(got []byte, want string) {
		t.Helper()
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(m.ID().AppendUUID(nil), "01234567-89ab-cdef-fedc-ba9876543210")
	f(m.ID().AppendHexLower(nil), "0123456789abcdeffedcba9876543210")
	f(m.ID().AppendHexUpper(nil), "0123456789ABCDEFFEDCBA9876543210")
}

func TestReleasedMessagePanics(t *testing.T) {
	f := func(name string, misuse func(m *Message)) {
		t.Helper()
		m := &Message{buf: make([]byte, recordHeaderSize)} // not the pool's: it must not come back damaged
		defer func() {
			if recover() == nil {
				t.Errorf("%s of a released message did not panic", name)
			}
		}()
		misuse(m)
	}
	f("Retain", (*Message).Retain)
	f("Release", (*Message).Release)
}

func FuzzDecodeMessage(f *testing.F) {
	m := sample()
	f.Add(bytes.Clone(m.Record()))
	f.Add([]byte{})
	f.Add(make([]byte, recordHeaderSize))
	m.Release()
	f.Fuzz(func(t *testing.T, record []byte) {
		d, err := DecodeMessage(record)
		if err != nil {
			return
		}
		defer d.Release()
		if !bytes.Equal(d.Record(), record) {
			t.Error("decoding changed the record")
		}
		attributes(d)
	})
}

// A record whose checksum is right may still come from a broken writer: its fields must not run out of it.
func FuzzDecodeFields(f *testing.F) {
	m := sample()
	f.Add(bytes.Clone(m.Record()[recordHeaderSize:]))
	m.Release()
	f.Fuzz(func(t *testing.T, fields []byte) {
		m := NewMessage()
		defer m.Release()
		m.buf = append(m.buf, fields...)
		m.seal()
		d, err := DecodeMessage(m.Record())
		if err != nil {
			return
		}
		defer d.Release()
		for field := FieldBody; field < fieldSingles; field++ {
			d.Get(field)
		}
		attributes(d)
	})
}
