package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"
	"time"

	"fanfare/ingress"
)

// SigV4 verifies signatures of version 4 for one service.
type SigV4 struct {
	keys    *Keyring
	service string
}

// NewSigV4 returns a verifier for a service, such as "sns".
func NewSigV4(keys *Keyring, service string) *SigV4 { return &SigV4{keys: keys, service: service} }

// verification is one request while its signature is verified.
type verification struct {
	claim
	fields  []field
	pairs   []pair
	query   []byte // canonical parameters, one behind the other
	decoded []byte // the current part of a parameter
	values  []byte // the decoded parameters of a presigned request
	text    []byte // what is hashed
}

// scratchBytesKept is the largest scratch memory that goes back to the pool.
const scratchBytesKept = 64 << 10

var verificationPool = sync.Pool{New: func() any {
	return &verification{fields: make([]field, 0, 32), text: make([]byte, 0, 1024)}
}}

func (v *verification) release() {
	if cap(v.query)+cap(v.decoded)+cap(v.values)+cap(v.text) > scratchBytesKept {
		return
	}
	clear(v.fields)
	*v = verification{
		fields: v.fields[:0], pairs: v.pairs[:0], query: v.query[:0], decoded: v.decoded[:0], values: v.values[:0], text: v.text[:0],
	}
	verificationPool.Put(v)
}

// Verify returns whose signature a request has, or a *Fault. It is ErrMissing when there is no trace of a signature. The
// body is what arrived, to its last byte.
func (s *SigV4) Verify(h *ingress.Head, body []byte, now time.Time) (*Credential, error) {
	v := verificationPool.Get().(*verification)
	defer v.release()
	if err := v.parse(h); err != nil {
		return nil, err
	}
	holder := s.keys.find(v.accessKey)
	if holder == nil {
		return nil, ErrUnknownKey
	}
	if err := v.checkTime(now.Unix()); err != nil {
		return nil, err
	}
	if err := v.checkScope(s.service); err != nil {
		return nil, err
	}
	if err := v.verify(h, body, holder); err != nil {
		return nil, err
	}
	return &holder.Credential, nil
}

// parse finds the signature and reads what it claims.
func (v *verification) parse(h *ingress.Head) error {
	var err error
	if v.fields, err = appendFields(v.fields, h.Header.RawHeaders()); err != nil {
		return err
	}
	if err := v.readQuery(h.Query); err != nil {
		return err
	}
	authorization, count := find(v.fields, nameAuthorization)
	presigned := len(v.pairs) > 0 && v.isPresigned()
	switch {
	case count > 1:
		return errTwice
	case count == 1 && presigned:
		return errTwoForms
	case count == 1:
		return v.parseAuthorization(authorization)
	case presigned:
		return v.parsePresigned()
	}
	return ErrMissing
}

// verify computes the signature and compares.
func (v *verification) verify(h *ingress.Head, body []byte, holder *holder) error {
	bodyHash := sha256.Sum256(body)
	if !v.agrees(bodyHash[:]) {
		return ErrSignature
	}
	var err error
	if v.text, err = v.appendRequest(v.text[:0], h, bodyHash[:]); err != nil {
		return err
	}
	request := sha256.Sum256(v.text)
	key := holder.keys.find(v.day, v.region, v.service)
	known := key != nil
	if !known {
		key = deriveKey(holder.Secret, v.day, v.region, v.service)
	}
	v.text = append(v.text[:0], key.inner[:]...)
	v.text = v.appendStringToSign(v.text, request[:])
	want := key.sign(v.text)
	if !isSignature(v.signature, want[:]) {
		return ErrSignature
	}
	if !known {
		holder.keys.remember(key)
	}
	return nil
}

// agrees reports whether the hash of the body is the one that the request names, if it names one.
func (v *verification) agrees(hash []byte) bool {
	named, count := find(v.fields, nameContentHash)
	return count == 0 || count == 1 && isSignature(named, hash)
}

func (v *verification) appendStringToSign(dst, request []byte) []byte {
	dst = append(append(dst, scheme...), '\n')
	dst = append(append(dst, v.date...), '\n')
	dst = append(append(dst, v.scope...), '\n')
	return hex.AppendEncode(dst, request)
}

// isSignature compares text with bytes that it should be the lower-case hex form of, in a time that does not depend on
// where they differ.
func isSignature(text, want []byte) bool {
	var buf [2 * sha256.Size]byte
	return subtle.ConstantTimeCompare(text, hex.AppendEncode(buf[:0], want)) == 1
}
