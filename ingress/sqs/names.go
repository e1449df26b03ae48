package sqs

import (
	"bytes"
	"strings"

	"fanfare/engine"
)

const (
	regionBytesMax    = 32
	queueNameBytesMax = 80
	fifoSuffix        = ".fifo"
	arnParts          = 6
)

func isRegion(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return text != "" && len(text) <= regionBytesMax
}

func isAccount[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) == 12
}

// isQueueName reports whether a name is 1 to 80 letters, digits, '-' and '_', with or without the suffix of a FIFO queue.
func isQueueName[T string | []byte](name T) bool {
	base := len(name)
	if base > len(fifoSuffix) && string(name[base-len(fifoSuffix):]) == fifoSuffix {
		base -= len(fifoSuffix)
	}
	for i := range base {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return base > 0 && len(name) <= queueNameBytesMax
}

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
	parts := strings.Split(arn, ":")
	if len(parts) != arnParts || parts[0] != "arn" || parts[2] != "sqs" || !isRegion(parts[3]) || !isAccount(parts[4]) || !isQueueName(parts[5]) {
		return "", false
	}
	switch parts[1] {
	case "aws", "aws-cn", "aws-us-gov":
		return parts[5], true
	}
	return "", false
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
	} else if len(url) == 1 {
		return nil, missing("QueueUrl")
	}
	url = url[bytes.LastIndexByte(url, '/')+1:]
	if q := c.face.engine.Queue(url); q != nil {
		return q, nil
	}
	return nil, errNoQueue
}
