package main

import (
	"fanfare/egress/sign"
	"fanfare/engine"

	"github.com/rs/zerolog"
)

// The values of sns.signing. A signature is made once for a message, however many subscriptions it goes to, and costs
// about fifty times as much CPU as a plain push. So "auto" signs what costs nothing beside the rest: the messages of the
// subscription protocol; and notifications where somebody is expected to verify them: of topics whose attribute
// SignatureVersion was set, and of all topics when sns.cert_url, or a key of one's own, is configured, since the
// validators of the SDKs accept no certificate from an address that Fanfare has by itself.
const (
	signingAuto = "auto"
	signingOn   = "on"
	signingOff  = "off"
)

// signsAlways reports whether notifications are signed whatever their topic says.
func (c *config) signsAlways() bool {
	return c.SNS.Signing == signingOn || c.SNS.Signing == signingAuto && (c.SNS.CertURL != "" || c.SNS.KeyFile != "")
}

func (c *config) signOptions(log zerolog.Logger) sign.Options {
	o := sign.Options{Dir: c.Data, KeyFile: c.SNS.KeyFile, CertificateFile: c.SNS.CertFile, URL: c.SNS.CertURL, Log: log}
	if c.Durability == string(engine.DurabilityMemory) {
		o.Dir = "" // nothing is kept
	}
	return o
}

// openSigner makes the signer, which outlives the store. A key that is generated is kept in the store's directory, and
// not before the first document is signed with it.
func (c *config) openSigner(log zerolog.Logger) (err error) {
	if c.SNS.Signing == signingOff {
		return nil
	}
	c.signer, err = sign.New(c.signOptions(log))
	return err
}

// prepareSigner has the key ready when it is certain to be needed, now that the store's directory is there.
func (c *config) prepareSigner() error {
	if c.signer == nil || !c.signsAlways() {
		return nil
	}
	return c.signer.Prepare()
}

// validateSigning checks what only the signer can judge.
func (c *config) validateSigning(fault func(key, format string, args ...any)) {
	o := c.signOptions(zerolog.Nop())
	if (c.SNS.KeyFile == "") != (c.SNS.CertFile == "") {
		fault("sns.key_file", "key_file and cert_file go together")
		return
	}
	if err := o.Validate(); err != nil {
		fault("sns.cert_url", "is %q, must be an http or https URL without a query", c.SNS.CertURL)
	}
}
