package sign

import (
	"sync"

	"fanfare/engine"

	"github.com/cespare/xxhash/v2"
)

// identity tells signatures apart without looking at what they cover: the checksum is over the whole record, and rest
// is a hash of what the document has that is not the message's, and of the version.
type identity struct {
	id       engine.MessageID
	checksum uint64
	rest     uint64
}

func (c *Content) identity(v Version) identity {
	rest := mix(uint64(v), xxhash.Sum64String(c.TopicARN))
	if body := c.Message.Body(); len(body) != len(c.Text) || len(body) > 0 && &body[0] != &c.Text[0] {
		rest = mix(rest, xxhash.Sum64(c.Text)) // the text of one protocol: the record holds several
	}
	if c.SubscribeURL != nil {
		rest = mix(rest, xxhash.Sum64(c.SubscribeURL))
	}
	return identity{c.Message.ID(), c.Message.Checksum(), rest}
}

func mix(a, b uint64) uint64 { return (a^b)*0x9E3779B97F4A7C15 ^ b>>29 }

// ways is how many signatures a set holds.
const ways = 8

// cache remembers signatures: in sets of a few entries each, so that many goroutines can look at once. Of a full set the
// entry that was used longest ago makes room.
type cache struct {
	sets []set
}

type set struct {
	mu      sync.Mutex
	changed sync.Cond // an entry was finished; on mu
	tick    uint64    // guarded by mu: counts uses
	entries []entry   // guarded by mu; made with the first signature of the set, then of fixed size
}

// entry is a signature, or the room for one that somebody makes.
type entry struct {
	identity identity
	text     []byte // in base64
	used     uint64 // the set's tick then; 0: the entry is free
	making   bool
}

// newCache returns a cache for some number of signatures, rounded up to a power of two.
func newCache(entries int) *cache {
	n := 1
	for n*ways < entries {
		n *= 2
	}
	c := &cache{sets: make([]set, n)}
	for i := range c.sets {
		c.sets[i].changed.L = &c.sets[i].mu
	}
	return c
}

// append appends a signature. When there is none it returns room for it instead: the caller has to make it, and to
// end that with fill. It waits while somebody else makes it.
func (c *cache) append(dst []byte, id identity) (grown []byte, s *set, room *entry) {
	s = &c.sets[(id.checksum^id.rest)&uint64(len(c.sets)-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = make([]entry, ways)
	}
	s.tick++
	for {
		e, oldest := s.look(id)
		switch {
		case e != nil && !e.making:
			e.used = s.tick
			return append(dst, e.text...), s, nil
		case e == nil && oldest != nil:
			oldest.identity, oldest.making, oldest.used = id, true, s.tick
			return dst, s, oldest
		}
		s.changed.Wait() // for this one, or for room
	}
}

// look finds a signature, and the entry that would make room for it: nil while all are being made.
func (s *set) look(id identity) (found, oldest *entry) {
	for i := range s.entries {
		e := &s.entries[i]
		if e.used > 0 && e.identity == id {
			return e, nil
		}
		if !e.making && (oldest == nil || e.used < oldest.used) {
			oldest = e
		}
	}
	return nil, oldest
}

// fill ends what append began. When the signature could not be made the room is free again.
func (s *set) fill(room *entry, signature []byte, made bool) {
	s.mu.Lock()
	room.text = append(room.text[:0], signature...)
	room.making = false
	if !made {
		room.used = 0
	}
	s.mu.Unlock()
	s.changed.Broadcast()
}
