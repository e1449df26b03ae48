package sns

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/auth"
	"fanfare/ingress/aws"
)

const (
	kindName = "sns" // the kind of subscribers that subscribe here

	envelopeJSON = "json"
	envelopeRaw  = "raw"

	tokenBytes = 144 // of randomness: 288 hex digits
	tokenAge   = 48 * time.Hour
)

// The labels of a subscription. The kind "sns" reads the first two.
const (
	labelTopicARN      = "sns.topic_arn"     // the topic as the subscriber named it
	labelPublicURL     = "sns.public_url"    // where the subscriber reached us, unless we know better
	labelAuthenticated = "sns.authenticated" // "true": the confirmation was signed
	labelGuarded       = "sns.guarded"       // "true": Unsubscribe has to be signed

	labelDelivery    = "sns.delivery_policy" // DeliveryPolicy, normalised
	labelRedrive     = "sns.redrive_policy"  // RedrivePolicy as it was given
	labelContentType = "sns.content_type"    // of notifications, where it is not the usual one; the kind "sns" reads it
)

// gate lets one call at a time through for a key.
type gate struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // guarded by mu: closed when the key is free again
}

// enter waits until the key is free and takes it; the result gives it back.
func (g *gate) enter(key string) (leave func()) {
	for {
		g.mu.Lock()
		wait := g.busy[key]
		if wait == nil {
			if g.busy == nil {
				g.busy = map[string]chan struct{}{}
			}
			done := make(chan struct{})
			g.busy[key] = done
			g.mu.Unlock()
			return func() {
				g.mu.Lock()
				delete(g.busy, key)
				g.mu.Unlock()
				close(done)
			}
		}
		g.mu.Unlock()
		<-wait
	}
}

// subscribe makes a subscription that waits for its confirmation, and asks the endpoint for it. It is idempotent for a
// topic and an endpoint.
func (c *call) subscribe(p params) error {
	t, arn, err := c.topic(p)
	if err != nil {
		return err
	}
	config, asked, err := c.subscriptionConfig(p, t, arn)
	if err != nil {
		return err
	}
	returnARN, err := p.truth("ReturnSubscriptionArn")
	if err != nil {
		return err
	}
	defer c.face.subscribing.enter(t.Name() + " " + destinationOf(&config))()
	s := subscriptionTo(t, &config)
	if s != nil && isCancelled(s.Config()) {
		if err := c.face.deleteSubscription(s); err != nil {
			return err
		}
		s = nil
	}
	if s == nil {
		if s, err = c.face.putSubscription(t, config); err != nil {
			return err
		}
		c.logSubscription(s, "subscription created")
	} else if err := c.renew(s, config, &asked); err != nil {
		return err
	}
	if s.Config().Pending {
		if err := c.face.askConfirmation(s); err != nil {
			return err
		}
	}
	c.face.sweep(t)
	result := "pending confirmation"
	if returnARN || !s.Config().Pending {
		result = c.subscriptionARN(s)
	}
	c.replyLeaf("Subscribe", "SubscriptionArn", result)
	return nil
}

func (c *call) logSubscription(s *engine.Subscription, message string) {
	c.face.opts.Log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Msg(message)
}

// subscriptionConfig reads what Subscribe asks for.
func (c *call) subscriptionConfig(p params, t *engine.Topic, topicARN string) (config engine.SubscriptionConfig, asked settings, err error) {
	protocol, err := p.required("Protocol")
	if err != nil {
		return config, asked, err
	}
	if !protocols[protocol] {
		return config, asked, invalid("Amazon SNS does not support this protocol string: %s", aws.Shorten(protocol))
	}
	if isFIFO(t) && protocol != protocolSQS {
		return config, asked, invalid("Invalid protocol type: %s", protocol)
	}
	endpoint, err := p.required("Endpoint")
	if err != nil {
		return config, asked, err
	}
	attributes, err := p.pairs("Attributes.entry")
	if err != nil {
		return config, asked, err
	}
	switch protocol {
	case "http", "https":
		config, err = c.pushConfig(protocol, endpoint, topicARN)
	case protocolSQS:
		config, err = c.queueConfig(t, endpoint, topicARN)
	case "lambda", "firehose":
		err = foreign(protocol, endpoint, attributes)
	default:
		config, err = c.gatewayConfig(protocol, endpoint, topicARN)
	}
	if err != nil {
		return config, asked, err
	}
	for _, a := range attributes {
		fault := protocolFault(protocol, a.key, a.value)
		if fault == "" {
			fault = asked.read(c.face, t, &config, a.key, a.value)
		}
		if fault != "" {
			return config, asked, invalid("Attributes Reason: %s", fault)
		}
	}
	if fault := asked.filter.check(&config); fault != "" {
		return config, asked, invalid("Attributes Reason: %s", fault)
	}
	asked.apply(&config, t)
	return config, asked, nil
}

// protocols are those of SNS that are known here. Of these, lambda and firehose are refused more clearly than others.
var protocols = map[string]bool{
	"http": true, "https": true, protocolEmail: true, protocolEmailJSON: true, protocolSMS: true, protocolApplication: true,
	protocolSQS: true, "lambda": true, "firehose": true,
}

// pushConfig is the configuration of a subscription that is pushed to over HTTP. It waits for its confirmation.
func (c *call) pushConfig(protocol, endpoint, topicARN string) (config engine.SubscriptionConfig, err error) {
	if !strings.HasPrefix(endpoint, protocol+"://") {
		return config, invalid("Endpoint must match the specified protocol")
	}
	config = engine.SubscriptionConfig{
		Name: newName(), Kind: kindName, Endpoint: endpoint, Envelope: envelopeJSON, Protocol: protocol,
		Labels: map[string]string{labelTopicARN: topicARN},
	}
	c.wantConfirmation(&config)
	return config, nil
}

// wantConfirmation makes a subscription wait for the token that confirms it.
func (c *call) wantConfirmation(config *engine.SubscriptionConfig) {
	config.Pending, config.Token, config.TokenUntil = true, newToken(), time.Now().Add(tokenAge).UnixMilli()
	if host := c.publicHost(); host != "" {
		config.Labels[labelPublicURL] = host
	}
}

// foreign refuses the protocols of services that are Amazon's alone.
func foreign(protocol, endpoint string, attributes []pair) error {
	name := map[string]string{"lambda": "Lambda", "firehose": "Firehose"}[protocol]
	if parts := strings.SplitN(endpoint, ":", 6); len(parts) < 6 || parts[0] != "arn" || parts[2] != protocol {
		return invalid("%s endpoint ARN", name)
	}
	role := func(a pair) bool { return a.key == "SubscriptionRoleArn" && checkRole(a.key, a.value) == "" }
	if protocol == "firehose" && !slices.ContainsFunc(attributes, role) {
		return invalid("Attributes Reason: SubscriptionRoleArn: required for the protocol firehose")
	}
	return invalid("Protocol Reason: nothing is delivered to %s here", name)
}

// putSubscription makes a subscription that is delivered by the topic's policy as it is then.
func (f *Face) putSubscription(t *engine.Topic, config engine.SubscriptionConfig) (*engine.Subscription, error) {
	if config.Kind != kindName { // it has a policy of its own
		s, _, err := f.engine.PutSubscription(t, config)
		return s, err
	}
	applyDelivery(&config, t)
	known := t.Label(labelTopicDelivery)
	s, _, err := f.engine.PutSubscription(t, config)
	if err == nil && t.Label(labelTopicDelivery) != known { // it changed meanwhile
		err = f.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) { applyDelivery(config, t) })
	}
	return s, err
}

// publicHost is the URL under which this request reached us, "" when the options say better or it cannot be told.
func (c *call) publicHost() string {
	host := string(c.head.Header.Host())
	if c.face.opts.PublicURL != "" || host == "" {
		return ""
	}
	for i := range len(host) {
		if b := host[i]; (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && !strings.ContainsRune(".-_:[]", rune(b)) {
			return ""
		}
	}
	if c.ctx.IsTLS() {
		return "https://" + host
	}
	return "http://" + host
}

// rawDelivery reads the attribute RawMessageDelivery.
func rawDelivery(value string) (raw bool, fault string) {
	switch strings.ToLower(value) {
	case "true":
		return true, ""
	case "false":
		return false, ""
	}
	return false, "RawMessageDelivery: Invalid value [" + aws.Shorten(value) + "]. Must be true or false."
}

// refuseAttribute says why an attribute cannot be set.
func refuseAttribute(name string) (fault string) {
	switch name {
	case "SubscriptionRoleArn", "ReplayPolicy":
		return name + ": not supported"
	}
	return "AttributeName"
}

// subscriptionTo finds a topic's subscription of the destination that another one has, nil when there is none.
func subscriptionTo(t *engine.Topic, other *engine.SubscriptionConfig) *engine.Subscription {
	destination := destinationOf(other)
	for _, s := range t.Subscriptions() {
		config := s.Config()
		if config.Kind == other.Kind && destinationOf(config) == destination && (config.Kind == kindName || config.Protocol == other.Protocol) {
			return s
		}
	}
	return nil
}

// renew answers a Subscribe for an endpoint that has a subscription: attributes that were given must be what it has. One
// that waits for its confirmation waits two days from now.
func (c *call) renew(s *engine.Subscription, fresh engine.SubscriptionConfig, asked *settings) error {
	config := s.Config()
	if !asked.stored(config) {
		return engine.ErrSubscriptionExists
	}
	if !config.Pending {
		return nil
	}
	return c.face.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) {
		if config.TokenUntil < time.Now().UnixMilli() {
			config.Token = fresh.Token
		}
		config.TokenUntil = fresh.TokenUntil
	})
}

// askConfirmation sends the endpoint the token that confirms its subscription.
func (f *Face) askConfirmation(s *engine.Subscription) error {
	return f.notify(s, engine.SubscriptionConfirmation, "You have chosen to subscribe to the topic "+s.Config().Labels[labelTopicARN]+
		".\nTo confirm the subscription, visit the SubscribeURL included in this message.")
}

// notify sends the endpoint its token, in a message of the type.
func (f *Face) notify(s *engine.Subscription, kind engine.MessageType, text string) error {
	config := s.Config()
	m := engine.NewMessage()
	defer m.Release()
	m.SetType(kind)
	m.SetOrigin(engine.OriginSNS)
	m.SetExpiresAt(config.TokenUntil)
	m.Set(engine.FieldToken, []byte(config.Token))
	m.Set(engine.FieldBody, []byte(text))
	return f.engine.Notify(s, m)
}

func newName() string { return string(ingress.NewRequestID().AppendUUID(nil)) }

func newToken() string {
	var b [tokenBytes]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// confirmSubscription is what the SubscribeURL leads to. The token decides; the topic need only be well formed.
func (c *call) confirmSubscription(p params) error {
	topic, err := p.required("TopicArn")
	if err != nil {
		return err
	}
	if a, err := c.parseARN("Topic", []byte(topic)); err != nil || a.id != nil {
		return invalid("Topic")
	}
	token, err := p.required("Token")
	if err != nil {
		return err
	}
	if strings.Trim(token, "0123456789abcdefABCDEF") != "" {
		return &fault{400, codeInvalid, "Invalid token"}
	}
	guarded, err := p.truth("AuthenticateOnUnsubscribe")
	if err != nil {
		return err
	}
	if guarded && !c.signed {
		return refusal(auth.ErrMissing)
	}
	s := c.face.engine.SubscriptionByToken(token)
	if s == nil || !belongs(s.Config()) {
		return engine.ErrTokenInvalid
	}
	if s.Config().Pending {
		if err := c.confirm(s, guarded); err != nil {
			return err
		}
	}
	c.replyLeaf("ConfirmSubscription", "SubscriptionArn", c.subscriptionARN(s))
	return nil
}

func (c *call) confirm(s *engine.Subscription, guarded bool) error {
	err := c.face.engine.UpdateSubscription(s, func(config *engine.SubscriptionConfig) {
		config.Pending = false
		setLabel(config, labelCancelled, "")
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		config.Labels[labelAuthenticated] = truthText(c.signed)
		config.Labels[labelGuarded] = truthText(guarded)
	})
	if err == nil {
		c.logSubscription(s, "subscription confirmed")
	}
	return err
}

func truthText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
