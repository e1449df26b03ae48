package smn

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// JSON is the one envelope.
const JSON = "json"

const timeout = 5 * time.Second

// The labels of a subscription that the face "smn" keeps for this kind.
const (
	labelProject   = "smn.project"    // the project it was made under
	labelPublicURL = "smn.public_url" // where the subscriber reached us
	labelHeaders   = "smn.headers"    // JSON object of header lines that notifications carry
)

// Options of a Kind. The zero value works.
type Options struct {
	Region    string // in every URN; default "eu-de"; letters, digits and hyphens
	Project   string // in the URNs of subscriptions made without one; default "0123456789abcdef0123456789abcdef"
	PublicURL string // base of the links; default: where the subscriber reached us, or http://127.0.0.1:8080
	Signer    Signer // default nil: nothing is signed

	Answers engine.AnswerRules // which statuses mean what, where it is not as the package's documentation says
}

// Signer signs objects. The same message is rendered for every subscription of its topic, so it is for the
// signer to remember what it made.
type Signer interface {
	// AppendSignature appends the base64 signature of a message. The text is what the object has as its message,
	// unescaped, and subscribeURL what it has as its subscribe_url, nil in a notification. It must keep neither.
	AppendSignature(dst []byte, m *engine.Message, topicURN string, text, subscribeURL []byte) []byte
	// CertURL is where the certificate is fetched from; it never changes.
	CertURL() string
}

func (o *Options) setDefaults() {
	o.Region = cmp.Or(o.Region, "eu-de")
	o.Project = cmp.Or(o.Project, "0123456789abcdef0123456789abcdef")
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
}

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	for i := range len(o.Region) {
		if c := o.Region[i]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' {
			faults = append(faults, fmt.Errorf("smn: Region %q must be letters, digits and '-'", o.Region))
			break
		}
	}
	if o.Project != "" && (len(o.Project) != 32 || strings.Trim(o.Project, "0123456789abcdefABCDEF") != "") {
		faults = append(faults, fmt.Errorf("smn: Project %q must be 32 hexadecimal digits", o.Project))
	}
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" &&
		(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		faults = append(faults, fmt.Errorf("smn: PublicURL %q must be http://HOST or https://HOST, with a path if need be", o.PublicURL))
	}
	if reason := o.Answers.Check(); reason != "" {
		faults = append(faults, fmt.Errorf("smn: Answers: %s", reason))
	}
	return errors.Join(faults...)
}

// Kind is the kind "smn".
type Kind struct {
	opts    Options
	answers egress.Answers
}

// New returns the kind. The options must be valid.
func New(opts Options) *Kind {
	opts.setDefaults()
	return &Kind{opts, egress.NewAnswers(judge, &opts.Answers)}
}

// Name is "smn".
func (*Kind) Name() string { return "smn" }

// Check fills in the envelope and refuses another.
func (*Kind) Check(c *engine.SubscriptionConfig) error {
	c.Envelope = cmp.Or(c.Envelope, JSON)
	if c.Envelope != JSON {
		return &engine.FieldError{Field: "envelope", Reason: "must be json for the kind smn"}
	}
	return nil
}

// Timeout is 5 s.
func (*Kind) Timeout() time.Duration { return timeout }

// DefaultRetry makes up to six further attempts. The service does not publish its waits; these are a choice.
func (*Kind) DefaultRetry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Backoff: engine.BackoffList, Jitter: engine.JitterHalf, MaxAttempts: 7, Deaf: true,
		Delays: []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute},
	}
}

// Judge says what a status means: as the options have it, and else as the service does.
func (k *Kind) Judge(status int) egress.Outcome { return k.answers.Judge(status) }

// judge takes 2xx for delivered, and 4xx but 408 and 429 for a refusal for good.
func judge(status int) egress.Outcome {
	switch {
	case status >= 200 && status <= 299:
		return egress.Delivered
	case status >= 400 && status <= 499 && status != 408 && status != 429:
		return egress.Dead
	}
	return egress.Retry
}

// Compile prepares what is the same in every push of the subscription.
func (k *Kind) Compile(s *engine.Subscription) egress.Encoder {
	c := s.Config()
	project := c.Labels[labelProject]
	project = cmp.Or(project, k.opts.Project)
	base := k.opts.PublicURL
	base = cmp.Or(base, c.Labels[labelPublicURL])
	base = cmp.Or(base, "http://127.0.0.1:8080")
	topicURN := "urn:smn:" + k.opts.Region + ":" + project + ":" + s.Topic.Name()
	return newEncoder(k.opts, topicURN, topicURN+":"+c.Name, base, c.Protocol, headerLines(c.Labels[labelHeaders]))
}

// headerLines renders the header lines a subscriber asked for, in the order of their names. The face has
// checked them; one that could break out of its line is dropped all the same.
func headerLines(text string) []byte {
	var headers map[string]string
	if text == "" || json.Unmarshal([]byte(text), &headers) != nil {
		return nil
	}
	var lines []byte
	for _, name := range sortedNames(headers) {
		if line := name + ": " + headers[name]; !strings.ContainsAny(line, "\r\n") {
			lines = append(append(lines, line...), "\r\n"...)
		}
	}
	return lines
}

func sortedNames(headers map[string]string) []string {
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
