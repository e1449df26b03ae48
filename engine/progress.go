package engine

import "encoding/binary"

// ProgressWindow is how far above its floor a subscription may have settled sequences.
const ProgressWindow = 1 << 16

const progressVersion = 1

// Progress says which messages of its topic a subscription has settled: all up to the floor, and those
// marked in the window above it. One goroutine at a time may use it.
type Progress struct {
	Floor Sequence // every sequence up to here is settled

	// Bit s%len of the window belongs to sequence s, for the sequences above the floor. Its length in
	// bits is a power of two; nil while nothing above the floor is settled.
	window []uint64
	marked int // bits set
}

// Marked is the number of settled sequences above the floor.
func (p *Progress) Marked() int { return p.marked }

// Room reports whether the sequence is within reach of the floor.
func (p *Progress) Room(s Sequence) bool { return s <= p.Floor+ProgressWindow }

// Settled reports whether the sequence is settled.
func (p *Progress) Settled(s Sequence) bool {
	if s <= p.Floor {
		return true
	}
	if s-p.Floor > p.bits() {
		return false
	}
	bit := uint64(s) & uint64(p.bits()-1)
	return p.window[bit/64]&(1<<(bit%64)) != 0
}

// Settle marks a sequence and moves the floor. Settling one twice is no fault.
func (p *Progress) Settle(s Sequence) {
	switch {
	case s <= p.Floor:
		return
	case s == p.Floor+1 && p.marked == 0:
		p.Floor = s
		return
	case !p.Room(s):
		panic("BUG: engine: a sequence out of reach of the floor was settled")
	}
	for s-p.Floor > p.bits() {
		p.grow()
	}
	bit := uint64(s) & uint64(p.bits()-1)
	if mask := uint64(1) << (bit % 64); p.window[bit/64]&mask == 0 {
		p.window[bit/64] |= mask
		p.marked++
	}
	p.advance()
}

// SettleRange marks all sequences from first to last.
func (p *Progress) SettleRange(first, last Sequence) {
	if p.marked == 0 && first == p.Floor+1 && last >= first {
		p.Floor = last
		return
	}
	for s := first; s <= last; s++ {
		p.Settle(s)
	}
}

// advance moves the floor over what is settled.
func (p *Progress) advance() {
	for p.marked > 0 {
		bit := uint64(p.Floor+1) & uint64(p.bits()-1)
		mask := uint64(1) << (bit % 64)
		if p.window[bit/64]&mask == 0 {
			return
		}
		p.window[bit/64] &^= mask
		p.marked--
		p.Floor++
	}
}

func (p *Progress) bits() Sequence { return Sequence(len(p.window) * 64) }

// grow doubles the window.
func (p *Progress) grow() {
	old := *p
	p.window = make([]uint64, max(4, 2*len(old.window)))
	for s := old.Floor + 1; s <= old.Floor+old.bits(); s++ {
		if old.Settled(s) {
			bit := uint64(s) & uint64(p.bits()-1)
			p.window[bit/64] |= 1 << (bit % 64)
		}
	}
}

// AppendBytes appends the stored form: version (1), floor (8), then the settled sequences above the floor
// as runs, each the distance from the end of the run before and the length, as varints.
func (p *Progress) AppendBytes(dst []byte) []byte {
	dst = append(dst, progressVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Floor))
	last := p.Floor
	for left, s := p.marked, p.Floor+1; left > 0; s++ {
		if !p.Settled(s) {
			continue
		}
		first := s
		for left > 0 && p.Settled(s) {
			left--
			s++
		}
		dst = binary.AppendUvarint(dst, uint64(first-last))
		dst = binary.AppendUvarint(dst, uint64(s-first))
		last = s
	}
	return dst
}

// ParseProgress reads what AppendBytes wrote.
func ParseProgress(b []byte) (p Progress, ok bool) {
	if len(b) < 9 || b[0] != progressVersion {
		return p, false
	}
	p.Floor = Sequence(binary.BigEndian.Uint64(b[1:]))
	last := p.Floor
	for b = b[9:]; len(b) > 0; {
		gap, n := binary.Uvarint(b)
		if n <= 0 || gap == 0 || gap > ProgressWindow {
			return p, false
		}
		length, k := binary.Uvarint(b[n:])
		if k <= 0 || length == 0 || length > ProgressWindow {
			return p, false
		}
		b = b[n+k:]
		first := last + Sequence(gap)
		last = first + Sequence(length)
		if !p.Room(last - 1) {
			return p, false
		}
		for s := first; s < last; s++ {
			p.Settle(s)
		}
	}
	return p, true
}
