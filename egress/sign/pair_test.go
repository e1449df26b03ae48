package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestGeneratedOnce(t *testing.T) {
	dir := t.TempDir()
	c := notification(commit(t, hello))
	s, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Certificate([]byte("SimpleNotificationService-00000000000000000000000000000000.pem")); got != nil {
		t.Errorf("a certificate before there is one: %s", got)
	}
	if names := list(t, dir); len(names) != 0 {
		t.Errorf("there are files before the first use: %v", names)
	}
	// What a run that was cut off left behind is in nobody's way.
	if err := os.WriteFile(filepath.Join(dir, keptTempName), []byte("half a k"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := string(s.AppendMembers(nil, Version1, c, nil))
	if names := list(t, dir); len(names) != 1 || names[0] != keptName {
		t.Errorf("the directory holds %v", names)
	}
	info, err := os.Stat(filepath.Join(dir, keptName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	name := s.pairs.Load().name
	if !regexp.MustCompile(`^SimpleNotificationService-[0-9a-f]{32}\.pem$`).MatchString(name) {
		t.Errorf("the certificate's name is %s", name)
	}

	again, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	served := again.Certificate([]byte(name)) // before anything was signed in this run
	if !bytes.Equal(served, s.Certificate([]byte(name))) || len(served) == 0 {
		t.Errorf("the next run serves %s", served)
	}
	if bytes.Contains(served, []byte("PRIVATE")) {
		t.Error("the private key is served")
	}
	if got := string(again.AppendMembers(nil, Version1, c, nil)); got != first {
		t.Errorf("the next run signs otherwise: %s", got)
	}
	if got := again.Certificate([]byte("SimpleNotificationService-00000000000000000000000000000000.pem")); got != nil {
		t.Error("a certificate is served under another's name")
	}

	block, rest := pem.Decode(served)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || len(rest) != 0 {
		t.Fatal(err, rest)
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() != 2048 || certificate.IsCA || certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) != nil {
		t.Errorf("the certificate is %+v", certificate)
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestKeptIsUnusable says so, and signs nothing with another key behind the operator's back.
func TestKeptIsUnusable(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, keptName)
	if err := os.WriteFile(name, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), name) {
		t.Errorf("Prepare says %v", err)
	}
	c := notification(commit(t, hello))
	if got := s.AppendMembers([]byte("x"), Version1, c, nil); string(got) != "x" {
		t.Errorf("got %s", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if got := s.AppendMembers([]byte("x"), Version1, c, nil); string(got) != "x" {
		t.Error("it was tried again at once")
	}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	if got := s.AppendMembers([]byte("x"), Version1, c, nil); len(got) < 300 {
		t.Errorf("got %s", got)
	}
}

func TestCannotBeKept(t *testing.T) {
	s, err := New(Options{Dir: filepath.Join(t.TempDir(), "missing")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Prepare says %v", err)
	}
}

func TestGivenFiles(t *testing.T) {
	dir := t.TempDir()
	text, err := sharedText()
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, blocks ...*pem.Block) string {
		var b bytes.Buffer
		for _, block := range blocks {
			if err := pem.Encode(&b, block); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keyBlock, rest := pem.Decode(text)
	certificateBlock, _ := pem.Decode(rest)
	key, certificate := write("key", keyBlock), write("certificate", certificateBlock)
	both := write("both", keyBlock, certificateBlock)
	chain := write("chain", certificateBlock, certificateBlock)
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	old := write("old", &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(parsed.(*rsa.PrivateKey))})
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	elliptic := write("elliptic", &pem.Block{Type: "PRIVATE KEY", Bytes: curveDER})
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, fileBytesMax+1), 0o600); err != nil {
		t.Fatal(err)
	}

	c := notification(commit(t, hello))
	f := func(keyFile, certificateFile string, certificates int, want error) {
		t.Helper()
		unused := t.TempDir()
		s, err := New(Options{Dir: unused, KeyFile: keyFile, CertificateFile: certificateFile})
		if want != nil {
			if !errors.Is(err, want) {
				t.Errorf("%s, %s: %v, want %v", keyFile, certificateFile, err, want)
			}
			return
		}
		if err != nil {
			t.Errorf("%s, %s: %v", keyFile, certificateFile, err)
			return
		}
		got := readMembers(t, s.AppendMembers(nil, Version2, c, []byte("http://h")))
		served := s.Certificate([]byte(strings.TrimPrefix(got.SigningCertURL, "http://h/")))
		if n := bytes.Count(served, []byte("BEGIN ")); n != certificates || bytes.Count(served, []byte("BEGIN CERTIFICATE")) != n {
			t.Errorf("served is %s", served)
		}
		if err := verify(served, "2", got.Signature, c.AppendCanonical(nil)); err != nil {
			t.Error(err)
		}
		if names := list(t, unused); len(names) != 0 {
			t.Errorf("a key was kept although one was given: %v", names)
		}
	}
	f(key, certificate, 1, nil)
	f(old, certificate, 1, nil)
	f(both, both, 1, nil)
	f(key, chain, 2, nil)
	f(elliptic, certificate, 0, ErrKey)
	f(certificate, key, 0, ErrKey)
	f(filepath.Join(dir, "missing"), certificate, 0, os.ErrNotExist)
	f(key, filepath.Join(dir, "missing"), 0, os.ErrNotExist)
	f(large, certificate, 0, ErrKey)
}

func TestValidate(t *testing.T) {
	f := func(o Options, faults ...string) {
		t.Helper()
		err := o.Validate()
		if (err == nil) != (len(faults) == 0) {
			t.Errorf("%+v: %v", o, err)
		}
		for _, fault := range faults {
			if err != nil && !strings.Contains(err.Error(), fault) {
				t.Errorf("%+v: %v does not speak of %s", o, err, fault)
			}
		}
	}
	f(Options{})
	f(Options{KeyFile: "k", CertificateFile: "c", URL: "https://sns.us-east-1.amazonaws.com"})
	f(Options{KeyFile: "k"}, "CertificateFile")
	f(Options{CertificateFile: "c"}, "KeyFile")
	f(Options{URL: "sns.us-east-1.amazonaws.com", Entries: -1}, "URL", "Entries")
	f(Options{URL: "https://h/?a"}, "URL")
	f(Options{URL: `https://h/"`}, "URL")
}
