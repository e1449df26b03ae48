package smq

import (
	"slices"
	"strings"
	"time"

	"fanfare/engine"
	"fanfare/ingress/aliyun"

	"github.com/valyala/fasthttp"
)

// Source: "Subscribe", "SetSubscriptionAttributes", "GetSubscriptionAttributes", "Unsubscribe" and
// "ListSubscriptionByTopic" of the SMQ HTTP reference, read 2026-11; "NotifyStrategy" for the retries.

// kind is the kind of the subscriptions this face makes.
const kind = "smq"

// labelNotifyStrategy is the label of a subscription that keeps its strategy.
const labelNotifyStrategy = "smq.NotifyStrategy"

// The strategies.
const (
	strategyBackoff     = "BACKOFF_RETRY"
	strategyExponential = "EXPONENTIAL_DECAY_RETRY"
)

// envelopes maps NotifyContentFormat to the kind's envelopes.
var envelopes = map[string]string{"XML": "xml", "JSON": "json", "SIMPLIFIED": "simplified"}

// retries is a strategy as a policy. The first tries three times more, each a random 10 to 20 s later; the second
// 176 times more, 1, 2, 4 and so on up to 512 s later. The attempts are what ends either.
func retries(strategy string) engine.RetryPolicy {
	p := engine.RetryPolicy{
		Backoff: engine.BackoffRandom, Jitter: engine.JitterNone, MinDelay: 10 * time.Second, MaxDelay: 20 * time.Second,
		MaxAttempts: 4, Deaf: true,
	}
	if strategy == strategyExponential {
		p.Backoff, p.MinDelay, p.MaxDelay, p.MaxAttempts = engine.BackoffDoubling, time.Second, 512*time.Second, 177
	}
	return p
}

// subscriptionAttributes is what a Subscription document says; nil is what it does not.
type subscriptionAttributes struct {
	endpoint, filterTag, strategy, format *string
}

var subscriptionElements = []string{"Endpoint", "FilterTag", "NotifyStrategy", "NotifyContentFormat"}

func (f *Face) parseSubscription(x *aliyun.Exchange) (a subscriptionAttributes, fault *fault) {
	fault = f.parseFlat(x, "Subscription", subscriptionElements, func(name, text string) *aliyun.Fault {
		switch name {
		case "Endpoint":
			a.endpoint = &text
		case "FilterTag":
			if len(text) > engine.FilterTagBytesMax {
				return aliyun.Range(name, "1 and 255 bytes")
			}
			a.filterTag = &text
		case "NotifyStrategy":
			if text != strategyBackoff && text != strategyExponential {
				return aliyun.Schema(name)
			}
			a.strategy = &text
		case "NotifyContentFormat":
			if envelopes[text] == "" {
				return aliyun.Schema(name)
			}
			a.format = &text
		}
		return nil
	})
	return a, fault
}

func orDefault(s *string, value string) string {
	if s != nil {
		return *s
	}
	return value
}

// config is the subscription that the attributes ask for.
func (a *subscriptionAttributes) config(name string) engine.SubscriptionConfig {
	strategy := orDefault(a.strategy, strategyBackoff)
	return engine.SubscriptionConfig{
		Name:      name,
		Kind:      kind,
		Endpoint:  orDefault(a.endpoint, ""),
		Envelope:  envelopes[orDefault(a.format, "XML")],
		FilterTag: orDefault(a.filterTag, ""),
		Retry:     retries(strategy),
		Labels:    map[string]string{labelNotifyStrategy: strategy},
	}
}

// checkEndpoint checks the form of an endpoint. Queues, mail, SMS and mobile push have forms of their own, and
// nothing behind them here.
func checkEndpoint(endpoint string) *fault {
	switch {
	case endpoint == "":
		return faultEndpoint
	case hasPrefixFold(endpoint, "http://"), hasPrefixFold(endpoint, "https://"):
		return nil
	default:
		return faultEndpointKind
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// same reports whether a subscription is what Subscribe would make.
func same(a, b *engine.SubscriptionConfig) bool {
	return a.Kind == b.Kind && a.Endpoint == b.Endpoint && a.Envelope == b.Envelope && a.FilterTag == b.FilterTag && strategyOf(a) == strategyOf(b)
}

func strategyOf(c *engine.SubscriptionConfig) string {
	if s := c.Labels[labelNotifyStrategy]; s != "" {
		return s
	}
	return strategyBackoff
}

func formatOf(c *engine.SubscriptionConfig) string {
	for format, envelope := range envelopes {
		if envelope == c.Envelope {
			return format
		}
	}
	return "XML"
}

// subscribe is Subscribe: 201 for a new subscription, 204 for one that exists with the same attributes.
func (f *Face) subscribe(x *aliyun.Exchange, topicSegment, segment []byte) *fault {
	name, fault := decodeSegment(nil, segment)
	if fault != nil {
		return fault
	}
	attributes, fault := f.parseSubscription(x)
	if fault != nil {
		return fault
	}
	t, fault := f.topic(topicSegment)
	if fault != nil {
		return fault
	}
	if fault := checkEndpoint(orDefault(attributes.endpoint, "")); fault != nil {
		return fault
	}
	config := attributes.config(string(name))
	created, fault := f.putSubscription(t, config)
	if fault != nil {
		return fault
	}
	answerPut(x, created, appendSubscriptionURL(x.AppendBase(nil), t.Name(), config.Name))
	return nil
}

// putSubscription makes a subscription unless there is one of the name, which must be the same then.
func (f *Face) putSubscription(t *engine.Topic, config engine.SubscriptionConfig) (created bool, fault *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := t.Subscription(config.Name); s != nil {
		if !same(s.Config(), &config) {
			return false, faultSubscriptionExists
		}
		return false, nil
	}
	fault = checkName([]byte(config.Name), subscriptionNameBytesMax, faultSubscriptionName, faultSubscriptionNameLength)
	if fault != nil {
		return false, fault
	}
	if _, _, err := f.engine.PutSubscription(t, config); err != nil {
		return false, faultOf(err)
	}
	f.log.Info().Str("topic", t.Name()).Str("subscription", config.Name).Msg("subscription created")
	return true, nil
}

// subscription finds the subscription of this kind that two segments of the path name.
func (f *Face) subscription(topicSegment, segment []byte) (*engine.Subscription, *fault) {
	name, fault := decodeSegment(nil, segment)
	if fault != nil {
		return nil, fault
	}
	t, fault := f.topic(topicSegment)
	if fault != nil {
		return nil, fault
	}
	if s := t.Subscription(string(name)); s != nil && s.Config().Kind == kind {
		return s, nil
	}
	return nil, faultSubscriptionNotExist
}

// setSubscriptionAttributes is SetSubscriptionAttributes. NotifyStrategy can be changed, and FilterTag, which
// the Java SDK can send too.
func (f *Face) setSubscriptionAttributes(x *aliyun.Exchange, topicSegment, segment []byte) *fault {
	attributes, fault := f.parseSubscription(x)
	if fault != nil {
		return fault
	}
	s, fault := f.subscription(topicSegment, segment)
	if fault != nil {
		return fault
	}
	err := f.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) {
		if attributes.strategy != nil {
			if c.Labels == nil {
				c.Labels = map[string]string{}
			}
			c.Labels[labelNotifyStrategy] = *attributes.strategy
			c.Retry = retries(*attributes.strategy)
		}
		if attributes.filterTag != nil {
			c.FilterTag = *attributes.filterTag
		}
	})
	if err != nil {
		return faultOf(err)
	}
	x.Done(fasthttp.StatusNoContent)
	return nil
}

// getSubscriptionAttributes is GetSubscriptionAttributes.
func (f *Face) getSubscriptionAttributes(x *aliyun.Exchange, topicSegment, segment []byte) *fault {
	s, fault := f.subscription(topicSegment, segment)
	if fault != nil {
		return fault
	}
	x.Reply(fasthttp.StatusOK, f.appendSubscription([]byte(aliyun.XMLHead), s, ` xmlns="`+f.dialect.Namespace+`"`, nil))
	return nil
}

// unsubscribe is Unsubscribe.
func (f *Face) unsubscribe(x *aliyun.Exchange, topicSegment, segment []byte) *fault {
	s, fault := f.subscription(topicSegment, segment)
	if fault != nil {
		return fault
	}
	if err := f.engine.DeleteSubscription(s); err != nil {
		return faultOf(err)
	}
	f.log.Info().Str("topic", s.Topic.Name()).Str("subscription", s.Name()).Msg("subscription deleted")
	x.Done(fasthttp.StatusNoContent)
	return nil
}

// listSubscriptions is ListSubscriptionByTopic.
func (f *Face) listSubscriptions(x *aliyun.Exchange, topicSegment []byte) *fault {
	page, fault := parsePage(x)
	if fault != nil {
		return fault
	}
	t, fault := f.topic(topicSegment)
	if fault != nil {
		return fault
	}
	var subs []*engine.Subscription
	for _, s := range t.Subscriptions() {
		if name := s.Name(); s.Config().Kind == kind && strings.HasPrefix(name, page.prefix) && name > page.after {
			subs = append(subs, s)
		}
	}
	slices.SortFunc(subs, func(a, b *engine.Subscription) int { return strings.Compare(a.Name(), b.Name()) })
	b := append([]byte(aliyun.XMLHead), `<Subscriptions xmlns="`+f.dialect.Namespace+`">`...)
	for i, s := range subs {
		if i == page.limit {
			b = appendMarker(b, subs[i-1].Name())
			break
		}
		url := appendSubscriptionURL(x.AppendBase(nil), t.Name(), s.Name())
		if page.withMeta {
			b = f.appendSubscription(b, s, "", url)
		} else {
			b = append(b, "<Subscription>"...)
			b = appendElement(b, "SubscriptionURL", string(url))
			b = append(b, "</Subscription>"...)
		}
	}
	x.Reply(fasthttp.StatusOK, append(b, "</Subscriptions>"...))
	return nil
}

// appendSubscription appends a subscription with all its attributes. The URL is for lists.
func (f *Face) appendSubscription(dst []byte, s *engine.Subscription, attributes string, url []byte) []byte {
	config := s.Config()
	dst = append(append(append(dst, "<Subscription"...), attributes...), '>')
	dst = appendElement(dst, "SubscriptionName", config.Name)
	if url != nil {
		dst = appendElement(dst, "SubscriptionURL", string(url))
	}
	dst = appendElement(dst, "Subscriber", f.opts.Account)
	dst = appendElement(dst, "TopicOwner", f.opts.Account)
	dst = appendElement(dst, "TopicName", s.Topic.Name())
	dst = appendElement(dst, "Endpoint", config.Endpoint)
	dst = appendElement(dst, "NotifyStrategy", strategyOf(config))
	dst = appendElement(dst, "NotifyContentFormat", formatOf(config))
	if config.FilterTag != "" {
		dst = appendElement(dst, "FilterTag", config.FilterTag)
	}
	dst = appendNumber(dst, "CreateTime", config.CreatedAt/1000)
	dst = appendNumber(dst, "LastModifyTime", config.UpdatedAt/1000)
	return append(dst, "</Subscription>"...)
}

func appendSubscriptionURL(dst []byte, topic, name string) []byte {
	return append(append(appendTopicURL(dst, topic), "/subscriptions/"...), name...)
}
