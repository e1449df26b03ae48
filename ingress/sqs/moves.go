package sqs

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"fanfare/engine"
)

// Source: Amazon SQS API reference, StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask, read 2026-11.

const (
	movesMax = 10
	rateMax  = engine.MovePerSecondMax
)

// taskHandle is what the handle of a move says, as base64 text of JSON.
type taskHandle struct {
	ID     string `json:"taskId"`
	Source string `json:"sourceArn"`
}

func (h taskHandle) text() (string, error) {
	b, err := json.Marshal(h)
	return base64.StdEncoding.EncodeToString(b), err
}

func parseTask(text string) (h taskHandle, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return h, err == nil && json.Unmarshal(b, &h) == nil && h.ID != ""
}

// moveQueue finds the queue whose ARN is a parameter; none is the error when there is no such queue.
func (c *call) moveQueue(p param, name string, none error) (q *engine.Queue, arn string, err error) {
	if arn, err = c.str(p); err != nil {
		return nil, "", err
	}
	if arn == "" {
		return nil, "", missing(name)
	}
	queue, ok := queueOfARN(arn)
	if !ok {
		return nil, "", invalid("You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>", name)
	}
	if q = c.face.engine.Queue([]byte(queue)); q == nil {
		return nil, "", none
	}
	return q, arn, nil
}

// startMessageMoveTask moves the messages of a dead-letter queue, to another queue or to where they came from.
func (c *call) startMessageMoveTask() error {
	q, arn, err := c.moveQueue(paramSource, "SourceArn", errNoSource)
	if err != nil {
		return err
	}
	if len(c.sources(q.Name(), "", 1)) == 0 {
		return invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	var options engine.MoveOptions
	if len(c.form.value(paramDestination)) > 0 {
		to, _, err := c.moveQueue(paramDestination, "DestinationArn", errNoGoal)
		if err != nil {
			return err
		}
		if (to.Config().FIFO == nil) != (q.Config().FIFO == nil) {
			return invalid("Source queue type and destination queue type must match.")
		}
		options.To = to.Name()
	}
	rate, _, err := c.between(c.form.value(paramRate), "MaxNumberOfMessagesPerSecond", 1, rateMax, "Must be between 1 and 500, if provided.")
	if err != nil {
		return err
	}
	options.PerSecond = int(rate)
	move, err := c.face.engine.StartMove(q, options)
	if err != nil {
		return err
	}
	handle, err := taskHandle{move.ID, arn}.text()
	if err != nil {
		return err
	}
	c.begin().str("TaskHandle", handle)
	c.finish()
	return nil
}

func isRunning(state engine.MoveState) bool {
	return state == engine.MoveRunning || state == engine.MoveCancelling
}

// listMessageMoveTasks lists the last moves of a queue.
func (c *call) listMessageMoveTasks() error {
	q, arn, err := c.moveQueue(paramSource, "SourceArn", errNoSource)
	if err != nil {
		return err
	}
	limit, given, err := c.between(c.form.value(paramMaxResults), "MaxResults", 1, movesMax, "Must be between 1 and 10, if provided.")
	if err != nil {
		return err
	}
	if !given {
		limit = 1
	}
	w := c.begin()
	w.openList("Results")
	for _, m := range c.face.engine.Moves(q, int(limit)) {
		if err := c.writeMove(m, arn); err != nil {
			return err
		}
	}
	w.closeList()
	c.finish()
	return nil
}

func (c *call) writeMove(m engine.Move, arn string) error {
	const element = "ListMessageMoveTasksResultEntry"
	w := &c.out
	w.openItem(element)
	if isRunning(m.State) {
		handle, err := taskHandle{m.ID, arn}.text()
		if err != nil {
			return err
		}
		w.str("TaskHandle", handle)
	}
	w.str("Status", strings.ToUpper(string(m.State)))
	w.str("SourceArn", arn)
	if m.Options.To != "" {
		w.str("DestinationArn", c.queueARN(m.Options.To))
	}
	if m.Options.PerSecond > 0 {
		w.number("MaxNumberOfMessagesPerSecond", int64(m.Options.PerSecond))
	}
	w.number("ApproximateNumberOfMessagesMoved", int64(m.Moved))
	w.number("ApproximateNumberOfMessagesToMove", int64(m.ToMove))
	if m.Failure != "" {
		w.str("FailureReason", m.Failure)
	}
	w.number("StartedTimestamp", m.StartedAt)
	w.closeItem(element)
	return nil
}

// cancelMessageMoveTask ends a move.
func (c *call) cancelMessageMoveTask() error {
	text, err := c.str(paramTask)
	if err != nil {
		return err
	}
	if text == "" {
		return missing("TaskHandle")
	}
	handle, ok := parseTask(text)
	if !ok {
		return invalid("Value for parameter TaskHandle is invalid.")
	}
	move, err := c.face.engine.CancelMove(handle.ID)
	if err != nil {
		return err
	}
	c.begin().number("ApproximateNumberOfMessagesMoved", int64(move.Moved))
	c.finish()
	return nil
}
