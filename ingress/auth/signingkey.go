package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync/atomic"
)

// signingKeysMax is how many signing keys a credential remembers: a day around midnight is two, times the regions and
// services that it is used for. Beyond them the oldest is forgotten, and derived again when it is needed.
const signingKeysMax = 8

// signingKey is what a secret becomes for one day, region and service, in the form in which HMAC-SHA256 starts from it.
// Immutable once it is in a signingKeys.
type signingKey struct {
	day, region, service string
	inner, outer         [sha256.BlockSize]byte
}

// signingKeys remembers the last few. Copied on each change, which there is a few times a day.
type signingKeys struct{ list atomic.Pointer[[]*signingKey] }

// find returns the remembered key of a scope, nil when it is not.
func (s *signingKeys) find(day, region, service []byte) *signingKey {
	list := s.list.Load()
	if list == nil {
		return nil
	}
	for _, k := range *list {
		if k.day == string(day) && k.region == string(region) && k.service == string(service) {
			return k
		}
	}
	return nil
}

// remember adds a key that a good signature was made with. Others are not worth a place: anybody can make them up. When
// another goroutine was faster it is forgotten, and comes again with the next request.
func (s *signingKeys) remember(k *signingKey) {
	old := s.list.Load()
	list := []*signingKey{k}
	if old != nil {
		list = append(list, (*old)[:min(len(*old), signingKeysMax-1)]...)
	}
	s.list.CompareAndSwap(old, &list)
}

// deriveKey makes the signing key of a scope.
func deriveKey(secret Secret, day, region, service []byte) *signingKey {
	key := []byte("AWS4" + string(secret))
	for _, text := range [][]byte{day, region, service, []byte("aws4_request")} {
		mac := hmac.New(sha256.New, key)
		mac.Write(text)
		key = mac.Sum(nil)
	}
	k := &signingKey{day: string(day), region: string(region), service: string(service)}
	k.setPads(key)
	return k
}

// setPads prepares HMAC-SHA256, FIPS 198-1, for a key of at most a block.
func (k *signingKey) setPads(key []byte) {
	copy(k.inner[:], key)
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
}

// sign returns the HMAC of a text that stands in memory behind the key's inner pad.
func (k *signingKey) sign(padded []byte) [sha256.Size]byte {
	inner := sha256.Sum256(padded)
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}
