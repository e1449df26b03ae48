package smn

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/apigw"
)

// Source: SMN API reference, "Subscription operations".

// kindName is the subscriber kind of the subscriptions this face makes, and the only one it shows.
const kindName = "smn"

// What this face keeps with a subscription, beside labelProject. The egress kind reads project, headers and
// public URL.
const (
	labelRemark    = "smn.remark"
	labelHeaders   = "smn.headers"    // JSON object of the extension's header pairs
	labelPublicURL = "smn.public_url" // where the subscriber reached us, for the links it is sent
	labelCancelled = "smn.cancelled"  // set while the subscriber has cancelled by link
)

// The values of a subscription's status that exist here.
const (
	statusPending   = 0
	statusConfirmed = 1
	statusCancelled = 3 // by the subscriber
)

func statusOf(c *engine.SubscriptionConfig) int {
	switch {
	case c.Labels[labelCancelled] != "":
		return statusCancelled
	case c.Pending:
		return statusPending
	default:
		return statusConfirmed
	}
}

// extension holds what a protocol wants to know of a subscription beside its endpoint.
type extension struct {
	Header map[string]string `json:"header"`
}

type addSubscriptionBody struct {
	Protocol      string          `json:"protocol"`
	Endpoint      string          `json:"endpoint"`
	Remark        string          `json:"remark"`
	Extension     *extension      `json:"extension"`
	Subscriptions json.RawMessage `json:"subscriptions"`
}

var addSubscriptionFaults = map[string]*apigw.Error{
	"protocol": errProtocol, "endpoint": errEndpoint, "remark": errRemark,
	"extension": errExtension, "extension.header": errExtension,
}

func (b *addSubscriptionBody) check() *apigw.Error {
	switch {
	case len(b.Subscriptions) > 0 && string(b.Subscriptions) != "null":
		return errNotOffered // many at once
	case b.Protocol != "http" && b.Protocol != "https":
		return errProtocol // the others of the service have no deliverer here
	case !strings.HasPrefix(b.Endpoint, b.Protocol+"://"):
		return errEndpoint
	case len(b.Remark) > remarkBytesMax:
		return errRemarkLength
	case !utf8.ValidString(b.Remark):
		return errRemark
	case b.Extension != nil && !validHeaders(b.Extension.Header):
		return errExtension
	}
	return nil
}

// Limits of the header pairs of an extension.
const (
	headersMax     = 10
	headerBytesMax = 1024 // keys and values together
)

// validHeaders checks the pairs that ride on the notifications: names begin with "x-" but not with "x-smn".
func validHeaders(headers map[string]string) bool {
	total := 0
	seen := map[string]bool{}
	for name, value := range headers {
		total += len(name) + len(value)
		lower := strings.ToLower(name)
		if seen[lower] || !validHeaderName(lower) || !printableASCII(value) {
			return false
		}
		seen[lower] = true
	}
	return len(headers) <= headersMax && total <= headerBytesMax
}

func validHeaderName(lower string) bool {
	if !strings.HasPrefix(lower, "x-") || strings.HasPrefix(lower, "x-smn") || len(lower) == len("x-") ||
		strings.HasSuffix(lower, "-") || strings.Contains(lower, "--") {
		return false
	}
	for i := range len(lower) {
		if c := lower[i]; c-'0' > 9 && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// addSubscription answers AddSubscription: 201 for a new one, 200 for one of the same protocol and endpoint.
// One that is not confirmed is sent its confirmation request, each time.
func (f *Face) addSubscription(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	var body addSubscriptionBody
	if fault := decodeBody(r, &body, addSubscriptionFaults); fault != nil {
		return fault
	}
	if fault := body.check(); fault != nil {
		return fault
	}
	project := string(r.project)
	s, created, fault := f.subscribe(project, f.publicURL(r), t, &body)
	if fault != nil {
		return fault
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	f.writeSubscriptionURN(r, status, f.subscriptionURN(project, t.Name(), s.Name()))
	return nil
}

func (f *Face) writeSubscriptionURN(r *request, status int, urn string) {
	apigw.WriteJSON(r.ctx, r.id, status, struct {
		requestIDReply
		SubscriptionURN string `json:"subscription_urn"`
	}{newReply(r), urn})
}

// subscribe finds or makes the subscription and asks its endpoint for confirmation if that is missing.
func (f *Face) subscribe(project, publicURL string, t *engine.Topic, body *addSubscriptionBody) (s *engine.Subscription, created bool, fault *apigw.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	count := 0
	for _, other := range t.Subscriptions() {
		c := other.Config()
		if c.Kind != kindName {
			continue
		}
		count++
		if c.Endpoint == body.Endpoint && c.Protocol == body.Protocol {
			s = other
		}
	}
	switch {
	case s != nil && statusOf(s.Config()) == statusConfirmed:
		return s, false, nil
	case s != nil:
		// The token stays what it is while it is good, so that a request sent before still confirms.
		err := f.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) {
			delete(c.Labels, labelCancelled)
			renewToken(c, project)
		})
		if err != nil {
			return nil, false, codeOf(err)
		}
	case count >= subscriptionsMax:
		return nil, false, errSubscriptions
	default:
		var err error
		s, created, err = f.engine.PutSubscription(t, newSubscription(project, publicURL, body))
		if field := (*engine.FieldError)(nil); errors.As(err, &field) && field.Field == "endpoint" {
			return nil, false, errEndpoint
		}
		if err != nil {
			return nil, false, codeOf(err)
		}
	}
	return s, created, f.notify(s, engine.SubscriptionConfirmation)
}

func newSubscription(project, publicURL string, body *addSubscriptionBody) engine.SubscriptionConfig {
	c := engine.SubscriptionConfig{
		Name:     randomHex(16),
		Kind:     kindName,
		Endpoint: body.Endpoint,
		Protocol: body.Protocol,
		Pending:  true,
		Labels:   map[string]string{labelProject: project, labelPublicURL: publicURL},
	}
	if body.Remark != "" {
		c.Labels[labelRemark] = body.Remark
	}
	if body.Extension != nil && len(body.Extension.Header) > 0 {
		text, err := json.Marshal(body.Extension.Header)
		if err != nil {
			panic("BUG: smn: headers do not encode: " + err.Error())
		}
		c.Labels[labelHeaders] = string(text)
	}
	renewToken(&c, project)
	return c
}

// tokenLife is how long a token can confirm.
const tokenLife = 48 * time.Hour

// tokenBytes is what is random in a token.
const tokenBytes = 64

// renewToken gives a subscription the token that confirms it: the project id and 128 hex digits.
func renewToken(c *engine.SubscriptionConfig, project string) {
	now := time.Now()
	if c.Token == "" || c.TokenUntil < now.UnixMilli() {
		c.Token = project + randomHex(tokenBytes)
	}
	c.TokenUntil = now.Add(tokenLife).UnixMilli()
}

// notify sends a message of the subscription protocol to the subscription's endpoint. It is good as long as
// the token in it.
func (f *Face) notify(s *engine.Subscription, dataType engine.MessageType) *apigw.Error {
	m := engine.NewMessage()
	defer m.Release()
	m.SetOrigin(engine.OriginSMN)
	m.SetType(dataType)
	m.Set(engine.FieldToken, []byte(s.Config().Token))
	m.SetExpiresAt(m.PublishedAt() + tokenLife.Milliseconds())
	if err := f.engine.Notify(s, m); err != nil {
		return codeOf(err)
	}
	return nil
}

// subscription finds the subscription whose URN is given, and which belongs to the project if there is one.
func (f *Face) subscription(u urn, project []byte) (*engine.Subscription, *apigw.Error) {
	if string(u.region) != f.opts.Region || project != nil && string(u.project) != string(project) {
		return nil, errSubscription
	}
	if t := f.engine.Topic(u.topic); t != nil {
		if s := t.Subscription(string(u.subscription)); s != nil && s.Config().Kind == kindName {
			return s, nil
		}
	}
	return nil, errSubscription
}

// pathSubscription finds the subscription whose URN is in a segment of the path. Where the path names a
// topic too it has to be the subscription's.
func (f *Face) pathSubscription(r *request, segment []byte) (*engine.Subscription, *apigw.Error) {
	u, fault := f.urn(r, segment, errSubscriptionURN)
	switch {
	case fault != nil:
		return nil, fault
	case u.subscription == nil:
		return nil, errSubscriptionURN
	}
	s, fault := f.subscription(u, r.project)
	if fault != nil || !r.path.Is(3, "topics") {
		return s, fault
	}
	t, fault := f.topic(r, r.path.At(4))
	switch {
	case fault != nil:
		return nil, fault
	case t != s.Topic:
		return nil, errSubscription
	}
	return s, nil
}

// cancelSubscription answers CancelSubscription and DeleteSubscriptionsByTopic.
func (f *Face) cancelSubscription(r *request, segment []byte) *apigw.Error {
	s, fault := f.pathSubscription(r, segment)
	if fault != nil {
		return fault
	}
	if err := f.engine.DeleteSubscription(s); err != nil {
		return codeOf(err)
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, newReply(r))
	return nil
}

// updateSubscription answers UpdateSubscription, which can change nothing but the remark.
func (f *Face) updateSubscription(r *request, segment []byte) *apigw.Error {
	s, fault := f.pathSubscription(r, segment)
	if fault != nil {
		return fault
	}
	var body struct {
		Remark *string `json:"remark"`
	}
	fault = decodeBody(r, &body, map[string]*apigw.Error{"remark": errRemark})
	switch {
	case fault != nil:
		return fault
	case body.Remark == nil:
		return errRemark
	case len(*body.Remark) > remarkBytesMax:
		return errRemarkLength
	}
	err := f.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) { setLabel(c, labelRemark, *body.Remark) })
	if err != nil {
		return codeOf(err)
	}
	f.writeSubscriptionURN(r, http.StatusOK, f.subscriptionURN(string(r.project), s.Topic.Name(), s.Name()))
	return nil
}

func setLabel(c *engine.SubscriptionConfig, key, value string) {
	if c.Labels == nil {
		c.Labels = map[string]string{}
	}
	c.Labels[key] = value
}

// subscriptionItem is a subscription in a reply.
type subscriptionItem struct {
	TopicURN        string   `json:"topic_urn"`
	Protocol        string   `json:"protocol"`
	SubscriptionURN string   `json:"subscription_urn"`
	Owner           string   `json:"owner"`
	Endpoint        string   `json:"endpoint"`
	Remark          string   `json:"remark"`
	Status          int      `json:"status"`
	FilterPolices   []string `json:"filter_polices"` // sic; none are kept
}

// listSubscriptions answers ListSubscriptions, oldest first.
func (f *Face) listSubscriptions(r *request) *apigw.Error {
	status, ok := queryInt(r, "status", -1, 0, 4)
	if !ok {
		return errStatus
	}
	q := r.ctx.QueryArgs()
	return f.writeSubscriptions(r, f.engine.Subscriptions(), func(item *subscriptionItem) bool {
		return equals(q.Peek("protocol"), item.Protocol) && equals(q.Peek("endpoint"), item.Endpoint) &&
			(status < 0 || status == item.Status)
	})
}

// listTopicSubscriptions answers ListSubscriptionsByTopic, oldest first.
func (f *Face) listTopicSubscriptions(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	return f.writeSubscriptions(r, t.Subscriptions(), func(*subscriptionItem) bool { return true })
}

func (f *Face) writeSubscriptions(r *request, all []*engine.Subscription, wanted func(*subscriptionItem) bool) *apigw.Error {
	offset, limit, ok := page(r)
	if !ok {
		return errPage
	}
	project := string(r.project)
	remark := r.ctx.QueryArgs().Peek("fuzzy_remark")
	found := []subscriptionItem{}
	for _, s := range all {
		c := s.Config()
		if c.Kind != kindName {
			continue
		}
		owner := s.Topic.Label(labelProject)
		if owner == "" {
			owner = project
		}
		item := subscriptionItem{
			TopicURN:        f.topicURN(project, s.Topic.Name()),
			Protocol:        c.Protocol,
			SubscriptionURN: f.subscriptionURN(project, s.Topic.Name(), c.Name),
			Owner:           owner,
			Endpoint:        c.Endpoint,
			Remark:          c.Labels[labelRemark],
			Status:          statusOf(c),
			FilterPolices:   []string{},
		}
		if contains(remark, item.Remark) && wanted(&item) {
			found = append(found, item)
		}
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		requestIDReply
		SubscriptionCount int                `json:"subscription_count"`
		Subscriptions     []subscriptionItem `json:"subscriptions"`
	}{newReply(r), len(found), cut(found, offset, limit)})
	return nil
}

// randomHex returns n random bytes as hex. They are credentials: who knows one may act on a subscription.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its contract
	return hex.EncodeToString(b)
}
