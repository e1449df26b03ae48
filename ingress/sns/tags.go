package sns

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS API reference, TagResource, UntagResource and ListTagsForResource, read 2026-11.

const (
	tagsMax          = 50
	tagKeyRunesMax   = 128
	tagValueRunesMax = 256
	labelTag         = "sns.tag." // and the tag's key
)

var (
	errTagLimit   = &fault{400, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"}
	errNoResource = &fault{404, "ResourceNotFound", "Resource does not exist"}
)

// resourceTopic finds the topic that a ResourceArn names. Nothing else has tags.
func (c *call) resourceTopic(p params) (*engine.Topic, error) {
	text, err := p.required("ResourceArn")
	if err != nil {
		return nil, err
	}
	return c.topicNamed("ResourceArn", []byte(text))
}

func (c *call) tagged(p params) (*engine.Topic, error) {
	t, err := c.resourceTopic(p)
	if errors.Is(err, engine.ErrTopicNotFound) {
		err = errNoResource
	}
	return t, err
}

// tags reads the list of tags and checks it.
func (p params) tags() ([]pair, error) {
	var tags []pair
	seen := map[string]bool{}
	for i, member := range p.members("Tags") {
		key, ok := member["Key"]
		value := member["Value"]
		at := fmt.Sprintf("tags.%d.member.", i+1)
		switch {
		case !ok:
			return nil, nullMember(at + "key")
		case key == "":
			return nil, lengthFault(key, at+"key", "greater", 1)
		case utf8.RuneCountInString(key) > tagKeyRunesMax:
			return nil, lengthFault(key, at+"key", "less", tagKeyRunesMax)
		case utf8.RuneCountInString(value) > tagValueRunesMax:
			return nil, lengthFault(value, at+"value", "less", tagValueRunesMax)
		case seen[key]:
			return nil, invalid("Duplicated keys are not allowed.")
		}
		seen[key] = true
		tags = append(tags, pair{key, value})
	}
	return tags, nil
}

// lengthFault refuses a value that is too short or too long for the service model.
func lengthFault(value, path, than string, limit int) error {
	return &fault{400, codeValidation, fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length %s than or equal to %d", aws.Shorten(value), path, than, limit)}
}

// members collects the members LIST.member.N.FIELD of a list of structures, in the order of their numbers.
func (p params) members(list string) []map[string]string {
	found := map[int]map[string]string{}
	for name, text := range p {
		rest, ok := strings.CutPrefix(name, list+".")
		if !ok {
			continue
		}
		number, field, ok := strings.Cut(strings.TrimPrefix(rest, "member."), ".")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		if found[n] == nil {
			found[n] = map[string]string{}
		}
		found[n][field] = text
	}
	members := make([]map[string]string, 0, len(found))
	for _, n := range slices.Sorted(maps.Keys(found)) {
		members = append(members, found[n])
	}
	return members
}

// list collects the members LIST.member.N of a list of texts, in the order of their numbers. It is nil when the
// parameter is not given at all: an empty list is sent as "LIST=".
func (p params) list(list string) []string {
	found := map[int]string{}
	for name, text := range p {
		if rest, ok := strings.CutPrefix(name, list+"."); ok {
			if n, err := strconv.Atoi(strings.TrimPrefix(rest, "member.")); err == nil {
				found[n] = text
			}
		}
	}
	if _, bare := p[list]; len(found) == 0 && !bare {
		return nil
	}
	texts := make([]string, 0, len(found))
	for _, n := range slices.Sorted(maps.Keys(found)) {
		texts = append(texts, found[n])
	}
	return texts
}

// tagResource adds tags; one whose key is there is overwritten.
func (c *call) tagResource(p params) error {
	t, err := c.tagged(p)
	if err != nil {
		return err
	}
	tags, err := p.tags()
	if err != nil {
		return err
	}
	if _, bare := p["Tags"]; len(tags) == 0 && !bare {
		return nullMember("tags")
	}
	defer c.face.editing.enter(t.Name())()
	after := map[string]bool{}
	for _, tag := range append(tagsOf(t), tags...) {
		after[tag.key] = true
	}
	if len(after) > tagsMax {
		return errTagLimit
	}
	err = c.face.engine.UpdateTopic(t, func(labels map[string]string) {
		for _, tag := range tags {
			labels[labelTag+tag.key] = tag.value
		}
	})
	return c.replyEmpty("TagResource", err)
}

// untagResource removes tags; those that are not there are no fault.
func (c *call) untagResource(p params) error {
	t, err := c.tagged(p)
	if err != nil {
		return err
	}
	keys := p.list("TagKeys")
	if keys == nil {
		return nullMember("tagKeys")
	}
	defer c.face.editing.enter(t.Name())()
	err = c.face.engine.UpdateTopic(t, func(labels map[string]string) {
		for _, key := range keys {
			delete(labels, labelTag+key)
		}
	})
	return c.replyEmpty("UntagResource", err)
}

func (c *call) listTagsForResource(p params) error {
	t, err := c.tagged(p)
	if err != nil {
		return err
	}
	w := c.begin("ListTagsForResource")
	tags := tagsOf(t)
	w.list("Tags", len(tags), func(i int) {
		w.leaf("Key", tags[i].key)
		w.leaf("Value", tags[i].value)
	})
	c.finish("ListTagsForResource")
	return nil
}

// tagsOf returns a topic's tags in the order of their keys.
func tagsOf(t *engine.Topic) []pair {
	var tags []pair
	for label, value := range t.Config().Labels {
		if key, ok := strings.CutPrefix(label, labelTag); ok {
			tags = append(tags, pair{key, value})
		}
	}
	slices.SortFunc(tags, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	return tags
}
