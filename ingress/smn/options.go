package smn

import (
	"errors"
	"fmt"
	"net/url"

	"fanfare/ingress/apigw"

	"github.com/rs/zerolog"
)

// Options of the face. The zero value works.
type Options struct {
	Region    string // third part of every URN; default "eu-de"; letters, digits and hyphens
	Project   string // project id where none is known; default "0123456789abcdef0123456789abcdef"; 32 hex digits
	PublicURL string // where clients reach this server, for links; default is the Host of the request
	Log       zerolog.Logger
}

// Defaults of the options.
const (
	defaultRegion  = "eu-de"
	defaultProject = "0123456789abcdef0123456789abcdef"
)

func (o *Options) setDefaults() {
	if o.Region == "" {
		o.Region = defaultRegion
	}
	if o.Project == "" {
		o.Project = defaultProject
	}
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	o.setDefaults()
	var faults []error
	if !validRegion(o.Region) {
		faults = append(faults, fmt.Errorf("region: %q must be letters, digits and hyphens", o.Region))
	}
	if !apigw.ValidProject([]byte(o.Project)) {
		faults = append(faults, fmt.Errorf("project: %q must be 32 hexadecimal digits", o.Project))
	}
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		faults = append(faults, fmt.Errorf("public_url: %q must be an http or https URL", o.PublicURL))
	}
	return errors.Join(faults...)
}

func validRegion(region string) bool {
	for i := range len(region) {
		if c := region[i]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' {
			return false
		}
	}
	return region != ""
}
