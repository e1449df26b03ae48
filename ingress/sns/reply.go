package sns

import (
	"github.com/valyala/fasthttp"

	"fanfare/ingress/aws"
)

// begin opens the reply of an action and its result.
func (c *call) begin(action string) *xmlWriter {
	c.out.root(action, "Response")
	c.out.open(action, "Result")
	return &c.out
}

// finish closes what begin opened and sends the reply.
func (c *call) finish(action string) {
	c.out.close(action, "Result")
	c.metadata(action)
}

// replyNone sends the reply of an action that has no result.
func (c *call) replyNone(action string) {
	c.out.root(action, "Response")
	c.metadata(action)
}

// replyEmpty sends the reply of an action whose result has no content, unless there is an error.
func (c *call) replyEmpty(action string, err error) error {
	if err != nil {
		return err
	}
	c.out.root(action, "Response")
	c.out.tag("  <", action, "Result/>\n")
	c.metadata(action)
	return nil
}

// replyLeaf sends the reply of an action whose result is one element.
func (c *call) replyLeaf(action, name, text string) {
	c.begin(action).leaf(name, text)
	c.finish(action)
}

func (c *call) metadata(action string) {
	c.out.open("ResponseMetadata", "")
	c.requestID()
	c.out.close("ResponseMetadata", "")
	c.out.close(action, "Response")
	c.send(fasthttp.StatusOK)
}

func (c *call) requestID() {
	c.out.begin("RequestId")
	c.out.buf = c.id.AppendUUID(c.out.buf)
	c.out.end("RequestId")
}

// send writes what is in out as the reply.
func (c *call) send(status int) {
	aws.Reply(c.ctx, c.id, status, "text/xml", c.out.buf)
}
