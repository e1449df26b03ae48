package pipeline

import (
	"errors"
	"os"
	"time"
)

const (
	// recordSize is what TLS writes at a time. A TLS write that was cut off cannot go on, so each record gets its
	// own deadline.
	recordSize = 16 << 10

	// referBytesMin is the size from which a body is cheaper written from where it lies than copied.
	referBytesMin = 8 << 10
)

// ref is a body that is written from where it lies, behind so many bytes of Out.
type ref struct {
	at   int
	body []byte
}

// AddBody adds a body behind what Out holds. A large one is not copied: it must stay as it is until Flush returns.
func (c *Conn) AddBody(body []byte) {
	if len(body) < referBytesMin || c.tls {
		c.Out = append(c.Out, body...)
		return
	}
	c.refs = append(c.refs, ref{len(c.Out), body})
	c.referred += len(body)
}

// Len is how many bytes Flush has to write.
func (c *Conn) Len() int { return len(c.Out) + c.referred }

// Flush writes what Out holds and the bodies in between, with one system call unless the peer is slow, and
// empties both. A write that moves is not cut off before p.Answer is over.
func (c *Conn) Flush(p Patience) error {
	c.read, c.timed, c.patience, c.Written = false, false, p.Answer, 0
	c.Flushed = time.Now()
	c.used = c.Flushed
	c.collect()
	var err error
	for size := c.Len(); err == nil && c.Written < size; {
		err = c.writeSome(p)
	}
	clear(c.refs)
	clear(c.memory)
	c.Out, c.refs, c.referred, c.parts = c.Out[:0], c.refs[:0], 0, nil
	return err
}

// collect lists the parts of what is written, if there is more than one.
func (c *Conn) collect() {
	if len(c.refs) == 0 {
		return
	}
	c.memory = c.memory[:0]
	from := 0
	for _, r := range c.refs {
		c.memory = append(c.memory, c.Out[from:r.at], r.body)
		from = r.at
	}
	if from < len(c.Out) {
		c.memory = append(c.memory, c.Out[from:])
	}
	c.parts = c.memory
}

// writeSome writes until nothing moves any more: all of it as a rule.
func (c *Conn) writeSome(p Patience) error {
	if err := c.setDeadline(min(p.Write, c.Flushed.Add(p.Answer).Sub(c.used))); err != nil {
		return err
	}
	n, err := c.writeParts()
	c.Written += n
	if c.Written == c.Len() {
		return err
	}
	c.used = time.Now()
	if n > 0 && !c.tls && errors.Is(err, os.ErrDeadlineExceeded) && c.used.Sub(c.Flushed) < p.Answer {
		return nil // it is slow, and moves
	}
	return err
}

func (c *Conn) writeParts() (int, error) {
	if len(c.refs) > 0 {
		n, err := c.parts.WriteTo(c.nc)
		return int(n), err
	}
	part := c.Out[c.Written:]
	if c.tls {
		part = part[:min(len(part), recordSize)]
	}
	return c.nc.Write(part)
}
