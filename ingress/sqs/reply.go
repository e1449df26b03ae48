package sqs

import "github.com/valyala/fasthttp"

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

var headerRequestID = []byte("x-amzn-RequestId")

// send writes what is in out as the reply.
func (c *call) send(status int) {
	var id [36]byte
	c.ctx.SetStatusCode(status)
	if c.json {
		c.ctx.SetContentType("application/x-amz-json-1.0")
	} else {
		c.ctx.SetContentType("text/xml")
	}
	c.ctx.Response.Header.SetCanonical(headerRequestID, c.id.AppendUUID(id[:0]))
	c.ctx.Response.SetBody(c.out.buf)
}
