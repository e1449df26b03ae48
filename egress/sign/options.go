package sign

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"

	"github.com/rs/zerolog"
)

// Options of a Signer. The zero value works: the key is generated, and forgotten when the process ends.
type Options struct {
	Dir             string // where a generated key is kept; must exist when the first document is signed; default "": nowhere
	KeyFile         string // private key in PEM, RSA of 2048 bits at least; default: one is generated
	CertificateFile string // its certificate in PEM, and those it was issued by, if any; goes with KeyFile
	URL             string // of the certificate as documents name it, or, unless it ends in ".pem", its base; default: the base of each document's own links

	Entries  int // signatures that are remembered; default 16384, which is 8 MiB at the most
	Parallel int // signatures that are made at a time; default: one less than there are CPUs, so that publishes go on, but one at least

	Log zerolog.Logger // silent by default
}

const entriesDefault = 16384

func (o *Options) setDefaults() {
	o.Entries = cmp.Or(o.Entries, entriesDefault)
	o.Parallel = cmp.Or(o.Parallel, max(1, runtime.GOMAXPROCS(0)-1))
	o.URL = strings.TrimRight(o.URL, "/")
}

// Validate reports every bad option at once. It does not look at files.
func (o *Options) Validate() error {
	var faults []error
	if (o.KeyFile == "") != (o.CertificateFile == "") {
		faults = append(faults, errors.New("sign: KeyFile and CertificateFile go together"))
	}
	u, err := url.Parse(o.URL)
	if o.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(o.URL, "?#\"\\")) {
		faults = append(faults, fmt.Errorf("sign: URL %q must be http://HOST or https://HOST, with a path if need be", o.URL))
	}
	if o.Entries < 0 || o.Parallel < 0 {
		faults = append(faults, errors.New("sign: Entries and Parallel must not be negative"))
	}
	return errors.Join(faults...)
}
