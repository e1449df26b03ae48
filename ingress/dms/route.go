package dms

import (
	"net/http"

	"fanfare/ingress/apigw"
)

// The paths, in the reference's order; {engine} is rocketmq or reliability:
//
//	A  /v2/{engine}/{project}/instances/{instance}/...   messages, trace, groups at run time
//	B  /v2/{project}/{engine}/instances/{instance}/...   the same, as the other cloud on this API spells it
//	C  /v2/{project}/instances/{instance}/...            topics, groups, users, brokers
//
// A project id is never the name of an engine, so they cannot collide.

// route checks what comes before the operation, then finds it.
func (f *Face) route(r *request) *apigw.Error {
	p := &r.path
	project, instances, messages := 1, 2, false
	switch {
	case knownEngine(p.At(1)):
		project, instances, messages = 2, 3, true
	case p.Is(2, "instances"):
	case knownEngine(p.At(2)):
		instances, messages = 3, true
	default:
		return errEngine // Claims saw "instances" behind it
	}
	if !apigw.ValidProject(p.At(project)) {
		return errProject
	}
	if !p.Is(instances, "instances") || p.Len() < instances+2 || p.Is(instances+1, "action") {
		return notOffered(r, project+1, outside)
	}
	if !validInstance(p.At(instances + 1)) {
		return errInstance
	}
	r.rest = instances + 2
	if !messages {
		return f.routeInstance(r)
	}
	if p.Len() == r.rest+1 && p.Is(r.rest, "messages") && r.head.IsMethod(http.MethodPost) {
		return f.send(r)
	}
	return notOffered(r, r.rest, atRunTime)
}

// routeInstance finds the operations of style C.
func (f *Face) routeInstance(r *request) *apigw.Error {
	p := &r.path
	if !p.Is(r.rest, "topics") {
		return notOffered(r, r.rest, ofInstance)
	}
	switch method := string(r.head.Method); p.Len() - r.rest {
	case 1:
		switch {
		case method == http.MethodPost && string(r.ctx.QueryArgs().Peek("action")) == "delete":
			return f.deleteTopics(r)
		case method == http.MethodPost:
			return f.createTopic(r)
		case method == http.MethodGet:
			return f.listTopics(r)
		}
	case 2:
		switch method {
		case http.MethodGet:
			return f.showTopic(r)
		case http.MethodDelete:
			return f.deleteTopic(r)
		}
	}
	return notOffered(r, r.rest, ofInstance)
}

// validInstance reports whether the segment has the form of a UUID.
func validInstance(id []byte) bool {
	if len(id) != len("3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c") {
		return false
	}
	for i, c := range id {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// operation is a documented operation: a method, or any, and a pattern of apigw.Path.Matches.
type operation struct{ method, pattern string }

// atRunTime lists the operations of styles A and B below the instance.
var atRunTime = []operation{
	{http.MethodPost, "messages"},
	{http.MethodGet, "messages"},
	{http.MethodGet, "trace"},
	{http.MethodPost, "messages/deadletter-resend"},
	{http.MethodPost, "messages/resend"},
	{http.MethodGet, "groups/*/accesspolicy"},
	{http.MethodGet, "groups/*/clients"},
	{http.MethodPost, "groups/*/reset-message-offset"},
	{"", "nodes/**"},
	{"", "plain-ssl-switch/**"},
	{"", "diagnosis/**"},
}

// ofInstance lists the operations of style C below the instance.
var ofInstance = []operation{
	{http.MethodGet, ""},
	{http.MethodPut, ""},
	{http.MethodDelete, ""},
	{http.MethodPost, "topics"},
	{http.MethodGet, "topics"},
	{http.MethodGet, "topics/*"},
	{http.MethodPut, "topics/*"},
	{http.MethodDelete, "topics/*"},
	{http.MethodGet, "topics/*/status"},
	{http.MethodGet, "topics/*/groups"},
	{http.MethodGet, "topics/*/accesspolicy"},
	{http.MethodPost, "groups"},
	{http.MethodPut, "groups"},
	{http.MethodGet, "groups"},
	{http.MethodGet, "groups/*"},
	{http.MethodPut, "groups/*"},
	{http.MethodDelete, "groups/*"},
	{http.MethodGet, "groups/*/topics"},
	{http.MethodPost, "messages/export"},
	{http.MethodGet, "brokers"},
	{http.MethodPost, "users"},
	{http.MethodGet, "users"},
	{http.MethodGet, "users/*"},
	{http.MethodPut, "users/*"},
	{http.MethodDelete, "users/*"},
	{"", "configs/**"},
	{"", "metadata/**"},
	{"", "tasks/**"},
}

// outside lists the operations behind the project that are of no instance, or of an instance as a whole.
var outside = []operation{
	{http.MethodGet, "instances"},
	{http.MethodPost, "instances"},
	{http.MethodPost, "instances/action"},
	{http.MethodPost, "rocketmq/instances"},
	{"", "rocketmq/*/tags/**"},
}

// notOffered tells an operation that is documented from a wrong method and from a path that does not exist.
func notOffered(r *request, from int, operations []operation) *apigw.Error {
	err := errNoRoute
	for _, o := range operations {
		if r.path.Matches(from, o.pattern) {
			if o.method == "" || r.head.IsMethod(o.method) {
				return errNotOffered
			}
			err = errMethod
		}
	}
	return err
}
