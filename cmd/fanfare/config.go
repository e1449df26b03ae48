package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"fanfare/egress/sign"
	"fanfare/engine"
	"fanfare/ingress/auth"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
	"go.yaml.in/yaml/v4"
)

// config is the whole configuration: the file, with flags and environment on top.
type config struct {
	Listen     string   `yaml:"listen"`     // of all faces, host:port
	Admin      string   `yaml:"admin"`      // of health, metrics and profiles, host:port
	Data       string   `yaml:"data"`       // directory of the store
	Durability string   `yaml:"durability"` // sync, async or memory
	LogLevel   string   `yaml:"log_level"`  // trace, debug, info, warn or error
	PublicURL  string   `yaml:"public_url"` // how subscribers reach the faces; default http://LISTEN
	Insecure   bool     `yaml:"insecure"`   // listen beyond loopback although not every request is asked for a signature
	Grace      duration `yaml:"grace"`      // for what is under way when the process is told to end

	Memory     byteCount    `yaml:"memory"`      // what rings, windows and caches share; default: a quarter of what there is
	RetryScale retryScale   `yaml:"retry_scale"` // what waits between attempts are multiplied by; for tests of subscribers
	Limits     limitsConfig `yaml:"limits"`

	Profiling profilingConfig `yaml:"profiling"`

	SNS snsConfig `yaml:"sns"`
	SQS sqsConfig `yaml:"sqs,omitempty"`
	SMQ smqConfig `yaml:"smq"`
	SMN smnConfig `yaml:"smn"`

	Faces       []string           `yaml:"faces,omitempty"`       // that are served; default: all
	Credentials []credentialConfig `yaml:"credentials,omitempty"` // that sign requests; without any nobody is asked for a signature

	Queues []queueConfig `yaml:"queues,omitempty"`
	Topics []topicConfig `yaml:"topics"`

	keys    *auth.Keyring // the credentials, once the faces stand
	signer  *sign.Signer  // of the kind sns; nil until the server is opened, and while nothing is signed
	mailURL string        // of the gateway for mail, once it runs
	storeFS vfs.FS        // of tests; nil: the operating system's
}

// limitsConfig bounds what clients can make Fanfare hold. Above a limit they get the error of their protocol.
type limitsConfig struct {
	Topics                int       `yaml:"topics"`
	Queues                int       `yaml:"queues"`
	Receivers             int       `yaml:"receivers"` // that wait for messages at a time
	Subscriptions         int       `yaml:"subscriptions"`
	SubscriptionsPerTopic int       `yaml:"subscriptions_per_topic"`
	Connections           int       `yaml:"connections"`         // of clients
	InFlightPublishes     int       `yaml:"in_flight_publishes"` // that wait for their commit
	InFlightBytes         byteCount `yaml:"in_flight_bytes"`     // likewise; default: an eighth of memory
	FreeBytes             byteCount `yaml:"free_bytes"`          // of the disk: with less no publish is accepted
	StoredBytes           byteCount `yaml:"stored_bytes"`        // of the store: with more no publish is accepted; 0: no limit
}

// profilingConfig says how closely the runtime watches locks and waits, for the mutex and block profiles.
type profilingConfig struct {
	MutexFraction int `yaml:"mutex_fraction"` // one of so many contended unlocks is recorded; 0: none
	BlockRateNS   int `yaml:"block_rate_ns"`  // one wait in so many nanoseconds of waiting is recorded; 0: none
}

type snsConfig struct {
	Region   string         `yaml:"region"`
	Account  string         `yaml:"account"`
	Gateways gatewaysConfig `yaml:"gateways,omitempty"` // for what is not reached over HTTP
	Queues   string         `yaml:"queues,omitempty"`   // where queues are that are not ours: a base URL, or a list of [REGION/]ACCOUNT=URL
	Answers  answersConfig  `yaml:"answers,omitempty"`

	Signing  string `yaml:"signing"`             // auto, on or off: see signing.go
	CertURL  string `yaml:"cert_url,omitempty"`  // of the certificate in documents, or its base; default: public_url
	CertFile string `yaml:"cert_file,omitempty"` // certificate in PEM; default: one is generated and kept in data
	KeyFile  string `yaml:"key_file,omitempty"`  // its key
}

type sqsConfig struct {
	Region  string `yaml:"region,omitempty"`  // default: that of sns
	Account string `yaml:"account,omitempty"` // likewise
}

type smqConfig struct {
	Account          string `yaml:"account"`
	MissingNamespace string `yaml:"missing_namespace"` // sdk, error or accept

	Answers answersConfig `yaml:"answers,omitempty"`
}

type smnConfig struct {
	Region  string        `yaml:"region"`
	Project string        `yaml:"project"`
	Answers answersConfig `yaml:"answers,omitempty"`
}

type topicConfig struct {
	Name          string               `yaml:"name"`
	FIFO          *fifoConfig          `yaml:"fifo,omitempty"` // left out: a standard topic
	Retention     retentionConfig      `yaml:"retention,omitempty"`
	Subscriptions []subscriptionConfig `yaml:"subscriptions,omitempty"`
}

// retentionConfig says how long settled messages are kept.
type retentionConfig struct {
	Age   duration  `yaml:"age,omitempty"`
	Bytes byteCount `yaml:"bytes,omitempty"`
}

func (r retentionConfig) engine() engine.Retention {
	return engine.Retention{Age: time.Duration(r.Age), Bytes: int64(r.Bytes)}
}

type subscriptionConfig struct {
	Name              string            `yaml:"name"`
	Kind              string            `yaml:"kind"`
	Endpoint          string            `yaml:"endpoint"`
	Envelope          string            `yaml:"envelope,omitempty"`
	MaxInFlight       int               `yaml:"max_in_flight,omitempty"`
	Pipeline          int               `yaml:"pipeline,omitempty"`
	MaxPerSecond      int               `yaml:"max_per_second,omitempty"`
	Ordered           bool              `yaml:"ordered,omitempty"` // within a group one after the other
	FilterTag         string            `yaml:"filter_tag,omitempty"`
	FilterPolicy      string            `yaml:"filter_policy,omitempty"`       // JSON, in the language of Amazon SNS
	FilterPolicyScope string            `yaml:"filter_policy_scope,omitempty"` // MessageAttributes or MessageBody
	Retry             retryConfig       `yaml:"retry,omitempty"`
	Answers           answersConfig     `yaml:"answers,omitempty"`
	DeadLetters       deadLettersConfig `yaml:"dead_letters,omitempty"`
}

type retryConfig struct {
	Backoff          string     `yaml:"backoff,omitempty"` // doubling, linear, arithmetic, geometric, exponential, random or list
	Jitter           string     `yaml:"jitter,omitempty"`  // full, half or none
	MinDelay         duration   `yaml:"min_delay,omitempty"`
	MaxDelay         duration   `yaml:"max_delay,omitempty"`
	Delays           []duration `yaml:"delays,omitempty"`
	Immediate        int        `yaml:"immediate,omitempty"`
	AtMinDelay       int        `yaml:"at_min_delay,omitempty"`
	AtMaxDelay       int        `yaml:"at_max_delay,omitempty"`
	MaxAttempts      int        `yaml:"max_attempts,omitempty"`
	MaxAge           duration   `yaml:"max_age,omitempty"`
	Timeout          duration   `yaml:"timeout,omitempty"`
	IgnoreRetryAfter bool       `yaml:"ignore_retry_after,omitempty"`
}

func (r *retryConfig) engine() engine.RetryPolicy {
	var delays []time.Duration // nil without any, as it is read from the store
	if len(r.Delays) > 0 {
		delays = make([]time.Duration, 0, len(r.Delays))
	}
	for _, d := range r.Delays {
		delays = append(delays, time.Duration(d))
	}
	return engine.RetryPolicy{
		Backoff: engine.Backoff(r.Backoff), Jitter: engine.Jitter(r.Jitter),
		MinDelay: time.Duration(r.MinDelay), MaxDelay: time.Duration(r.MaxDelay), Delays: delays,
		Immediate: r.Immediate, AtMinDelay: r.AtMinDelay, AtMaxDelay: r.AtMaxDelay,
		MaxAttempts: r.MaxAttempts, MaxAge: time.Duration(r.MaxAge), Timeout: time.Duration(r.Timeout), Deaf: r.IgnoreRetryAfter,
	}
}

// answersConfig says which statuses mean what: "410", or a class such as "4xx".
type answersConfig struct {
	Accept []string `yaml:"accept,omitempty"`
	Retry  []string `yaml:"retry,omitempty"`
	Final  []string `yaml:"final,omitempty"`
}

func (a *answersConfig) engine() engine.AnswerRules {
	return engine.AnswerRules{Accept: a.Accept, Retry: a.Retry, Final: a.Final}
}

// deadLettersConfig says where dead letters go: the built-in list, a topic, or a queue that speaks the API of SQS.
type deadLettersConfig struct {
	Topic string `yaml:"topic,omitempty"`
	Queue string `yaml:"queue,omitempty"`
}

func defaultConfig() *config {
	return &config{
		Listen:     "127.0.0.1:8080",
		Admin:      "127.0.0.1:8081",
		Data:       "./fanfare-data",
		Durability: string(engine.DurabilitySync),
		LogLevel:   "info",
		Grace:      duration(30 * time.Second),
		Memory:     defaultMemory(),
		RetryScale: 1,
		Limits: limitsConfig{
			Topics: 1_000_000, Queues: 100_000, Receivers: 20_000, Subscriptions: 1_000_000, SubscriptionsPerTopic: 100_000, Connections: 65_536,
			InFlightPublishes: 16_384, FreeBytes: 256 << 20,
		},
		SNS: snsConfig{Region: "us-east-1", Account: "000000000000", Signing: signingAuto},
		SMQ: smqConfig{Account: "123456", MissingNamespace: "sdk"},
		SMN: smnConfig{Region: "eu-de", Project: "0123456789abcdef0123456789abcdef"},
	}
}

// loadConfig reads the file, if one is named, puts the overrides on top and checks all of it. Every fault
// is reported at once.
func loadConfig(file string, overrides func(*config)) (*config, error) {
	c := defaultConfig()
	d := &decoder{file: file}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		d.decode(text, c)
	}
	overrides(c)
	d.refuseZeros(c)
	c.validate(func(key, format string, args ...any) {
		d.faults = append(d.faults, &fault{file, d.lines[key], key, fmt.Sprintf(format, args...)})
	})
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// refuseZeros reports numbers that are given as zero where zero stands for the default.
func (d *decoder) refuseZeros(c *config) {
	for i := range c.Topics {
		for j, s := range c.Topics[i].Subscriptions {
			for key, value := range map[string]int{"max_in_flight": s.MaxInFlight, "pipeline": s.Pipeline} {
				full := fmt.Sprintf("topics[%d].subscriptions[%d].%s", i, j, key)
				if line, given := d.lines[full]; given && value == 0 && !d.faulty(full) {
					d.faults = append(d.faults, &fault{d.file, line, full, "must be at least 1"})
				}
			}
		}
	}
}

func (c *config) validate(fault func(key, format string, args ...any)) {
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			fault(key, "is %q, must be one of %s", value, strings.Join(allowed, ", "))
		}
	}
	for _, a := range []struct{ key, value string }{{"listen", c.Listen}, {"admin", c.Admin}} {
		host, _, err := net.SplitHostPort(a.value)
		switch {
		case err != nil:
			fault(a.key, "is %q, must be host:port", a.value)
		case !c.Insecure && !isLoopback(host):
			if why := c.exposed(a.key); why != "" {
				fault(a.key, "%q is reachable from other machines, and %s", a.value, why)
			}
		}
	}
	if c.Listen == c.Admin && !strings.HasSuffix(c.Listen, ":0") {
		fault("admin", "must differ from listen")
	}
	if c.Data == "" {
		fault("data", "must name a directory")
	}
	oneOf("durability", c.Durability, "sync", "async", "memory")
	if _, err := zerolog.ParseLevel(c.LogLevel); err != nil || c.LogLevel == "" {
		fault("log_level", "is %q, must be trace, debug, info, warn or error", c.LogLevel)
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		fault("public_url", "is %q, must be an http or https URL", c.PublicURL)
	}
	if c.Grace < 0 {
		fault("grace", "must not be negative")
	}
	if c.Memory < memoryMin {
		fault("memory", "must be at least %s", mustText(memoryMin))
	}
	for _, l := range []struct {
		key   string
		value int
	}{
		{"topics", c.Limits.Topics},
		{"queues", c.Limits.Queues},
		{"receivers", c.Limits.Receivers},
		{"subscriptions", c.Limits.Subscriptions},
		{"subscriptions_per_topic", c.Limits.SubscriptionsPerTopic},
		{"connections", c.Limits.Connections},
		{"in_flight_publishes", c.Limits.InFlightPublishes},
	} {
		if l.value < 1 || l.value > 1<<24 {
			fault("limits."+l.key, "must be between 1 and %d", 1<<24)
		}
	}
	oneOf("sns.signing", c.SNS.Signing, signingAuto, signingOn, signingOff)
	c.validateSigning(fault)
	for _, p := range []struct {
		key   string
		value int
	}{{"mutex_fraction", c.Profiling.MutexFraction}, {"block_rate_ns", c.Profiling.BlockRateNS}} {
		if p.value < 0 || p.value > 1e9 {
			fault("profiling."+p.key, "must be between 0 and 1000000000")
		}
	}
	oneOf("smq.missing_namespace", c.SMQ.MissingNamespace, "sdk", "error", "accept")
	c.validateVendors(fault)
	c.validateFaces(fault)
	c.validateCredentials(fault)
	c.validateQueues(fault)
	c.validateTopics(fault)
}

// validateTopics checks the declared topics with the rules of the engine and the kinds.
func (c *config) validateTopics(fault func(key, format string, args ...any)) {
	known := map[string]bool{}
	for i := range c.Topics {
		t := &c.Topics[i]
		at := fmt.Sprintf("topics[%d]", i)
		if err := engine.CheckTopicName(t.Name); err != nil {
			fault(at+".name", "%s", err.Reason)
		} else if known[t.Name] {
			fault(at+".name", "%q is declared twice", t.Name)
		}
		known[t.Name] = true
		var field *engine.FieldError
		if err := t.Retention.engine().Check(); errors.As(err, &field) {
			fault(at+"."+field.Field, "%s", field.Reason)
		}
		names := map[string]bool{}
		for j := range t.Subscriptions {
			s := &t.Subscriptions[j]
			at := fmt.Sprintf("%s.subscriptions[%d]", at, j)
			if names[s.Name] {
				fault(at+".name", "%q is declared twice", s.Name)
			}
			names[s.Name] = true
			for _, f := range c.checkSubscription(s) {
				fault(at+"."+f.Field, "%s", f.Reason)
			}
		}
	}
}

// checkSubscription fills in the defaults and returns what is wrong.
func (c *config) checkSubscription(s *subscriptionConfig) []*engine.FieldError {
	ec := s.engine()
	var faults []*engine.FieldError
	var field *engine.FieldError
	if err := checkKind(&ec); errors.As(err, &field) {
		faults = append(faults, field)
	}
	ec.SetDefaults()
	faults = append(faults, ec.Validate()...)
	s.Kind, s.Envelope, s.MaxInFlight, s.Pipeline = ec.Kind, ec.Envelope, ec.MaxInFlight, ec.Pipeline
	return faults
}

// engine translates to the engine's own form.
func (s *subscriptionConfig) engine() engine.SubscriptionConfig {
	return engine.SubscriptionConfig{
		Name: s.Name, Kind: s.Kind, Endpoint: s.Endpoint, Envelope: s.Envelope,
		MaxInFlight: s.MaxInFlight, Pipeline: s.Pipeline, MaxPerSecond: s.MaxPerSecond, Ordered: s.Ordered, FilterTag: s.FilterTag, Declared: true,
		FilterPolicy: s.FilterPolicy, FilterPolicyScope: s.FilterPolicyScope,
		Retry:       s.Retry.engine(),
		Answers:     s.Answers.engine(),
		DeadLetters: engine.DeadLetterPlace{Topic: s.DeadLetters.Topic, Queue: s.DeadLetters.Queue},
	}
}

// dump prints the configuration as a file that leads to it.
func (c *config) dump() ([]byte, error) { return yaml.Marshal(c) }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
