package sns

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/auth"
)

// bodyBytesMax leaves room for the largest message of all, 1 MiB, with every byte of it percent-encoded.
const bodyBytesMax = 4 << 20

const apiVersion = "2010-03-31"

// Face is the API of Amazon SNS.
type Face struct {
	engine      *engine.Engine
	opts        Options
	subscribing gate // by topic and endpoint: Subscribe makes no second subscription of an endpoint
	editing     gate // by topic: what is changed depends on what is there
	signatures  *auth.SigV4
	queues      queueServers // immutable
}

// New returns the face of an engine.
func New(e *engine.Engine, opts Options) *Face {
	opts.setDefaults()
	f := &Face{engine: e, opts: opts, signatures: auth.NewSigV4(opts.Keys, "sns")}
	f.queues, _ = parseQueueServers(opts.Queues) // Validate has seen it
	return f
}

// Name is "sns".
func (f *Face) Name() string { return "sns" }

// Claims reports whether the request is for the path "/" or that of a certificate, or is for one that nobody serves and signed as this API wants
// it: the face is asked last. What a browser would ask at "/", a GET without an Action, is not the face's.
func (f *Face) Claims(h *ingress.Head) bool {
	if isCertificate(h) {
		return true
	}
	if string(h.Path) != "/" {
		return bytes.HasPrefix(h.Header.PeekCanonical(headerAuthorization), signatureScheme)
	}
	if h.IsMethod(fasthttp.MethodGet) || h.IsMethod(fasthttp.MethodHead) || h.IsMethod(fasthttp.MethodOptions) {
		return bytes.Contains(h.Query, actionParameter)
	}
	return true
}

var (
	actionParameter = []byte("Action=")
	signatureScheme = []byte("AWS4-HMAC-SHA256 ")

	headerAuthorization = []byte(fasthttp.HeaderAuthorization)
)

// BodyBytesMax is 4 MiB.
func (f *Face) BodyBytesMax(*ingress.Head) int { return bodyBytesMax }

// Refuse answers a request whose body could not be read.
func (f *Face) Refuse(ctx *fasthttp.RequestCtx, h *ingress.Head, why ingress.Refusal) {
	c := newCall(f, ctx, h)
	defer c.release()
	switch why {
	case ingress.RefusedTooLarge:
		c.refuse(errTooLong)
	case ingress.RefusedTimeout:
		c.refuse(&fault{why.Status(), "RequestTimeout", "The request's body did not arrive in time."})
	default:
		c.refuse(&fault{why.Status(), "MalformedInput", "The request's framing is malformed or ambiguous."})
	}
}

// Serve answers a request.
func (f *Face) Serve(ctx *fasthttp.RequestCtx, h *ingress.Head) {
	if isCertificate(h) {
		f.serveCertificate(ctx, h)
		return
	}
	c := newCall(f, ctx, h)
	defer c.release()
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

func (c *call) serve() error {
	if string(c.head.Path) != "/" {
		return errPath
	}
	if !c.head.IsMethod(fasthttp.MethodPost) && !c.head.IsMethod(fasthttp.MethodGet) {
		c.ctx.Response.Header.Set(fasthttp.HeaderAllow, "GET, POST")
		return errMethod
	}
	action, err := c.find("Action")
	switch {
	case err != nil:
		return err
	case len(action) == 0:
		return errNoAction
	}
	name := actionName(action)
	if err := c.admit(name); err != nil {
		return err
	}
	switch name {
	case "Publish":
		return c.publish()
	case "PublishBatch":
		return c.publishBatch()
	}
	return c.control(name)
}

// actionName is the text of an action; for those on the hot path it costs no copy.
func actionName(action []byte) string {
	switch string(action) {
	case "Publish":
		return "Publish"
	case "PublishBatch":
		return "PublishBatch"
	}
	return string(action)
}

// operations are the actions but the publishing ones.
var operations = map[string]func(*call, params) error{
	"CreateTopic":                        (*call).createTopic,
	"DeleteTopic":                        (*call).deleteTopic,
	"ListTopics":                         (*call).listTopics,
	"GetTopicAttributes":                 (*call).getTopicAttributes,
	"SetTopicAttributes":                 (*call).setTopicAttributes,
	"TagResource":                        (*call).tagResource,
	"UntagResource":                      (*call).untagResource,
	"ListTagsForResource":                (*call).listTagsForResource,
	"AddPermission":                      (*call).addPermission,
	"RemovePermission":                   (*call).removePermission,
	"PutDataProtectionPolicy":            (*call).putDataProtectionPolicy,
	"GetDataProtectionPolicy":            (*call).getDataProtectionPolicy,
	"CreatePlatformApplication":          (*call).createPlatformApplication,
	"DeletePlatformApplication":          (*call).deletePlatformApplication,
	"GetPlatformApplicationAttributes":   (*call).getPlatformApplicationAttributes,
	"SetPlatformApplicationAttributes":   (*call).setPlatformApplicationAttributes,
	"ListPlatformApplications":           (*call).listPlatformApplications,
	"CreatePlatformEndpoint":             (*call).createPlatformEndpoint,
	"DeleteEndpoint":                     (*call).deleteEndpoint,
	"GetEndpointAttributes":              (*call).getEndpointAttributes,
	"SetEndpointAttributes":              (*call).setEndpointAttributes,
	"ListEndpointsByPlatformApplication": (*call).listEndpoints,
	"SetSMSAttributes":                   (*call).setSMSAttributes,
	"GetSMSAttributes":                   (*call).getSMSAttributes,
	"CheckIfPhoneNumberIsOptedOut":       (*call).checkIfPhoneNumberIsOptedOut,
	"ListPhoneNumbersOptedOut":           (*call).listPhoneNumbersOptedOut,
	"OptInPhoneNumber":                   (*call).optInPhoneNumber,
	"OptOutPhoneNumber":                  (*call).optOutPhoneNumber,
	"ListOriginationNumbers":             (*call).listOriginationNumbers,
	"GetSMSSandboxAccountStatus":         (*call).getSMSSandboxAccountStatus,
	"CreateSMSSandboxPhoneNumber":        (*call).createSMSSandboxPhoneNumber,
	"VerifySMSSandboxPhoneNumber":        (*call).verifySMSSandboxPhoneNumber,
	"DeleteSMSSandboxPhoneNumber":        (*call).deleteSMSSandboxPhoneNumber,
	"ListSMSSandboxPhoneNumbers":         (*call).listSMSSandboxPhoneNumbers,
	"Subscribe":                          (*call).subscribe,
	"ConfirmSubscription":                (*call).confirmSubscription,
	"Unsubscribe":                        (*call).unsubscribe,
	"ListSubscriptions":                  (*call).listSubscriptions,
	"ListSubscriptionsByTopic":           (*call).listSubscriptionsByTopic,
	"GetSubscriptionAttributes":          (*call).getSubscriptionAttributes,
	"SetSubscriptionAttributes":          (*call).setSubscriptionAttributes,
}

func (c *call) control(action string) error {
	operation := operations[action]
	if operation == nil {
		return unknownAction(action, apiVersion)
	}
	p, err := c.params()
	if err != nil {
		return err
	}
	if version, ok := p["Version"]; ok && version != apiVersion {
		return unknownAction(action, version)
	}
	return operation(c, p)
}
