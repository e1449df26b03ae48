package sqs

import (
	"errors"
	"strings"
	"time"

	"fanfare/ingress/auth"
)

// Verifies reports whether signatures are looked at.
func (f *Face) Verifies() bool { return !f.opts.Keys.Empty() }

// admit lets a request pass to its action, or refuses it. Without credentials everything passes.
func (c *call) admit(o *operation) error {
	if !c.face.Verifies() {
		return nil
	}
	err := c.verify(o)
	if err != nil {
		c.face.opts.Log.Debug().Err(err).Str("action", o.name).Msg("request refused")
	}
	return err
}

func (c *call) verify(o *operation) error {
	who, err := c.face.signatures.Verify(c.head, c.ctx.Request.Body(), time.Now())
	if err != nil {
		return refusal(err)
	}
	if who.Permissions&o.needs == 0 {
		return c.denied(who.Name, o.name)
	}
	return nil
}

// refusal is a fault of package auth in the words of this one.
func refusal(err error) error {
	var f *auth.Fault
	if errors.As(err, &f) {
		return &fault{f.Status, f.Code, "", f.Text}
	}
	return err
}

// denied refuses an action to a user. Nothing is looked up: a refusal does not tell what exists.
func (c *call) denied(user, action string) error {
	lower := "sqs:" + strings.ToLower(action)
	return &fault{403, "AccessDeniedException", "AccessDenied", "User: arn:aws:iam::" + c.face.opts.Account + ":user/" + user +
		" is not authorized to perform: " + lower + " because no identity-based policy allows the " + lower + " action"}
}
