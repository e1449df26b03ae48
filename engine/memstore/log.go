package memstore

import "fanfare/engine"

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
	chunk    *chunk // nil: it was deleted
	from, to int
}

// log holds the records of a topic, a ring of those from sequence first on.
type log struct {
	entries []entry // length is a power of two, or 0
	head    int
	len     int
	first   engine.Sequence // of the entry at head
	high    engine.Sequence
}

func (l *log) at(i int) *entry { return &l.entries[(l.head+i)&(len(l.entries)-1)] }

// push appends an entry. What lies between the last one and it never was, or was deleted elsewhere.
func (l *log) push(seq engine.Sequence, e entry) {
	for l.len > 0 && l.first+engine.Sequence(l.len) < seq {
		l.grow(l.first+engine.Sequence(l.len), entry{})
	}
	l.grow(seq, e)
}

// grow appends the next entry.
func (l *log) grow(seq engine.Sequence, e entry) {
	if l.len == len(l.entries) {
		grown := make([]entry, max(8, 2*len(l.entries)))
		for i := range l.len {
			grown[i] = *l.at(i)
		}
		l.entries, l.head = grown, 0
	}
	if l.len == 0 {
		l.first = seq
	}
	l.len++
	*l.at(l.len - 1) = e
	l.high = seq
}

func (l *log) pop() entry {
	e := *l.at(0)
	*l.at(0) = entry{}
	l.head = (l.head + 1) & (len(l.entries) - 1)
	l.len--
	l.first++
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
	l.push(seq, entry{c, from, len(c.buf)})
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
	for l.len > 0 && l.first <= through {
		s.release(l.pop())
	}
}

// remove forgets one record.
func (s *Store) remove(topic engine.TopicID, seq engine.Sequence) {
	l := s.logs[topic]
	if l == nil || l.len == 0 || seq < l.first || seq >= l.first+engine.Sequence(l.len) {
		return
	}
	e := l.at(int(seq - l.first))
	s.release(*e)
	*e = entry{}
	for l.len > 0 && l.at(0).chunk == nil {
		l.pop()
	}
}
