package sns

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"fanfare/ingress/auth"

	"github.com/rs/zerolog"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Options of a Face. The zero value works.
type Options struct {
	Region    string   // in ARNs, unless the request is signed for another; lower-case letters, digits and '-'; default us-east-1
	Account   string   // in ARNs, and the owner of everything: 12 digits; default 000000000000
	Gateways  Gateways // http or https URLs; default none: the protocols that need them are refused
	PublicURL string   // base of the URLs in confirmations, http or https; default: the host each Subscribe was sent to

	// Queues says which queues are those of other servers: the base URL of an SQS-compatible server that has all of them, or
	// a list of [REGION/]ACCOUNT=URL, with a URL alone for the others if need be. Default "": all are ours.
	Queues string

	Keys *auth.Keyring // whose signatures are accepted; nil or empty: everybody's, and none

	// Certificate returns the certificate that documents are signed with, in PEM, by the last part of its URL; nil for
	// a name that is not its own. Default nil: none is served.
	Certificate func(name []byte) []byte

	Log zerolog.Logger // silent by default
}

func (o *Options) setDefaults() {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	if o.Region != "" && !aws.IsRegion(o.Region) {
		faults = append(faults, fmt.Errorf("sns: Region %q must be 1 to 32 lower-case letters, digits and '-'", o.Region))
	}
	if o.Account != "" && !aws.IsAccount(o.Account) {
		faults = append(faults, fmt.Errorf("sns: Account %q must be 12 digits", o.Account))
	}
	u, err := url.Parse(o.PublicURL)
	if o.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(o.PublicURL, "?#")) {
		faults = append(faults, fmt.Errorf("sns: PublicURL %q must be http://HOST or https://HOST, with a path if need be", o.PublicURL))
	}
	if _, err := parseQueueServers(o.Queues); err != nil {
		faults = append(faults, err)
	}
	for _, gateway := range []struct{ name, value string }{
		{"Application", o.Gateways.Application}, {"SMS", o.Gateways.SMS}, {"Email", o.Gateways.Email},
	} {
		u, err := url.Parse(gateway.value)
		if gateway.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || len(gateway.value) > engine.EndpointBytesMax) {
			faults = append(faults, fmt.Errorf("sns: Gateways.%s %q must be the http or https URL of a gateway", gateway.name, gateway.value))
		}
	}
	return errors.Join(faults...)
}
