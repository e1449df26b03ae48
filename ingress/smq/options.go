package smq

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// What MissingNamespace may be.
const (
	NamespaceSDK    = "sdk"    // accepted from the SDKs that are known to send none
	NamespaceError  = "error"  // refused
	NamespaceAccept = "accept" // accepted
)

// Options of a Face. The zero value works.
type Options struct {
	Account          string         // owner of the topics, digits; default "123456"
	MissingNamespace string         // what to do with documents without a name space: sdk, error or accept; default sdk
	Log              zerolog.Logger // silent by default
}

func (o *Options) setDefaults() {
	if o.Account == "" {
		o.Account = "123456"
	}
	if o.MissingNamespace == "" {
		o.MissingNamespace = NamespaceSDK
	}
}

// Validate reports every bad option at once.
func (o Options) Validate() error {
	o.setDefaults()
	var faults []error
	if !isAccount(o.Account) {
		faults = append(faults, fmt.Errorf("smq: Account is %q, must be up to 64 digits and letters", o.Account))
	}
	switch o.MissingNamespace {
	case NamespaceSDK, NamespaceError, NamespaceAccept:
	default:
		faults = append(faults, fmt.Errorf("smq: MissingNamespace is %q, must be sdk, error or accept", o.MissingNamespace))
	}
	return errors.Join(faults...)
}

func isAccount(s string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return s != "" && len(s) <= 64 && strings.Trim(s, alphabet) == ""
}
