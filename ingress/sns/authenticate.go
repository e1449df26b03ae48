package sns

import (
	"errors"
	"time"

	"fanfare/ingress/auth"
	"fanfare/ingress/aws"
)

// permissionOf is what a credential needs for an action. What is not listed needs auth.Admin: an action that is added is
// closed to publishers and subscribers until somebody decides otherwise.
var permissionOf = map[string]auth.Permissions{
	"Publish":                   auth.Publish,
	"PublishBatch":              auth.Publish,
	"Subscribe":                 auth.Subscribe,
	"ConfirmSubscription":       auth.Subscribe,
	"Unsubscribe":               auth.Subscribe,
	"GetSubscriptionAttributes": auth.Subscribe,
	"SetSubscriptionAttributes": auth.Subscribe,
	"ListSubscriptions":         auth.Subscribe,
	"ListSubscriptionsByTopic":  auth.Subscribe,
}

// Verifies reports whether signatures are looked at.
func (f *Face) Verifies() bool { return !f.opts.Keys.Empty() }

// admit lets a request pass to its action, or refuses it. Without credentials everything passes. An unsigned request may
// confirm a subscription, whose token it has to know, or end one; a signature that is there has to be good for them too.
func (c *call) admit(action string) error {
	if !c.face.Verifies() {
		return nil
	}
	err := c.verify(action)
	if err != nil {
		c.face.opts.Log.Debug().Err(err).Str("action", aws.Shorten(action)).Msg("request refused")
	}
	return err
}

func (c *call) verify(action string) error {
	who, err := c.face.signatures.Verify(c.head, c.ctx.Request.Body(), time.Now())
	if c.signed = err == nil; !c.signed {
		if errors.Is(err, auth.ErrMissing) && isUnsigned(action) {
			return nil
		}
		return refusal(err)
	}
	need := auth.Admin
	if p, ok := permissionOf[action]; ok {
		need = p
	}
	if !who.Permissions.Has(need) {
		return c.unauthorized(who.Name, action)
	}
	return nil
}

// isUnsigned reports whether an action is what the links in messages lead to.
func isUnsigned(action string) bool {
	return action == "ConfirmSubscription" || action == "Unsubscribe"
}

// refusal is a fault of package auth in the words of this one.
func refusal(err error) error {
	var f *auth.Fault
	if errors.As(err, &f) {
		return &fault{f.Status, f.Code, f.Text}
	}
	return err
}

// unauthorized refuses an action to a user. An action that does not exist is refused to everybody, and as such.
func (c *call) unauthorized(user, action string) error {
	if _, ok := permissionOf[action]; !ok && operations[action] == nil {
		return unknownAction(action, apiVersion)
	}
	return &fault{403, "AuthorizationError", "User: arn:aws:iam::" + c.face.opts.Account + ":user/" + user + " is not authorized to perform: SNS:" + action +
		" on resource: " + c.resource() + " because no identity-based policy allows the SNS:" + action + " action"}
}

// resource is what a request is about, as far as it says so. Nothing is looked up: a refusal does not tell what exists.
func (c *call) resource() string {
	for _, name := range [...]string{"TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn", "PlatformApplicationArn", "EndpointArn"} {
		if text, err := c.find(name); err == nil && len(text) > 0 {
			return aws.Shorten(text)
		}
	}
	if name, err := c.find("Name"); err == nil && len(name) > 0 {
		return c.topicARN(aws.Shorten(name))
	}
	return c.topicARN("*")
}
