package dms

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
	"fanfare/ingress/scan"
)

// Source: DMS for RocketMQ API reference, "Topic management".

// What this face keeps with a topic. Nothing here has queues, so their number is only told again.
const (
	labelQueues      = "dms.queue_num"
	labelPermission  = "dms.permission"
	labelMessageType = "dms.message_type"
	labelDescription = "dms.topic_desc"
)

const (
	queuesDefault   = 8
	queuesMax       = 50
	topicsMax       = 10_000 // what a list says; there is no such limit
	pageDefault     = 10
	pageMax         = 50
	nameBytesMin    = 3
	nameBytesMax    = 64
	brokerName      = "broker-0"
	permissionAll   = "all"
	permissionPub   = "pub"
	permissionSub   = "sub" // not to be sent to, by this face
	typeNormal      = "NORMAL"
	reservedPrefix  = "rmq_sys_"
	descriptionsMax = 200
)

// reservedNames are topics of RocketMQ itself.
var reservedNames = map[string]bool{
	"TBW102": true, "SCHEDULE_TOPIC_XXXX": true, "BenchmarkTest": true, "RMQ_SYS_TRANS_HALF_TOPIC": true,
	"RMQ_SYS_TRACE_TOPIC": true, "RMQ_SYS_TRANS_OP_HALF_TOPIC": true, "TRANS_CHECK_MAX_TIME_TOPIC": true,
	"SELF_TEST_TOPIC": true, "OFFSET_MOVED_EVENT": true,
}

// validTopicName is the rule for names of topics made through this face.
func validTopicName(name string) bool {
	if len(name) < nameBytesMin || len(name) > nameBytesMax || strings.HasPrefix(name, reservedPrefix) || reservedNames[name] {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'z') && c != '%' && c != '|' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// decodeBody decodes the body of a control operation.
func decodeBody(r *request, into any) *apigw.Error {
	body := r.ctx.PostBody()
	var s scan.JSON
	s.Reset(body)
	switch {
	case len(body) == 0:
		return errEmpty
	case !scan.JSONValid(body), s.Next() != scan.JSONObject:
		return errNotJSON
	}
	if err := json.Unmarshal(body, into); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			return errParameter(wrong.Field)
		}
		return errRequest
	}
	return nil
}

type createTopicBody struct {
	Name        string `json:"name"`
	QueueNum    *int   `json:"queue_num"`
	Permission  string `json:"permission"`
	MessageType string `json:"message_type"`
	Description string `json:"topic_desc"`
}

func (b *createTopicBody) check() *apigw.Error {
	switch {
	case !validTopicName(b.Name):
		return errName
	case b.QueueNum != nil && (*b.QueueNum < 1 || *b.QueueNum > queuesMax):
		return errParameter("queue_num")
	case b.Permission != "" && b.Permission != permissionAll && b.Permission != permissionPub && b.Permission != permissionSub:
		return errParameter("permission")
	case b.MessageType != "" && b.MessageType != typeNormal && b.MessageType != "FIFO" && b.MessageType != "DELAY" && b.MessageType != "TRANSACTION":
		return errParameter("message_type")
	case len(b.Description) > descriptionsMax:
		return errParameter("topic_desc")
	}
	return nil
}

func (b *createTopicBody) labels() map[string]string {
	labels := map[string]string{}
	if b.QueueNum != nil {
		labels[labelQueues] = strconv.Itoa(*b.QueueNum)
	}
	for key, value := range map[string]string{
		labelPermission: b.Permission, labelMessageType: b.MessageType, labelDescription: b.Description,
	} {
		if value != "" {
			labels[key] = value
		}
	}
	return labels
}

// createTopic answers CreateTopicOrBatchDeleteTopic. A name that exists is an error, whoever made the topic.
func (f *Face) createTopic(r *request) *apigw.Error {
	var body createTopicBody
	if fault := decodeBody(r, &body); fault != nil {
		return fault
	}
	if fault := body.check(); fault != nil {
		return fault
	}
	_, created, err := f.engine.CreateTopic(body.Name, body.labels())
	switch {
	case err != nil:
		return codeOf(err)
	case !created:
		return errTopicExists
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		ID string `json:"id"`
	}{body.Name})
	return nil
}

// deleteTopics answers CreateTopicOrBatchDeleteTopic with action=delete. The job it names is done by then;
// topics that do not exist are passed over.
func (f *Face) deleteTopics(r *request) *apigw.Error {
	var body struct {
		Topics []string `json:"topics"`
	}
	if fault := decodeBody(r, &body); fault != nil {
		return fault
	}
	if len(body.Topics) == 0 {
		return errParameter("topics")
	}
	for _, name := range body.Topics {
		if err := f.engine.DeleteTopic(name); err != nil && !errors.Is(err, engine.ErrTopicNotFound) {
			return codeOf(err)
		}
	}
	job := ingress.NewRequestID()
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		JobID string `json:"job_id"`
	}{hex.EncodeToString(job[:])})
	return nil
}

type brokerItem struct {
	BrokerName    string `json:"broker_name"`
	ReadQueueNum  int    `json:"read_queue_num"`
	WriteQueueNum int    `json:"write_queue_num"`
}

// topicItem is a topic in a reply.
type topicItem struct {
	Name               string       `json:"name"`
	TotalReadQueueNum  int          `json:"total_read_queue_num"`
	TotalWriteQueueNum int          `json:"total_write_queue_num"`
	Permission         string       `json:"permission"`
	Brokers            []brokerItem `json:"brokers"`
	MessageType        string       `json:"message_type"`
	Description        string       `json:"topic_desc"`
	CreatedAt          int64        `json:"created_at"`
}

func newTopicItem(t *engine.Topic) topicItem {
	c := t.Config()
	item := topicItem{
		Name: c.Name, Permission: c.Labels[labelPermission], MessageType: c.Labels[labelMessageType],
		Description: c.Labels[labelDescription], CreatedAt: c.CreatedAt,
	}
	queues, err := strconv.Atoi(c.Labels[labelQueues])
	if err != nil {
		queues = queuesDefault
	}
	item.TotalReadQueueNum, item.TotalWriteQueueNum = queues, queues
	item.Brokers = []brokerItem{{brokerName, queues, queues}}
	if item.Permission == "" {
		item.Permission = permissionAll
	}
	if item.MessageType == "" {
		item.MessageType = typeNormal
	}
	return item
}

// listTopics answers ListRocketInstanceTopics, in the order of the names.
func (f *Face) listTopics(r *request) *apigw.Error {
	limit, ok := queryInt(r, "limit", pageDefault, 1, pageMax)
	if !ok {
		return errLimit
	}
	offset, ok := queryInt(r, "offset", 0, 0, math.MaxInt32)
	if !ok {
		return errOffset
	}
	all := f.engine.Topics("", "", math.MaxInt)
	start := min(offset, len(all))
	end := min(start+limit, len(all))
	items := make([]topicItem, 0, end-start)
	for _, t := range all[start:end] {
		items = append(items, newTopicItem(t))
	}
	next, previous := -1, -1
	if end < len(all) {
		next = end
	}
	if offset > 0 {
		previous = max(start-limit, 0)
	}
	most := max(topicsMax, len(all))
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, struct {
		Total          int         `json:"total"`
		Max            int         `json:"max"`
		Remaining      int         `json:"remaining"`
		NextOffset     int         `json:"next_offset"`
		PreviousOffset int         `json:"previous_offset"`
		Topics         []topicItem `json:"topics"`
	}{len(all), most, most - len(all), next, previous, items})
	return nil
}

func queryInt(r *request, name string, without, low, high int) (int, bool) {
	text := r.ctx.QueryArgs().Peek(name)
	if len(text) == 0 {
		return without, true
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil && n >= low && n <= high
}

// showTopic answers ShowOneTopic.
func (f *Face) showTopic(r *request) *apigw.Error {
	t, fault := f.topicOf(r, r.path.At(r.rest+1))
	if fault != nil {
		return fault
	}
	apigw.WriteJSON(r.ctx, r.id, http.StatusOK, newTopicItem(t))
	return nil
}

// deleteTopic answers DeleteTopic.
func (f *Face) deleteTopic(r *request) *apigw.Error {
	t, fault := f.topicOf(r, r.path.At(r.rest+1))
	if fault != nil {
		return fault
	}
	if err := f.engine.DeleteTopic(t.Name()); err != nil {
		return codeOf(err)
	}
	apigw.SetHead(r.ctx, r.id, http.StatusNoContent)
	return nil
}
