package sqs

import (
	"bytes"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// queueARN is the ARN of a queue in the caller's region.
func (c *call) queueARN(name string) string {
	region := c.face.opts.Region
	if c.scope.Region != nil {
		region = string(c.scope.Region)
	}
	return "arn:aws:sqs:" + region + ":" + c.face.opts.Account + ":" + name
}

// queueOfARN returns the name in the ARN of a queue, whatever its region and account are: names are one name space here.
func queueOfARN(arn string) (name string, ok bool) {
	q, ok := aws.ParseQueueARN(arn)
	return q.Name, ok
}

// appendURL appends the URL of a queue.
func (c *call) appendURL(dst []byte, name string) []byte {
	if c.face.opts.PublicURL != "" {
		dst = append(dst, c.face.opts.PublicURL...)
	} else {
		dst = append(dst, "http://"...)
		dst = append(dst, c.head.Header.Host()...)
	}
	dst = append(dst, '/')
	dst = append(dst, c.face.opts.Account...)
	dst = append(dst, '/')
	return append(dst, name...)
}

// queue finds the queue that a request is for: by the last part of its URL, on whatever host, or else of the path that the
// request was sent to.
func (c *call) queue() (*engine.Queue, error) {
	url := c.head.Path
	if raw := c.form.value(paramQueueURL); raw != nil {
		var err error
		if url, err = c.text(raw); err != nil {
			return nil, err
		}
	}
	url = url[bytes.LastIndexByte(url, '/')+1:]
	if q := c.face.engine.Queue(url); q != nil {
		return q, nil
	}
	return nil, errNoQueue
}
