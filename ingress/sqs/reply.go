package sqs

import (
	"github.com/valyala/fasthttp"

	"fanfare/ingress/aws"
)

// begin opens the reply of an action that has a result.
func (c *call) begin() *writer {
	w := &c.out
	w.reset(c.json)
	if c.json {
		w.open()
	} else {
		w.root(c.action, "Response")
		w.raw("<")
		w.raw(c.action)
		w.raw("Result>")
	}
	return w
}

// finish closes what begin opened and sends the reply.
func (c *call) finish() {
	w := &c.out
	if c.json {
		w.close()
	} else {
		w.raw("</")
		w.raw(c.action)
		w.raw("Result>")
		c.metadata()
	}
	c.send(fasthttp.StatusOK)
}

// replyNone sends the reply of an action that has no result.
func (c *call) replyNone() error {
	w := &c.out
	w.reset(c.json)
	if c.json {
		w.raw("{}")
	} else {
		w.root(c.action, "Response")
		c.metadata()
	}
	c.send(fasthttp.StatusOK)
	return nil
}

func (c *call) metadata() {
	w := &c.out
	w.element("ResponseMetadata")
	c.requestID()
	w.endElement("ResponseMetadata")
	w.raw("</")
	w.raw(c.action)
	w.raw("Response>")
}

func (c *call) requestID() {
	c.out.begin("RequestId")
	c.out.buf = c.id.AppendUUID(c.out.buf)
	c.out.end("RequestId")
}

// typeJSON is the content type of the JSON protocol.
const typeJSON = "application/x-amz-json-1.0"

// send writes what is in out as the reply.
func (c *call) send(status int) {
	contentType := "text/xml"
	if c.json {
		contentType = typeJSON
	}
	aws.Reply(c.ctx, c.id, status, contentType, c.out.buf)
}
