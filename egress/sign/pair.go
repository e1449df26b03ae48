package sign

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	keyBits = 2048

	keptName     = "sns-signing.pem"
	keptTempName = ".sns-signing.pem.tmp" // beside it, while it is written

	fileBytesMax = 1 << 20
)

// ErrKey is what is wrong with a key or a certificate.
var ErrKey = errors.New("sign: unusable key or certificate")

// pair is a key with its certificate.
type pair struct {
	key         *rsa.PrivateKey
	certificate []byte // in PEM, with those it was issued by, if they were given
	name        string // last part of the certificate's URL; another one for every certificate, since readers keep what they fetched
	url         []byte // where it is, as it stands in a JSON string; nil: below each document's own base
	cache       *cache
}

// newPair checks what was read.
func newPair(keyText, certificateText []byte) (*pair, error) {
	both, err := tls.X509KeyPair(certificateText, keyText)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, ok := both.PrivateKey.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < keyBits {
		return nil, fmt.Errorf("%w: it must be RSA of %d bits at least", ErrKey, keyBits)
	}
	key.Precompute()
	p := &pair{key: key}
	for _, der := range both.Certificate { // written anew: a file may hold the key as well
		p.certificate = append(p.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	sum := sha256.Sum256(both.Certificate[0])
	p.name = "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem"
	return p, nil
}

// readPair reads a pair from the files that the options name.
func readPair(keyFile, certificateFile string) (*pair, error) {
	keyText, err := readFile(keyFile)
	if err != nil {
		return nil, err
	}
	certificateText, err := readFile(certificateFile)
	if err != nil {
		return nil, err
	}
	p, err := newPair(keyText, certificateText)
	if err != nil {
		return nil, fmt.Errorf("%w (%s, %s)", err, keyFile, certificateFile)
	}
	return p, nil
}

// readFile reads a file of a size that a key or a certificate may have.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if len(text) > fileBytesMax {
		return nil, fmt.Errorf("%w: %s is too large", ErrKey, name)
	}
	return text, nil
}

// keptPair returns the pair that an earlier run generated, nil without one.
func (s *Signer) keptPair() (*pair, error) {
	if s.opts.Dir == "" {
		return nil, nil
	}
	name := filepath.Join(s.opts.Dir, keptName)
	text, err := readFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	p, err := newPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("%w (%s; remove it, and another one is made)", err, name)
	}
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
		s.opts.Log.Warn().Str("file", name).Stringer("mode", info.Mode().Perm()).Msg("others than its owner may read the signing key")
	}
	return p, nil
}

// makePair generates a pair, and keeps it before it is used.
func (s *Signer) makePair() (*pair, error) {
	began := time.Now()
	text, err := generate()
	if err != nil {
		return nil, err
	}
	p, err := newPair(text, text)
	if err != nil {
		return nil, err
	}
	if s.opts.Dir != "" {
		if err := keep(s.opts.Dir, text); err != nil {
			return nil, fmt.Errorf("sign: keeping the generated key: %w", err)
		}
	}
	s.opts.Log.Info().Str("certificate", p.name).Dur("took", time.Since(began)).Msg("key and certificate for signatures of the kind sns generated")
	return p, nil
}

// generate makes a key with a certificate that it signs itself, both in PEM. The certificate's time has no bearing on
// what it is for, so a clock that is wrong when it is made does no harm: it began long ago, and has no well-defined end, in
// the words of RFC 5280.
func generate() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: "Fanfare SNS message signing"},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, block := range []*pem.Block{{Type: "PRIVATE KEY", Bytes: private}, {Type: "CERTIFICATE", Bytes: certificate}} {
		if err := pem.Encode(&text, block); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// keep writes the file of a generated pair. It is there as a whole or not at all, whatever happens meanwhile, and nobody
// but its owner may read it, not even while it is written.
func keep(dir string, text []byte) (err error) {
	temp := filepath.Join(dir, keptTempName)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of a run that was cut off
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, keptName))
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
