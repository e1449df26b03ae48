package sns

import (
	"bytes"
	"net/mail"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// What is not delivered over HTTP itself is handed to a gateway by the kind "gateway": a push to a URL of the options,
// with everything about the message and its destination in it.

// Gateways are the URLs of the gateways; without one its protocols are refused.
type Gateways struct {
	Application string // of the protocol application: mobile push
	SMS         string // of the protocol sms
	Email       string // of the protocols email and email-json
}

const (
	gatewayKind = "gateway"

	protocolApplication = "application"
	protocolSMS         = "sms"
	protocolEmail       = "email"
	protocolEmailJSON   = "email-json"

	labelEndpoint    = "sns.endpoint"    // of a subscription to a gateway or a queue: what its subscriber called the endpoint
	labelDestination = "sns.destination" // of one to a gateway: where that is to send to; the kind "gateway" reads it
)

// gateway is the URL of a protocol's gateway, with the key that sets it.
func (f *Face) gateway(protocol string) (url, key string) {
	g := &f.opts.Gateways
	switch protocol {
	case protocolApplication:
		return g.Application, "sns.gateways.application"
	case protocolSMS:
		return g.SMS, "sns.gateways.sms"
	default:
		return g.Email, "sns.gateways.email"
	}
}

func noGateway(parameter, protocol, key string) error {
	return invalid("%s Reason: no gateway for %s is configured here (%s)", parameter, protocol, key)
}

// gatewayConfig is the configuration of a subscription to a gateway. Text messages and mobile push need no confirmation.
func (c *call) gatewayConfig(protocol, endpoint, topicARN string) (config engine.SubscriptionConfig, err error) {
	destination, err := c.destination(protocol, endpoint)
	if err != nil {
		return config, err
	}
	url, key := c.face.gateway(protocol)
	if url == "" {
		return config, noGateway("Protocol", protocol, key)
	}
	config = engine.SubscriptionConfig{
		Name: newName(), Kind: gatewayKind, Endpoint: url, Protocol: protocol,
		Labels: map[string]string{labelTopicARN: topicARN, labelEndpoint: endpoint, labelDestination: destination},
	}
	if protocol == protocolEmail || protocol == protocolEmailJSON {
		c.wantConfirmation(&config)
	} else {
		config.Labels[labelAuthenticated] = "true"
	}
	return config, nil
}

const endpointBytesMax = 2048

// destination checks an endpoint that a gateway sends to and returns it in its normal form.
func (c *call) destination(protocol, endpoint string) (string, error) {
	if len(endpoint) > endpointBytesMax {
		return "", invalid("Endpoint Reason: is longer than %d bytes", endpointBytesMax)
	}
	switch protocol {
	case protocolSMS:
		number, ok := normalNumber(endpoint)
		if !ok {
			return "", notPrefixed("Invalid SMS endpoint: %s", aws.Shorten(endpoint))
		}
		return number, nil
	case protocolApplication:
		a, id, err := c.endpointNamed("Endpoint", endpoint)
		if err != nil {
			return "", invalid("Application endpoint arn invalid:%s", aws.Shorten(endpoint))
		}
		if c.face.engine.Document([]byte(a.endpoints()+id)) == nil {
			return "", invalid("Endpoint Reason: Endpoint does not exist for endpoint %s", aws.Shorten(endpoint))
		}
		return endpoint, nil
	}
	if a, err := mail.ParseAddress(endpoint); err != nil || a.Address != endpoint || strings.ContainsAny(endpoint, "\r\n") {
		return "", invalid("Email address")
	}
	return endpoint, nil
}

// normalNumber takes the separators out of a phone number: single ones, and none at the ends.
func normalNumber(text string) (string, bool) {
	text = strings.TrimPrefix(text, "+")
	number := []byte{'+'}
	separated := true // as it were, at the beginning
	for i := range len(text) {
		switch b := text[i]; b {
		case '-', '.', '/', ' ':
			if separated {
				return "", false
			}
			separated = true
		default:
			number, separated = append(number, b), false
		}
	}
	return string(number), !separated && isPhoneNumber(number)
}

// protocolFault says what is wrong with an attribute for a protocol, whatever its value, "" for nothing.
func protocolFault(protocol, name, value string) string {
	switch {
	case protocol == "http" || protocol == "https":
	case name == "RawMessageDelivery" && protocol != protocolSQS && strings.EqualFold(value, "true"):
		return "Delivery protocol [" + protocol + "] does not support raw message delivery."
	case name == "DeliveryPolicy" && value != "":
		return "Delivery protocol [" + protocol + "] does not support a delivery policy."
	}
	return ""
}

// endpointOf is what the subscriber of a subscription called the endpoint.
func (c *call) endpointOf(config *engine.SubscriptionConfig) string {
	switch config.Kind {
	case gatewayKind:
		return config.Labels[labelEndpoint]
	case queueKind:
		return c.queueShown(config)
	}
	return config.Endpoint
}

// destinationOf is where a subscription delivers: one topic has one subscription for it and the protocol.
func destinationOf(config *engine.SubscriptionConfig) string {
	if config.Kind == gatewayKind {
		return config.Labels[labelDestination]
	}
	return config.Endpoint
}

// What is published to a phone number or to a device goes through a topic of its own, which clients of this API do not
// see, with one subscription: so it is saved, retried and, in the end, a dead letter like everything else. The message
// carries the destination as its keys. The names have a dot, which those of clients must not have.
const (
	directPrefix           = "sns."
	directSubscriptionName = "gateway"
)

// isDirect reports whether a topic is one of these.
func isDirect(name []byte) bool {
	return bytes.Equal(name, directSMS) || bytes.Equal(name, directApplication)
}

var (
	directSMS         = []byte(directPrefix + protocolSMS)
	directApplication = []byte(directPrefix + protocolApplication)
)

// directTopic finds the topic for what is published to single destinations of a protocol, and makes it at first use.
func (f *Face) directTopic(protocol string) (*engine.Topic, error) {
	name, parameter := directSMS, "PhoneNumber"
	if protocol == protocolApplication {
		name, parameter = directApplication, "TargetArn"
	}
	url, key := f.gateway(protocol)
	if url == "" {
		return nil, noGateway(parameter, protocol, key)
	}
	if t := f.engine.Topic(name); t != nil && t.Subscription(directSubscriptionName) != nil {
		return t, nil
	}
	defer f.editing.enter(string(name))()
	t, _, err := f.engine.CreateTopic(string(name), nil)
	if err != nil {
		return nil, err
	}
	if t.Subscription(directSubscriptionName) != nil {
		return t, nil
	}
	_, _, err = f.engine.PutSubscription(t, engine.SubscriptionConfig{
		Name: directSubscriptionName, Kind: gatewayKind, Endpoint: url, Protocol: protocol,
	})
	return t, err
}

// phoneTarget makes a message one for a phone number.
func (c *call) phoneTarget(m *engine.Message, raw []byte) (*engine.Topic, error) {
	number, err := c.decode(raw)
	if err != nil {
		return nil, err
	}
	t, err := c.face.directTopic(protocolSMS)
	if err != nil {
		return nil, err
	}
	arena := m.Begin(engine.FieldKeys)
	if number[0] != '+' {
		arena = append(arena, '+')
	}
	m.End(append(arena, number...))
	return t, nil
}

// endpointTarget makes a message one for a device, and returns the key of its text in a message by protocol.
func (c *call) endpointTarget(m *engine.Message, arn, resource []byte) (t *engine.Topic, textKey string, err error) {
	rest := resource[len(endpointPrefix):]
	platform, rest, _ := bytes.Cut(rest, slash)
	name, id, ok := bytes.Cut(rest, slash)
	switch {
	case !ok || bytes.IndexByte(id, '/') >= 0:
		return nil, "", invalid("TargetArn Reason: Wrong number of slashes in relative portion of the ARN.")
	case len(id) != endpointIDBytes:
		return nil, "", invalid(endpointIDFault, "TargetArn")
	}
	c.key = append(append(c.key[:0], documentPrefix...), resource...)
	document := c.face.engine.Document(c.key)
	c.key = append(append(append(append(c.key[:0], documentPrefix+applicationPrefix...), platform...), '/'), name...)
	app := c.face.engine.Document(c.key)
	switch {
	case document == nil || app == nil:
		return nil, "", errNoEndpoint
	case isDisabled(app):
		return nil, "", errApplicationDisabled
	case isDisabled(document):
		return nil, "", errEndpointDisabled
	}
	if t, err = c.face.directTopic(protocolApplication); err != nil {
		return nil, "", err
	}
	textKey = platforms[string(platform)]
	m.Set(engine.FieldKeys, arn)
	return t, textKey, nil
}

var slash = []byte("/")

var (
	errEndpointDisabled    = &fault{400, "EndpointDisabled", "Endpoint is disabled"}
	errApplicationDisabled = &fault{400, "PlatformApplicationDisabled", "Platform application is disabled"}
)
