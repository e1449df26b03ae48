package sns

import (
	"bytes"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

func isDigits(text []byte, n int) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) == n
}

// arn is arn:PARTITION:sns:REGION:ACCOUNT:NAME taken apart: views of the text. What follows the name, in the ARN of a
// subscription, is the id.
type arn struct{ region, account, name, id []byte }

// parseARN takes an ARN apart that came as the parameter. Its region must be the signature's.
func (c *call) parseARN(parameter string, text []byte) (a arn, err error) {
	var parts [7][]byte
	n := 0
	for rest := text; ; n++ {
		i := bytes.IndexByte(rest, ':')
		if i < 0 || n == len(parts)-1 {
			parts[n] = rest
			n++
			break
		}
		parts[n], rest = rest[:i], rest[i+1:]
	}
	if n < 6 {
		return a, invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n)
	}
	a = arn{region: parts[3], account: parts[4], name: parts[5], id: parts[6]}
	if string(parts[0]) != "arn" || !aws.IsPartition(parts[1]) || string(parts[2]) != "sns" ||
		!aws.IsRegion(a.region) || !aws.IsAccount(a.account) || len(a.name) == 0 ||
		c.region != nil && !bytes.Equal(c.region, a.region) {
		return a, invalid("%s", parameter)
	}
	return a, nil
}

// topicNamed finds the topic of an ARN that came as the parameter.
func (c *call) topicNamed(parameter string, text []byte) (*engine.Topic, error) {
	a, err := c.parseARN(parameter, text)
	if err != nil {
		return nil, err
	}
	if a.id != nil {
		return nil, invalid("%s", parameter)
	}
	t := c.face.engine.Topic(a.name)
	if t == nil || isDirect(a.name) {
		return nil, engine.ErrTopicNotFound
	}
	return t, nil
}

// topic finds the topic of a control operation. The ARN is the caller's own spelling.
func (c *call) topic(p params) (t *engine.Topic, text string, err error) {
	if text, err = p.required("TopicArn"); err != nil {
		if _, ok := p["TopicArn"]; !ok {
			return nil, "", err
		}
	}
	t, err = c.topicNamed("TopicArn", []byte(text))
	return t, text, err
}

// topicARN is the ARN of a topic in the caller's region.
func (c *call) topicARN(name string) string { return c.arnOf("sns", c.face.opts.Account, name) }

// arnOf is the ARN of a service's resource in the caller's region.
func (c *call) arnOf(service, account, name string) string {
	region := c.face.opts.Region
	if c.region != nil {
		region = string(c.region)
	}
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + name
}
