//go:build !race && !invariant

package auth

import (
	"testing"

	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
)

// TestVerifyAllocs asserts that nothing is allocated for a good signature, in both forms, nor for a bad one.
func TestVerifyAllocs(t *testing.T) {
	f := func(name string, wire []byte, want error) {
		t.Run(name, func(t *testing.T) {
			r, ok := read(wire)
			if !ok {
				t.Fatal("not readable")
			}
			h := ingress.ParseHead(&r.Header)
			s := NewSigV4(keyring, "sns")
			n := testing.AllocsPerRun(1000, func() {
				if _, err := s.Verify(&h, r.Body(), signedAt); err != want { //nolint:errorlint // sentinels are never wrapped here
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations, want 0", n)
			}
		})
	}
	f("header", post(publishes).Sign(), nil)
	f("presigned", get("/?Action=ListTopics&Version=2010-03-31").Presign(60), nil)
	f("wrong secret", authtest.Post(accessKey, "wrong", signedAt, publishes).Sign(), ErrSignature)
	f("unsigned", post(publishes).Wire(""), ErrMissing)
}
