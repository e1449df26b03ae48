package smq

import (
	"slices"
	"strconv"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aliyun"

	"github.com/valyala/fasthttp"
)

// Source: "CreateTopic", "SetTopicAttributes", "GetTopicAttributes", "DeleteTopic" and "ListTopic" of the SMQ
// HTTP reference, read 2026-11.

// Labels of a topic.
const (
	labelMaximumMessageSize = "smq.MaximumMessageSize"
	labelLoggingEnabled     = "smq.LoggingEnabled"
)

const maximumMessageSizeMin = 1024

// retentionSeconds is MessageRetentionPeriod, the same for every topic.
const retentionSeconds = 86400

// topicAttributes is what a Topic document says; nil is what it does not.
type topicAttributes struct {
	maximumMessageSize *int
	loggingEnabled     *bool
}

func maximumMessageSize(t *engine.Topic) int {
	label := t.Label(labelMaximumMessageSize)
	if label == "" {
		return bodyBytesMax
	}
	n, err := strconv.Atoi(label)
	if err != nil {
		return bodyBytesMax
	}
	return n
}

func loggingEnabled(t *engine.Topic) bool { return t.Label(labelLoggingEnabled) == "true" }

// setOn writes the attributes that were given into a topic's labels.
func (a *topicAttributes) setOn(labels map[string]string) {
	if a.maximumMessageSize != nil {
		labels[labelMaximumMessageSize] = strconv.Itoa(*a.maximumMessageSize)
	}
	if a.loggingEnabled != nil {
		labels[labelLoggingEnabled] = strconv.FormatBool(*a.loggingEnabled)
	}
}

// same reports whether a topic has the attributes, defaults standing for those that were not given.
func (a *topicAttributes) same(t *engine.Topic) bool {
	size, logging := bodyBytesMax, false
	if a.maximumMessageSize != nil {
		size = *a.maximumMessageSize
	}
	if a.loggingEnabled != nil {
		logging = *a.loggingEnabled
	}
	return maximumMessageSize(t) == size && loggingEnabled(t) == logging
}

var topicElements = []string{"MaximumMessageSize", "LoggingEnabled"}

// parseTopic reads a Topic document. An empty body says nothing, as <Topic/> does.
func (f *Face) parseTopic(x *aliyun.Exchange) (a topicAttributes, fault *fault) {
	if len(x.Body()) == 0 {
		return a, nil
	}
	fault = f.parseFlat(x, "Topic", topicElements, func(name, text string) *aliyun.Fault {
		switch name {
		case "MaximumMessageSize":
			n, err := strconv.Atoi(text)
			if err != nil {
				return aliyun.Schema(name)
			}
			if n < maximumMessageSizeMin || n > bodyBytesMax {
				return aliyun.Range(name, "1024 and 65536 bytes")
			}
			a.maximumMessageSize = &n
		case "LoggingEnabled":
			on := strings.EqualFold(text, "true")
			if !on && !strings.EqualFold(text, "false") {
				return aliyun.Schema(name)
			}
			a.loggingEnabled = &on
		}
		return nil
	})
	return a, fault
}

// parseFlat reads a document whose known children have text alone, and calls set with each that is not empty.
func (f *Face) parseFlat(x *aliyun.Exchange, root string, known []string, set func(name, text string) *fault) *fault {
	body := x.Body()
	if !aliyun.DigestMatches(x.Header(aliyun.HeaderContentMD5), body) {
		return faultInvalidDigest
	}
	var d aliyun.Document
	namespace, err := d.Open(f.dialect, body, root)
	if err != nil {
		return faultOfXML(err, aliyun.Schema(root))
	}
	if fault := f.namespace(x, namespace); fault != nil {
		return fault
	}
	seen := map[string]bool{}
	for {
		child, err := d.Next()
		if err != nil {
			return faultMalformedXML
		}
		if child == nil {
			break
		}
		name := string(child)
		if !slices.Contains(known, name) {
			if d.Skip() != nil {
				return faultMalformedXML
			}
			continue
		}
		text, err := d.AppendText(nil)
		if err != nil {
			return faultOfXML(err, aliyun.Schema(name))
		}
		if seen[name] {
			return aliyun.Schema(name)
		}
		seen[name] = true
		if len(text) == 0 {
			continue
		}
		if fault := set(name, string(text)); fault != nil {
			return fault
		}
	}
	if d.Close() != nil {
		return faultMalformedXML
	}
	return nil
}

// createTopic is CreateTopic: 201 for a new topic, 204 for one that exists with the same attributes.
func (f *Face) createTopic(x *aliyun.Exchange, segment []byte) *fault {
	name, fault := decodeSegment(nil, segment)
	if fault != nil {
		return fault
	}
	attributes, fault := f.parseTopic(x)
	if fault != nil {
		return fault
	}
	t := f.engine.Topic(name)
	created := false
	if t == nil {
		if fault := checkName(name, topicNameBytesMax, faultTopicName, faultTopicNameLength); fault != nil {
			return fault
		}
		labels := map[string]string{}
		attributes.setOn(labels)
		var err error
		if t, created, err = f.engine.CreateTopic(string(name), labels); err != nil {
			return faultOf(err)
		}
	}
	if !created && !attributes.same(t) {
		return faultTopicAlreadyExist
	}
	if created {
		f.log.Info().Str("topic", t.Name()).Msg("topic created")
	}
	answerPut(x, created, appendTopicURL(x.AppendBase(nil), t.Name()))
	return nil
}

// answerPut answers the creation of what has a URL.
func answerPut(x *aliyun.Exchange, created bool, location []byte) {
	x.Ctx.Response.Header.SetBytesV("Location", location)
	if created {
		x.Done(fasthttp.StatusCreated)
	} else {
		x.Done(fasthttp.StatusNoContent)
	}
}

// setTopicAttributes is SetTopicAttributes: what the document leaves out stays as it is.
func (f *Face) setTopicAttributes(x *aliyun.Exchange, segment []byte) *fault {
	attributes, fault := f.parseTopic(x)
	if fault != nil {
		return fault
	}
	t, fault := f.topic(segment)
	if fault != nil {
		return fault
	}
	if err := f.engine.UpdateTopic(t, attributes.setOn); err != nil {
		return faultOf(err)
	}
	x.Done(fasthttp.StatusNoContent)
	return nil
}

// getTopicAttributes is GetTopicAttributes.
func (f *Face) getTopicAttributes(x *aliyun.Exchange, segment []byte) *fault {
	t, fault := f.topic(segment)
	if fault != nil {
		return fault
	}
	x.Reply(fasthttp.StatusOK, appendTopic([]byte(aliyun.XMLHead), t, ` xmlns="`+f.dialect.Namespace+`"`, nil))
	return nil
}

// deleteTopic is DeleteTopic, which succeeds for a topic that does not exist: SDKs delete before they create.
func (f *Face) deleteTopic(x *aliyun.Exchange, segment []byte) *fault {
	t, fault := f.topic(segment)
	if fault == faultTopicNotExist {
		x.Done(fasthttp.StatusNoContent)
		return nil
	}
	if fault != nil {
		return fault
	}
	if err := f.engine.DeleteTopic(t.Name()); err != nil {
		if fault := faultOf(err); fault != faultTopicNotExist {
			return fault
		}
	}
	f.log.Info().Str("topic", t.Name()).Msg("topic deleted")
	x.Done(fasthttp.StatusNoContent)
	return nil
}

// listTopics is ListTopic.
func (f *Face) listTopics(x *aliyun.Exchange) *fault {
	page, fault := parsePage(x)
	if fault != nil {
		return fault
	}
	topics := f.engine.Topics(page.prefix, page.after, page.limit+1)
	b := append([]byte(aliyun.XMLHead), `<Topics xmlns="`+f.dialect.Namespace+`">`...)
	for i, t := range topics {
		if i == page.limit {
			b = appendMarker(b, topics[i-1].Name())
			break
		}
		url := appendTopicURL(x.AppendBase(nil), t.Name())
		if page.withMeta {
			b = appendTopic(b, t, "", url)
		} else {
			b = append(b, "<Topic>"...)
			b = appendElement(b, "TopicName", t.Name())
			b = appendElement(b, "TopicURL", string(url))
			b = append(b, "</Topic>"...)
		}
	}
	x.Reply(fasthttp.StatusOK, append(b, "</Topics>"...))
	return nil
}

// appendTopic appends a topic with all its attributes; SDKs fail when one is missing. The URL is for lists.
func appendTopic(dst []byte, t *engine.Topic, attributes string, url []byte) []byte {
	config := t.Config()
	count := int64(t.High()) - int64(t.Trimmed())
	dst = append(append(append(dst, "<Topic"...), attributes...), '>')
	dst = appendElement(dst, "TopicName", config.Name)
	if url != nil {
		dst = appendElement(dst, "TopicURL", string(url))
	}
	dst = appendNumber(dst, "CreateTime", config.CreatedAt/1000)
	dst = appendNumber(dst, "LastModifyTime", config.UpdatedAt/1000)
	dst = appendNumber(dst, "MaximumMessageSize", int64(maximumMessageSize(t)))
	dst = appendNumber(dst, "MessageRetentionPeriod", retentionSeconds)
	dst = appendNumber(dst, "MessageCount", max(count, 0))
	logging := "False"
	if loggingEnabled(t) {
		logging = "True"
	}
	dst = appendElement(dst, "LoggingEnabled", logging)
	return append(dst, "</Topic>"...)
}

// appendTopicURL appends the path of a topic to the base.
func appendTopicURL(dst []byte, name string) []byte {
	dst = append(dst, "/topics/"...)
	for i := range len(name) {
		// Other faces allow two characters that a path must not have.
		switch name[i] {
		case '%', '|':
			dst = append(dst, '%', "0123456789ABCDEF"[name[i]>>4], "0123456789ABCDEF"[name[i]&15])
		default:
			dst = append(dst, name[i])
		}
	}
	return dst
}
