package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/ingress/scan"
)

func TestParameters(t *testing.T) {
	f := func(query, body, want string, wantErr error) {
		t.Helper()
		var scratch []byte
		var got strings.Builder
		p := NewParameters([]byte(query), []byte(body), &scratch)
		for p.Next() {
			if p.Value == nil {
				t.Errorf("%q %q: the value of %s is nil", query, body, p.Key)
			}
			fmt.Fprintf(&got, "%s=%s ", p.Key, p.Value)
		}
		if got.String() != want || !errors.Is(p.Err(), wantErr) || p.Next() {
			t.Errorf("%q %q: got %q and %v, want %q and %v", query, body, &got, p.Err(), want, wantErr)
		}
	}
	f("", "", "", nil)
	f("a=1&b", "c=%41&d=", "a=1 b= c=%41 d= ", nil)
	f("", "%61+b=1", "a b=1 ", nil)
	f("a=1", "b=2&%6=3&d=4", "a=1 b=2 ", scan.ErrFormEscape)
	f("%=1", "b=2", "", scan.ErrFormEscape)
}

func TestIsForm(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "application/x-www-form-urlencoded": true, "Application/X-WWW-Form-Urlencoded ; charset=utf-8": true, " ": true,
		"application/json": false, "application/x-www-form-urlencode": false, "application/x-www-form-urlencoded2": false,
	} {
		if got := IsForm([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
