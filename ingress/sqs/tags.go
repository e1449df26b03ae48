package sqs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/engine"
)

// Source: Amazon SQS API reference, TagQueue, UntagQueue and ListQueueTags, read 2026-11.

const (
	tagsMax          = 50
	tagKeyRunesMax   = 128
	tagValueRunesMax = 256
	labelTag         = "sqs.tag." // and the tag's key
)

// readTags reads the tags that are given and checks them.
func (c *call) readTags() ([]text, error) {
	tags, err := c.pairs(c.form.tags)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		switch {
		case tag.key == "" || utf8.RuneCountInString(tag.key) > tagKeyRunesMax:
			return nil, invalid("Tag keys must be between 1 and %d characters in length.", tagKeyRunesMax)
		case utf8.RuneCountInString(tag.value) > tagValueRunesMax:
			return nil, invalid("Tag values must be between 0 and %d characters in length.", tagValueRunesMax)
		}
	}
	if len(tags) > tagsMax {
		return nil, tooManyTags()
	}
	return tags, nil
}

func tooManyTags() error { return invalid("Too many tags added: a queue can have %d.", tagsMax) }

// tagQueue adds tags; one whose key is there is overwritten.
func (c *call) tagQueue() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	if !c.form.tagsGiven {
		return missing("Tags")
	}
	tags, err := c.readTags()
	if err != nil {
		return err
	}
	var full error
	err = c.face.engine.UpdateQueue(q, func(config *engine.QueueConfig) {
		if full = nil; countTags(config, tags) > tagsMax {
			full = tooManyTags()
			return
		}
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		for _, tag := range tags {
			config.Labels[labelTag+tag.key] = tag.value
		}
	})
	if err != nil {
		return err
	}
	if full != nil {
		return full
	}
	return c.replyNone()
}

// countTags counts the tags a queue would have with some more.
func countTags(config *engine.QueueConfig, more []text) int {
	keys := map[string]bool{}
	for label := range config.Labels {
		if key, ok := strings.CutPrefix(label, labelTag); ok {
			keys[key] = true
		}
	}
	for _, tag := range more {
		keys[tag.key] = true
	}
	return len(keys)
}

// untagQueue removes tags; those that are not there are no fault.
func (c *call) untagQueue() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	keys, err := c.strings(listTagKeys)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return missing("TagKeys")
	}
	err = c.face.engine.UpdateQueue(q, func(config *engine.QueueConfig) {
		for _, key := range keys {
			delete(config.Labels, labelTag+key)
		}
	})
	if err != nil {
		return err
	}
	return c.replyNone()
}

func (c *call) listQueueTags() error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	var tags []text
	for label, value := range q.Config().Labels {
		if key, ok := strings.CutPrefix(label, labelTag); ok {
			tags = append(tags, text{key, value})
		}
	}
	slices.SortFunc(tags, func(a, b text) int { return strings.Compare(a.key, b.key) })
	w := c.begin()
	if len(tags) > 0 {
		w.openMap("Tags")
		for _, tag := range tags {
			w.entry("Tag", "Key", []byte(tag.key), []byte(tag.value))
		}
		w.closeMap()
	}
	c.finish()
	return nil
}
