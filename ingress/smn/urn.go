package smn

import "bytes"

// Source: SMN API reference, "Concepts"; spec of URNs: urn:smn:{region}:{project_id}:{topic}, and behind a
// further colon the id of a subscription.

// urn is a parsed URN. Views of what was parsed.
type urn struct {
	region, project, topic []byte
	subscription           []byte // nil in a topic's
}

var urnPrefix = []byte("urn:smn:")

// parseURN parses the URN of a topic or of a subscription; no part may be empty.
func parseURN(b []byte) (u urn, ok bool) {
	rest, ok := bytes.CutPrefix(b, urnPrefix)
	if !ok {
		return u, false
	}
	if u.region, rest, ok = bytes.Cut(rest, colon); !ok {
		return u, false
	}
	if u.project, rest, ok = bytes.Cut(rest, colon); !ok {
		return u, false
	}
	var more bool
	u.topic, rest, more = bytes.Cut(rest, colon)
	if more {
		if len(rest) == 0 || bytes.IndexByte(rest, ':') >= 0 {
			return u, false
		}
		u.subscription = rest
	}
	return u, len(u.region) > 0 && len(u.project) > 0 && len(u.topic) > 0
}

var colon = []byte(":")

func (f *Face) topicURN(project, topic string) string {
	return "urn:smn:" + f.opts.Region + ":" + project + ":" + topic
}

func (f *Face) subscriptionURN(project, topic, subscription string) string {
	return f.topicURN(project, topic) + ":" + subscription
}

// validTopicName is the rule for names of topics made through this face: [A-Za-z0-9][A-Za-z0-9_-]{0,254}.
// Topics made elsewhere may be called otherwise and are found all the same.
func validTopicName(name string) bool {
	if name == "" || len(name) > topicNameBytesMax {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return true
}
