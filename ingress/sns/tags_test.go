package sns

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// listOf returns the texts of a reply that lie on a path, such as "ListTagsForResourceResult>Tags>member>Key".
func listOf(t *testing.T, r reply, path string) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(r.text))
	var at, found []string
	for {
		token, err := d.Token()
		if err != nil {
			return found
		}
		switch e := token.(type) {
		case xml.StartElement:
			at = append(at, e.Name.Local)
			if len(at) > 1 && strings.Join(at[1:], ">") == path {
				found = append(found, "")
			}
		case xml.EndElement:
			at = at[:len(at)-1]
		case xml.CharData:
			if len(at) > 1 && strings.Join(at[1:], ">") == path {
				found[len(found)-1] += string(e)
			}
		}
	}
}

func (s *server) wantTags(arn, want string) {
	s.t.Helper()
	r := s.do("Action", "ListTagsForResource", "ResourceArn", arn)
	keys := listOf(s.t, r, "ListTagsForResourceResult>Tags>member>Key")
	values := listOf(s.t, r, "ListTagsForResourceResult>Tags>member>Value")
	var got []string
	for i := range keys {
		got = append(got, keys[i]+"="+values[i])
	}
	if strings.Join(got, " ") != want {
		s.t.Errorf("the tags of %s are %q, want %q", arn, got, want)
	}
}

func TestTags(t *testing.T) {
	s := newServer(t, Options{})
	tag := func(pairs ...string) []string {
		return append([]string{"Action", "TagResource", "ResourceArn", arnT1}, pairs...)
	}
	one := func(key, value string) []string { return tag("Tags.member.1.Key", key, "Tags.member.1.Value", value) }
	untag := func(pairs ...string) []string {
		return append([]string{"Action", "UntagResource", "ResourceArn", arnT1}, pairs...)
	}
	s.wantTags(arnT1, "")
	s.wantTags(arnOrders, "team=red")
	s.wantError(200, "", "", tag("Tags.member.2.Key", "b", "Tags.member.2.Value", "2", "Tags.member.1.Key", "a", "Tags.member.1.Value", "1")...)
	s.wantError(200, "", "", tag("Tags.1.Key", "c", "Tags.1.Value", "3")...)
	s.wantError(200, "", "", one("a", "")...)
	s.wantTags(arnT1, "a= b=2 c=3")
	s.wantError(200, "", "", untag("TagKeys.member.1", "a", "TagKeys.member.2", "never")...)
	s.wantError(200, "", "", untag("TagKeys", "")...)
	s.wantError(200, "", "", tag("Tags", "")...)
	s.wantTags(arnT1, "b=2 c=3")

	tooLong := func(value, at, limit string) string {
		return "1 validation error detected: Value '" + value + "' at 'tags.1.member." + at + "' failed to satisfy constraint: Member must have length " + limit
	}
	for _, c := range []struct {
		key, value, want string
	}{
		{strings.Repeat("k", 128), strings.Repeat("v", 256), ""},
		{strings.Repeat("é", 128), strings.Repeat("é", 256), ""},
		{strings.Repeat("k", 129), "", tooLong(strings.Repeat("k", 129), "key", "less than or equal to 128")},
		{"k", strings.Repeat("v", 257), tooLong(strings.Repeat("v", 256)+"...", "value", "less than or equal to 256")},
		{"", "v", tooLong("", "key", "greater than or equal to 1")},
	} {
		status, code := 400, "ValidationError"
		if c.want == "" {
			status, code = 200, ""
		}
		s.wantError(status, code, c.want, one(c.key, c.value)...)
		create := []string{"Action", "CreateTopic", "Name", fmt.Sprint("n", len(c.key)), "Tags.member.1.Key", c.key, "Tags.member.1.Value", c.value}
		s.wantError(status, code, c.want, create...)
	}
	null := "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"
	s.wantError(400, "ValidationError", fmt.Sprintf(null, "tags.1.member.key"), tag("Tags.member.1.Value", "v")...)
	s.wantError(400, "ValidationError", fmt.Sprintf(null, "tags"), tag()...)
	s.wantError(400, "ValidationError", fmt.Sprintf(null, "tagKeys"), untag()...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Duplicated keys are not allowed.",
		tag("Tags.member.1.Key", "k", "Tags.member.1.Value", "v", "Tags.member.2.Key", "k", "Tags.member.2.Value", "v")...)

	for _, action := range []string{"TagResource", "UntagResource", "ListTagsForResource"} {
		s.wantError(404, "ResourceNotFound", "Resource does not exist", "Action", action, "ResourceArn", arnT1+"x")
		s.wantError(400, "InvalidParameter", "Invalid parameter: ResourceArn Reason: no value for required parameter", "Action", action)
		s.wantError(400, "InvalidParameter", "Invalid parameter: ResourceArn Reason: An ARN must have at least 6 elements, not 1", "Action", action, "ResourceArn", "T1")
	}
}

// TestTagLimit checks that a topic has at most fifty, those it had counted, and that overwriting is no more.
func TestTagLimit(t *testing.T) {
	s := newServer(t, Options{})
	tag := func(from, to int) []string {
		pairs := []string{"Action", "TagResource", "ResourceArn", arnT1}
		for i := from; i <= to; i++ {
			pairs = append(pairs, fmt.Sprintf("Tags.member.%d.Key", i), fmt.Sprint(i), fmt.Sprintf("Tags.member.%d.Value", i), "")
		}
		return pairs
	}
	text := "Could not complete request: tag quota of per resource exceeded"
	s.wantError(400, "TagLimitExceeded", text, tag(1, 51)...)
	s.wantTags(arnT1, "")
	s.wantError(200, "", "", tag(1, 49)...)
	s.wantError(400, "TagLimitExceeded", text, tag(50, 51)...)
	s.wantError(200, "", "", tag(2, 50)...)
	s.wantError(400, "TagLimitExceeded", text, tag(51, 51)...)

	// Tags go away with their topic, and count in CreateTopic while it lives.
	s.wantError(400, "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags",
		"Action", "CreateTopic", "Name", "T1", "Tags.member.1.Key", "new", "Tags.member.1.Value", "v")
	s.do("Action", "DeleteTopic", "TopicArn", arnT1)
	s.wantError(200, "", "", "Action", "CreateTopic", "Name", "T1", "Tags.member.1.Key", "new", "Tags.member.1.Value", "v")
	s.wantTags(arnT1, "new=v")
}
