package sign

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine/jsontext"
)

// Version says over which digest a document is signed.
type Version uint8

// The versions; 0 is none.
const (
	Version1 Version = 1 // SHA-1
	Version2 Version = 2 // SHA-256
)

func (v Version) text() string {
	if v == Version2 {
		return "2"
	}
	return "1"
}

// againDelay is how long nothing is tried after a key could not be had.
const againDelay = 10 * time.Second

// Signer signs documents. Use New.
type Signer struct {
	opts  Options
	pairs atomic.Pointer[pair] // nil before the first use; set once

	mu    sync.Mutex
	again time.Time // guarded by mu: when a pair that could not be had is asked for again

	turns      chan struct{} // has room for as many as may sign at a time
	signings   atomic.Uint64 // made, not remembered
	complained atomic.Int64  // when a failure was logged last, ms since 1970
	scratch    sync.Pool     // *[]byte: canonical texts
}

// New returns a signer. The files that the options name are read; nothing is generated.
func New(opts Options) (*Signer, error) {
	opts.setDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s := &Signer{
		opts:    opts,
		turns:   make(chan struct{}, opts.Parallel),
		scratch: sync.Pool{New: func() any { return new([]byte) }},
	}
	if opts.KeyFile == "" {
		return s, nil
	}
	p, err := readPair(opts.KeyFile, opts.CertificateFile)
	if err != nil {
		return nil, err
	}
	s.use(p)
	return s, nil
}

// Prepare has the key ready before the first document needs it.
func (s *Signer) Prepare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prepareLocked()
}

func (s *Signer) prepareLocked() error {
	if s.pairs.Load() != nil {
		return nil
	}
	p, err := s.keptPair()
	if err == nil && p == nil {
		p, err = s.makePair()
	}
	if err != nil {
		return err
	}
	s.use(p)
	return nil
}

func (s *Signer) use(p *pair) {
	p.cache = newCache(s.opts.Entries)
	if url := s.opts.URL; url != "" {
		if !strings.HasSuffix(url, ".pem") {
			url += "/" + p.name
		}
		p.url = jsontext.AppendEscapedUpper(nil, []byte(url))
	}
	s.pairs.Store(p)
}

// pair is Prepare for those who cannot do anything about an error: nil when there is no key now.
func (s *Signer) pair() *pair {
	if p := s.pairs.Load(); p != nil {
		return p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairs.Load() == nil && time.Now().Before(s.again) {
		return nil
	}
	if err := s.prepareLocked(); err != nil {
		s.again = time.Now().Add(againDelay)
		s.opts.Log.Error().Err(err).Msg("there is no key to sign with: documents go out unsigned")
		return nil
	}
	return s.pairs.Load()
}

// Certificate returns the certificate in PEM by the last part of its URL, nil when it is not of that name. It makes none.
func (s *Signer) Certificate(name []byte) []byte {
	p := s.pairs.Load()
	if p == nil {
		p = s.loadKept() // of a run before this one
	}
	if p == nil || string(name) != p.name {
		return nil
	}
	return p.certificate
}

func (s *Signer) loadKept() *pair {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pairs.Load(); p != nil {
		return p
	}
	p, err := s.keptPair()
	if err != nil || p == nil {
		return nil // who signs next says why
	}
	s.use(p)
	return p
}

// Signings is how many signatures were made; those that were remembered do not count.
func (s *Signer) Signings() uint64 { return s.signings.Load() }

// AppendMembers appends the members SignatureVersion, Signature and SigningCertURL, each as `,\n  "Name" : "value"`. The
// base is that of the document's links, as it stands in a JSON string. It keeps nothing of the content, and appends
// nothing when there is no key.
func (s *Signer) AppendMembers(dst []byte, v Version, c *Content, base []byte) []byte {
	p := s.pair()
	if p == nil {
		return dst
	}
	start := len(dst)
	dst = append(append(dst, ",\n  \"SignatureVersion\" : \""...), v.text()...)
	dst = append(dst, "\",\n  \"Signature\" : \""...)
	dst, ok := s.appendSignature(dst, p, v, c)
	if !ok {
		return dst[:start]
	}
	dst = append(dst, "\",\n  \"SigningCertURL\" : \""...)
	if p.url != nil {
		dst = append(dst, p.url...)
	} else {
		dst = append(append(append(dst, base...), '/'), p.name...)
	}
	return append(dst, '"')
}

// appendSignature appends a signature in base64, and remembers it.
func (s *Signer) appendSignature(dst []byte, p *pair, v Version, c *Content) (_ []byte, ok bool) {
	dst, set, room := p.cache.append(dst, c.identity(v))
	if room == nil {
		return dst, true
	}
	start, signed := len(dst), false
	defer func() { set.fill(room, dst[start:], signed) }()
	raw, err := s.sign(p, v, c)
	if err != nil {
		s.complain(err)
		return dst, false
	}
	dst, signed = base64.StdEncoding.AppendEncode(dst, raw), true
	return dst, true
}

// complain logs that a document could not be signed, but not of every one.
func (s *Signer) complain(err error) {
	now, last := time.Now().UnixMilli(), s.complained.Load()
	if now-last >= againDelay.Milliseconds() && s.complained.CompareAndSwap(last, now) {
		s.opts.Log.Error().Err(err).Msg("documents cannot be signed and go out unsigned")
	}
}

// scratchBytesKept is the largest canonical text whose memory is used again.
const scratchBytesKept = 64 << 10

// sign makes a signature. It takes its turn: a backlog of messages to sign would keep all CPUs from everything else.
func (s *Signer) sign(p *pair, v Version, c *Content) ([]byte, error) {
	s.turns <- struct{}{}
	defer func() { <-s.turns }()
	s.signings.Add(1)
	text := s.scratch.Get().(*[]byte)
	*text = c.AppendCanonical((*text)[:0])
	defer func() {
		if cap(*text) <= scratchBytesKept {
			s.scratch.Put(text)
		}
	}()
	if v == Version2 {
		digest := sha256.Sum256(*text)
		return rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
	}
	digest := sha1.Sum(*text)
	return rsa.SignPKCS1v15(nil, p.key, crypto.SHA1, digest[:])
}
