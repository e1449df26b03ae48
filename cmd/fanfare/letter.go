package main

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// shownLetter is a whole dead letter as the server tells it.
type shownLetter struct {
	letter
	ID          string `json:"id"`
	Origin      string `json:"origin"`
	Subject     string `json:"subject"`
	Tag         string `json:"tag"`
	Keys        string `json:"keys"`
	Group       string `json:"group"`
	ContentType string `json:"content_type"`
	DeliverAt   string `json:"deliver_at"`
	ExpiresAt   string `json:"expires_at"`
	Answer      string `json:"answer"`
	AnswerBytes []byte `json:"answer_base64"`
	Body        []byte `json:"body"`
	Attributes  []struct {
		Name, Type, Value string
		Bytes             []byte `json:"value_base64"`
	} `json:"attributes"`
}

// Pieces of a letter as far as a terminal is shown them.
const (
	shownTextMax = 200
	shownBodyMax = 2000
)

// rows are a letter's facts, one a line, without those it does not have.
func (l *shownLetter) rows() [][]string {
	rows := [][]string{}
	add := func(name, value string, most int) {
		if value != "" {
			rows = append(rows, []string{name, printable(value, most)})
		}
	}
	number := func(name string, n int) {
		if n != 0 {
			add(name, strconv.Itoa(n), shownTextMax)
		}
	}
	add("sequence", strconv.FormatUint(l.Sequence, 10), shownTextMax)
	if l.Damaged {
		add("damaged", "it cannot be read, and stays until it is purged", shownTextMax)
		return rows
	}
	add("id", l.ID, shownTextMax)
	add("published", l.PublishedAt, shownTextMax)
	add("through", l.Origin, shownTextMax)
	add("ended", l.EndedAt, shownTextMax)
	add("reason", l.Reason, shownTextMax)
	number("attempts", l.Attempts)
	number("status", l.Status)
	add("failure", l.Failure, shownTextMax)
	add("answer", shownBytes(append([]byte(l.Answer), l.AnswerBytes...)), shownBodyMax)
	add("subject", l.Subject, shownTextMax)
	add("tag", l.Tag, shownTextMax)
	add("keys", l.Keys, shownTextMax)
	add("group", l.Group, shownTextMax)
	add("content type", l.ContentType, shownTextMax)
	add("deliver at", l.DeliverAt, shownTextMax)
	add("expires", l.ExpiresAt, shownTextMax)
	for _, a := range l.Attributes {
		add("attribute", fmt.Sprintf("%s (%s) = %s", a.Name, a.Type, shownBytes(append([]byte(a.Value), a.Bytes...))), shownTextMax)
	}
	number("body bytes", l.BodyBytes)
	add("body", shownBytes(l.Body), shownBodyMax)
	return rows
}

// shownBytes is a text as it is, and anything else in words.
func shownBytes(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return fmt.Sprintf("%d bytes that are no text; --raw and --json have them", len(b))
}
