package auth

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
)

func TestPermissions(t *testing.T) {
	var all Permissions
	for _, name := range PermissionNames() {
		p, ok := ParsePermission(name)
		if !ok || p == 0 || all&p != 0 || !All.Has(p) {
			t.Errorf("%s: %b, %v", name, p, ok)
		}
		all |= p
	}
	if all != All {
		t.Errorf("all are %b", all)
	}
	if _, ok := ParsePermission("root"); ok {
		t.Error("root is a permission")
	}
	if (Publish | Receive).Has(Publish|Subscribe) || !(Publish | Receive).Has(Receive) {
		t.Error("Has is wrong")
	}
}

// TestSecretIsHidden prints a secret in every way there is.
func TestSecretIsHidden(t *testing.T) {
	c := Credential{Name: "n", AccessKey: "k", Secret: "s3cr3t"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
		for _, value := range []any{c, &c, c.Secret, []Credential{c}, holder{Credential: c}.Credential} {
			args := []any{value, value}[:strings.Count(verb, "%")]
			if got := fmt.Sprintf(verb, args...); strings.Contains(got, "s3cr3t") || strings.Contains(got, fmt.Sprintf("%x", "s3cr3t")) {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
	if text, err := c.Secret.MarshalText(); string(text) != Hidden || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	var s Secret
	if err := s.UnmarshalText([]byte("s3cr3t")); s != "s3cr3t" || err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	f := func(c Credential, fields ...string) {
		t.Helper()
		var got []string
		for _, fault := range c.Validate() {
			got = append(got, fault.Field)
		}
		if fmt.Sprint(got) != fmt.Sprint(fields) {
			t.Errorf("%v: faults in %v, want %v", c, got, fields)
		}
	}
	good := Credential{Name: "billing@eu", AccessKey: "AKID.1_2-3", Secret: "a/b+c="}
	f(good)
	f(Credential{}, "name", "access_key", "secret")
	f(Credential{Name: "a b", AccessKey: "a/b", Secret: "a b"}, "name", "access_key", "secret")
	f(Credential{Name: strings.Repeat("a", 65), AccessKey: strings.Repeat("a", 129), Secret: Secret(strings.Repeat("a", 1025))}, "name", "access_key", "secret")
	f(Credential{Name: strings.Repeat("a", 64), AccessKey: strings.Repeat("a", 128), Secret: Secret(strings.Repeat("a", 1024))})
	f(Credential{Name: "a", AccessKey: "a", Secret: Hidden}, "secret")
	f(Credential{Name: "a", AccessKey: "a", Secret: "é"}, "secret")
}

// TestReplace changes the credentials while requests are verified.
func TestReplace(t *testing.T) {
	keys := NewKeyring(nil)
	if !keys.Empty() || !(*Keyring)(nil).Empty() {
		t.Error("not empty")
	}
	good := []Credential{{Name: "a", AccessKey: accessKey, Secret: secretKey}}
	bad := []Credential{{Name: "a", AccessKey: accessKey, Secret: "other"}}
	keys.Replace(good)
	wire := post(publishes).Sign()
	if got := verifyAt(t, keys, wire, signedAt); got != "" || keys.Empty() {
		t.Error(got)
	}
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 200 {
				if got := verifyAt(t, keys, wire, signedAt); got != "" && got != mismatch {
					t.Error(got)
				}
			}
		})
	}
	for i := range 200 {
		keys.Replace([][]Credential{bad, good}[i%2])
	}
	running.Wait()
	keys.Replace(bad)
	if got := verifyAt(t, keys, wire, signedAt); got != mismatch {
		t.Errorf("with the secret replaced: %q", got)
	}
}

// TestSigningKeys fills the memory of a credential: it is bounded, and only good signatures get a place.
func TestSigningKeys(t *testing.T) {
	keys := NewKeyring([]Credential{{Name: "a", AccessKey: accessKey, Secret: secretKey}})
	remembered := func() []*signingKey {
		if list := keys.find([]byte(accessKey)).keys.list.Load(); list != nil {
			return *list
		}
		return nil
	}
	if got := verifyAt(t, keys, authtest.Post(accessKey, "wrong", signedAt, publishes).Sign(), signedAt); got != mismatch || remembered() != nil {
		t.Fatalf("%s; %d keys", got, len(remembered()))
	}
	for day := range 3 * signingKeysMax {
		now := signedAt.Add(time.Duration(day) * 24 * time.Hour)
		r := authtest.Post(accessKey, secretKey, now, publishes)
		for range 2 {
			if got := verifyAt(t, keys, r.Sign(), now); got != "" {
				t.Fatal(got)
			}
		}
		if list := remembered(); len(list) != min(day+1, signingKeysMax) || list[0].day != r.Date[:dayBytes] {
			t.Fatalf("day %d: %d keys, the first of %s", day, len(list), list[0].day)
		}
	}
}

// TestScopes uses one credential in many regions and for two services, again and again.
func TestScopes(t *testing.T) {
	keys := NewKeyring([]Credential{{Name: "a", AccessKey: accessKey, Secret: secretKey}})
	for range 2 {
		for _, service := range []string{"sns", "sqs"} {
			for _, region := range []string{"us-east-1", "eu-west-1", "local"} {
				r := post(publishes)
				r.Region, r.Service = region, service
				parsed, ok := read(r.Sign())
				if !ok {
					t.Fatal("not readable")
				}
				h := ingress.ParseHead(&parsed.Header)
				if _, err := NewSigV4(keys, service).Verify(&h, parsed.Body(), signedAt); err != nil {
					t.Errorf("%s in %s: %v", service, region, err)
				}
			}
		}
	}
}
