package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"fanfare/ingress/auth"
	"fanfare/ingress/aws"

	"github.com/rs/zerolog"
)

// Options of a Face. The zero value works.
type Options struct {
	Region    string // in ARNs, unless the request is signed for another; lower-case letters, digits and '-'; default us-east-1
	Account   string // in ARNs and URLs of queues, and the owner of everything: 12 digits; default 000000000000
	PublicURL string // base of the URLs of queues, http or https; default: the host each request was sent to

	Keys *auth.Keyring // whose signatures are accepted; nil or empty: everybody's, and none

	Log zerolog.Logger // silent by default
}

func (o *Options) setDefaults() {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "000000000000")
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	if o.Region != "" && !aws.IsRegion(o.Region) {
		faults = append(faults, fmt.Errorf("sqs: Region %q must be 1 to 32 lower-case letters, digits and '-'", o.Region))
	}
	if o.Account != "" && !aws.IsAccount(o.Account) {
		faults = append(faults, fmt.Errorf("sqs: Account %q must be 12 digits", o.Account))
	}
	u, err := url.Parse(o.PublicURL)
	if o.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(o.PublicURL, "?#")) {
		faults = append(faults, fmt.Errorf("sqs: PublicURL %q must be http://HOST or https://HOST, with a path if need be", o.PublicURL))
	}
	return errors.Join(faults...)
}
