package memstore

import (
	"sort"

	"fanfare/engine"
)

const (
	chunkSize = 256 << 10
	freeMax   = 64 // chunks kept for the next use
)

// chunk is a piece of memory that records are appended to.
type chunk struct {
	buf  []byte
	live int // records in it that are not trimmed
}

// entry is one record of a topic.
type entry struct {
	sequence engine.Sequence
	chunk    *chunk // nil: it was deleted
	from, to int
}

// log holds the records of a topic, a ring in the order of the sequences.
type log struct {
	entries []entry // length is a power of two, or 0
	head    int
	len     int
	high    engine.Sequence
}

func (l *log) at(i int) *entry { return &l.entries[(l.head+i)&(len(l.entries)-1)] }

// find returns where the first entry of a sequence, or behind it, is: the length when there is none. Without gaps between
// the sequences, which only the log of a queue can have, that is a subtraction.
func (l *log) find(seq engine.Sequence) int {
	if l.len == 0 || seq <= l.at(0).sequence {
		return 0
	}
	if i := seq - l.at(0).sequence; i < engine.Sequence(l.len) && l.at(int(i)).sequence == seq {
		return int(i)
	}
	return sort.Search(l.len, func(i int) bool { return l.at(i).sequence >= seq })
}

func (l *log) push(e entry) {
	if l.len == len(l.entries) {
		grown := make([]entry, max(8, 2*len(l.entries)))
		for i := range l.len {
			grown[i] = *l.at(i)
		}
		l.entries, l.head = grown, 0
	}
	l.len++
	*l.at(l.len - 1) = e
	l.high = e.sequence
}

func (l *log) pop() entry {
	e := *l.at(0)
	*l.at(0) = entry{}
	l.head = (l.head + 1) & (len(l.entries) - 1)
	l.len--
	return e
}

// append copies a record into the current chunk.
func (s *Store) append(topic engine.TopicID, seq engine.Sequence, record []byte) {
	c := s.current
	if c == nil || len(c.buf)+len(record) > cap(c.buf) {
		c = s.newChunk(len(record))
	}
	from := len(c.buf)
	c.buf = append(c.buf, record...)
	c.live++
	s.bytes += int64(len(record))
	l := s.logs[topic]
	if l == nil {
		l = &log{}
		s.logs[topic] = l
	}
	l.push(entry{seq, c, from, len(c.buf)})
}

func (s *Store) newChunk(size int) *chunk {
	if old := s.current; old != nil && old.live == 0 {
		s.recycle(old)
	}
	switch n := len(s.free); {
	case size > chunkSize:
		s.current = &chunk{buf: make([]byte, 0, size)}
	case n > 0:
		s.current = s.free[n-1]
		s.free = s.free[:n-1]
	default:
		s.current = &chunk{buf: make([]byte, 0, chunkSize)}
	}
	return s.current
}

// release forgets a record.
func (s *Store) release(e entry) {
	if e.chunk == nil {
		return
	}
	s.bytes -= int64(e.to - e.from)
	if e.chunk.live--; e.chunk.live == 0 && e.chunk != s.current {
		s.recycle(e.chunk)
	}
}

func (s *Store) recycle(c *chunk) {
	if cap(c.buf) == chunkSize && len(s.free) < freeMax {
		c.buf = c.buf[:0]
		s.free = append(s.free, c)
	}
}

func (s *Store) trim(topic engine.TopicID, through engine.Sequence) {
	l := s.logs[topic]
	if l == nil {
		return
	}
	for l.len > 0 && l.at(0).sequence <= through {
		s.release(l.pop())
	}
}

// remove forgets one record.
func (s *Store) remove(topic engine.TopicID, seq engine.Sequence) {
	l := s.logs[topic]
	if l == nil {
		return
	}
	i := l.find(seq)
	if i == l.len || l.at(i).sequence != seq {
		return
	}
	s.release(*l.at(i))
	*l.at(i) = entry{sequence: seq}
	for l.len > 0 && l.at(0).chunk == nil {
		l.pop()
	}
}
