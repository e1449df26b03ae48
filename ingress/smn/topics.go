package smn

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/apigw"
)

// Source: SMN API reference, "Topic operations".

// What this face keeps with a topic.
const (
	labelDisplayName = "smn.display_name"
	labelEnterprise  = "smn.enterprise_project_id"
	labelProject     = "smn.project" // of the creator; a subscription has it too, the egress kind reads it there
)

// timeFormat is that of every time in a reply.
const timeFormat = "2006-01-02T15:04:05Z"

func formatTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(timeFormat) }

// decodeBody decodes the body of a control operation. A member of a wrong type has the fault of its name.
func decodeBody(r *request, into any, faults map[string]*apigw.Error) *apigw.Error {
	body, fault := validBody(r)
	if fault != nil {
		return fault
	}
	if bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return errNotJSON
	}
	if err := json.Unmarshal(body, into); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			if fault := faults[wrong.Field]; fault != nil {
				return fault
			}
		}
		return apigw.ErrRequest
	}
	return nil
}

type requestIDReply struct {
	RequestID string `json:"request_id"`
}

// newReply is the beginning of every reply.
func newReply(r *request) requestIDReply { return requestIDReply{string(r.id.AppendHex(nil))} }

// createTopic answers CreateTopic: 201 for a new topic, 200 for one that exists, whose display name stays.
func (f *Face) createTopic(r *request) *apigw.Error {
	var body struct {
		Name        string `json:"name"`
		DisplayName string `json:"display_name"`
		Enterprise  string `json:"enterprise_project_id"`
	}
	fault := decodeBody(r, &body, map[string]*apigw.Error{"name": errName, "display_name": errDisplayName})
	switch {
	case fault != nil:
		return fault
	case !validTopicName(body.Name):
		return errName
	case !validDisplayName(body.DisplayName):
		return errDisplayName
	}
	labels := map[string]string{labelProject: string(r.project)}
	if body.DisplayName != "" {
		labels[labelDisplayName] = body.DisplayName
	}
	if body.Enterprise != "" {
		labels[labelEnterprise] = body.Enterprise
	}
	t, created, err := f.engine.CreateTopic(body.Name, labels)
	if err != nil {
		return codeOf(err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	apigw.WriteJSON(r.ctx, r.id, status, struct {
		requestIDReply
		TopicURN string `json:"topic_urn"`
	}{newReply(r), f.topicURN(string(r.project), t.Name())})
	return nil
}

func validDisplayName(name string) bool {
	return len(name) <= displayNameBytesMax && utf8.ValidString(name) && !strings.ContainsAny(name, "\r\n")
}

// topicItem is a topic in a reply.
type topicItem struct {
	TopicURN    string `json:"topic_urn"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	PushPolicy  int    `json:"push_policy"`
	Enterprise  string `json:"enterprise_project_id"`
	TopicID     string `json:"topic_id"`
	CreateTime  string `json:"create_time"`
	UpdateTime  string `json:"update_time"`
}

func (f *Face) topicItem(project string, t *engine.Topic) topicItem {
	c := t.Config()
	item := topicItem{
		TopicURN:    f.topicURN(project, c.Name),
		Name:        c.Name,
		DisplayName: c.Labels[labelDisplayName],
		Enterprise:  c.Labels[labelEnterprise],
		TopicID:     topicID(t),
		CreateTime:  formatTime(c.CreatedAt),
		UpdateTime:  formatTime(c.UpdatedAt),
	}
	if item.Enterprise == "" {
		item.Enterprise = "0"
	}
	return item
}

// topicID is made of what never changes of a topic and is not given again.
func topicID(t *engine.Topic) string {
	sum := md5.Sum(fmt.Appendf(nil, "%d %d %s", t.ID, t.Config().CreatedAt, t.Name()))
	return hex.EncodeToString(sum[:])
}

// listTopics answers ListTopics, newest first.
func (f *Face) listTopics(r *request) *apigw.Error {
	offset, limit, ok := page(r)
	if !ok {
		return errPage
	}
	q := r.ctx.QueryArgs()
	project := string(r.project)
	found := []topicItem{}
	topics := f.engine.Topics("", "", math.MaxInt)
	slices.SortFunc(topics, func(a, b *engine.Topic) int { return compareIDs(b.ID, a.ID) })
	for _, t := range topics {
		item := f.topicItem(project, t)
		if equals(q.Peek("name"), item.Name) && contains(q.Peek("fuzzy_name"), item.Name) &&
			contains(q.Peek("fuzzy_display_name"), item.DisplayName) && equals(q.Peek("topic_id"), item.TopicID) &&
			equals(q.Peek("enterprise_project_id"), item.Enterprise) {
			found = append(found, item)
		}
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		requestIDReply
		TopicCount int         `json:"topic_count"`
		Topics     []topicItem `json:"topics"`
	}{newReply(r), len(found), cut(found, offset, limit)})
	return nil
}

func compareIDs[T ~uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// equals and contains are filters of a list; an empty one lets everything pass.
func equals(filter []byte, value string) bool   { return len(filter) == 0 || string(filter) == value }
func contains(filter []byte, value string) bool { return strings.Contains(value, string(filter)) }

// page reads offset and limit.
func page(r *request) (offset, limit int, ok bool) {
	offset, ok = queryInt(r, "offset", 0, 0, math.MaxInt32)
	if !ok {
		return 0, 0, false
	}
	limit, ok = queryInt(r, "limit", pageMax, 1, pageMax)
	return offset, limit, ok
}

func queryInt(r *request, name string, without, low, high int) (int, bool) {
	text := r.ctx.QueryArgs().Peek(name)
	if len(text) == 0 {
		return without, true
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil && n >= low && n <= high
}

// cut returns one page of a list.
func cut[T any](items []T, offset, limit int) []T {
	offset = min(offset, len(items))
	return items[offset:min(offset+limit, len(items))]
}

// showTopic answers ListTopicDetails.
func (f *Face) showTopic(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		requestIDReply
		topicItem
	}{newReply(r), f.topicItem(string(r.project), t)})
	return nil
}

// updateTopic answers UpdateTopic.
func (f *Face) updateTopic(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	var body struct {
		DisplayName *string `json:"display_name"`
	}
	fault = decodeBody(r, &body, map[string]*apigw.Error{"display_name": errDisplayName})
	switch {
	case fault != nil:
		return fault
	case body.DisplayName == nil, !validDisplayName(*body.DisplayName):
		return errDisplayName
	}
	err := f.engine.UpdateTopic(t, func(labels map[string]string) { labels[labelDisplayName] = *body.DisplayName })
	if err != nil {
		return codeOf(err)
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, newReply(r))
	return nil
}

// deleteTopic answers DeleteTopic.
func (f *Face) deleteTopic(r *request) *apigw.Error {
	t, fault := f.topic(r, r.path.At(4))
	if fault != nil {
		return fault
	}
	if err := f.engine.DeleteTopic(t.Name()); err != nil {
		return codeOf(err)
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, newReply(r))
	return nil
}
