package sns

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
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
	defer c.face.subscribing.enter(t.Name() + " " + config.Endpoint)()
	s := subscriptionTo(t, config.Endpoint)
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
	if protocol != "http" && protocol != "https" {
		return config, asked, invalid("Amazon SNS does not support this protocol string: %s", shorten(protocol))
	}
	endpoint, err := p.required("Endpoint")
	if err != nil {
		return config, asked, err
	}
	if !strings.HasPrefix(endpoint, protocol+"://") {
		return config, asked, invalid("Endpoint must match the specified protocol")
	}
	attributes, err := p.pairs("Attributes.entry", "key", "value")
	if err != nil {
		return config, asked, err
	}
	for _, a := range attributes {
		if fault := asked.read(c.face, t, a.key, a.value); fault != "" {
			return config, asked, invalid("Attributes Reason: %s", fault)
		}
	}
	if fault := asked.filter.check(&config); fault != "" {
		return config, asked, invalid("Attributes Reason: %s", fault)
	}
	labels := map[string]string{labelTopicARN: topicARN}
	if host := c.publicHost(); host != "" {
		labels[labelPublicURL] = host
	}
	config = engine.SubscriptionConfig{
		Name: newName(), Kind: kindName, Endpoint: endpoint, Envelope: envelopeJSON, Protocol: protocol,
		Pending: true, Token: newToken(), TokenUntil: time.Now().Add(tokenAge).UnixMilli(),
		Labels: labels,
	}
	asked.apply(&config, t)
	return config, asked, nil
}

// putSubscription makes a subscription that is delivered by the topic's policy as it is then.
func (f *Face) putSubscription(t *engine.Topic, config engine.SubscriptionConfig) (*engine.Subscription, error) {
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

// rawDelivery turns the attribute RawMessageDelivery into an envelope.
func rawDelivery(value string) (envelope, fault string) {
	switch strings.ToLower(value) {
	case "true":
		return envelopeRaw, ""
	case "false":
		return envelopeJSON, ""
	}
	return "", "RawMessageDelivery: Invalid value [" + shorten(value) + "]. Must be true or false."
}

// refuseAttribute says why an attribute cannot be set.
func refuseAttribute(name string) (fault string) {
	switch name {
	case "SubscriptionRoleArn", "ReplayPolicy":
		return name + ": not supported"
	}
	return "AttributeName"
}

// subscriptionTo finds a topic's subscription of an endpoint, nil when there is none.
func subscriptionTo(t *engine.Topic, endpoint string) *engine.Subscription {
	for _, s := range t.Subscriptions() {
		if config := s.Config(); config.Kind == kindName && config.Endpoint == endpoint {
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
	config := s.Config()
	m := engine.NewMessage()
	defer m.Release()
	m.SetType(engine.SubscriptionConfirmation)
	m.SetOrigin(engine.OriginSNS)
	m.SetExpiresAt(config.TokenUntil)
	m.Set(engine.FieldToken, []byte(config.Token))
	m.Set(engine.FieldBody, []byte("You have chosen to subscribe to the topic "+config.Labels[labelTopicARN]+
		".\nTo confirm the subscription, visit the SubscribeURL included in this message."))
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
	s := c.face.engine.SubscriptionByToken(token)
	if s == nil || s.Config().Kind != kindName {
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

// unsubscribe is what the UnsubscribeURL leads to. It is idempotent.
func (c *call) unsubscribe(p params) error {
	s, err := c.subscription(p)
	switch {
	case errors.Is(err, engine.ErrSubscriptionNotFound):
		c.replyNone("Unsubscribe")
		return nil
	case err != nil:
		return err
	case s.Config().Labels[labelGuarded] == "true" && !c.signed:
		return &fault{403, "AuthorizationError", "User is not authorized to perform: SNS:Unsubscribe on resource: " + c.subscriptionARN(s)}
	}
	if err := c.face.engine.DeleteSubscription(s); err != nil && !errors.Is(err, engine.ErrSubscriptionNotFound) {
		return err
	}
	c.logSubscription(s, "subscription deleted")
	c.replyNone("Unsubscribe")
	return nil
}
