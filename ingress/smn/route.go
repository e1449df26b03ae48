package smn

import (
	"bytes"
	"net/http"

	"fanfare/ingress/apigw"
)

// route finds the operation. A path that is known under another method is unknown too: the gateway in front
// of the service tells no difference.
func (f *Face) route(r *request) *apigw.Error {
	p := &r.path
	switch {
	case p.Len() <= 1 && !p.Is(0, "smn"):
		return f.versions(r)
	case p.Is(0, "smn"):
		return f.routeLinks(r, 1, "subscription/confirm", "subscription/unsubscribe")
	case p.Is(0, "rest") && p.Is(2, "notifications"):
		return f.routeLinks(r, 3, "subscription/confirm", "subscription/unsubscribe")
	case p.Is(0, "v2") && p.Is(1, "notifications"):
		return f.routeLinks(r, 2, "subscriptions/subscribe", "subscriptions/unsubscribe")
	}
	tags := bytes.HasPrefix(p.At(2), tagsPrefix)
	if !p.Is(0, "v2") || !p.Is(2, "notifications") && !tags {
		return apigw.ErrNoRoute
	}
	r.project = p.At(1)
	if !apigw.ValidProject(r.project) {
		return errProject
	}
	if tags {
		return errNotOffered
	}
	if p.Len() == 6 && p.Is(5, "publish") && p.Is(3, "topics") && r.head.IsMethod(http.MethodPost) {
		return f.publish(r)
	}
	switch {
	case p.Is(3, "topics"):
		return f.routeTopics(r)
	case p.Is(3, "subscriptions"):
		return f.routeSubscriptions(r)
	default:
		return notOffered(r)
	}
}

var tagsPrefix = []byte("smn_") // of the types of resource

// routeLinks finds the operations that need no credentials: the path from a place on decides.
func (f *Face) routeLinks(r *request, from int, confirm, unsubscribe string) *apigw.Error {
	switch get := r.head.IsMethod(http.MethodGet); {
	case get && r.path.Matches(from, confirm):
		return f.confirm(r)
	case get && r.path.Matches(from, unsubscribe):
		return f.unsubscribe(r)
	case get && r.path.Is(0, "v2") && (r.path.Matches(from, "protocols") || r.path.Matches(from, "cloud_service") ||
		r.path.Matches(from, "cloud-services") || r.path.Matches(from, "certifications/download/*")):
		return errNotOffered
	default:
		return apigw.ErrNoRoute
	}
}

func (f *Face) routeTopics(r *request) *apigw.Error {
	p, method := &r.path, string(r.head.Method)
	switch {
	case p.Len() == 4 && method == http.MethodPost:
		return f.createTopic(r)
	case p.Len() == 4 && method == http.MethodGet:
		return f.listTopics(r)
	case p.Len() == 5 && method == http.MethodGet:
		return f.showTopic(r)
	case p.Len() == 5 && method == http.MethodPut:
		return f.updateTopic(r)
	case p.Len() == 5 && method == http.MethodDelete:
		return f.deleteTopic(r)
	case p.Len() == 6 && p.Is(5, "subscriptions") && method == http.MethodPost:
		return f.addSubscription(r)
	case p.Len() == 6 && p.Is(5, "subscriptions") && method == http.MethodGet:
		return f.listTopicSubscriptions(r)
	case p.Len() == 7 && p.Is(5, "subscriptions") && method == http.MethodPut:
		return f.updateSubscription(r, p.At(6))
	case p.Len() == 7 && p.Is(5, "subscriptions") && method == http.MethodDelete:
		return f.cancelSubscription(r, p.At(6))
	default:
		return notOffered(r)
	}
}

func (f *Face) routeSubscriptions(r *request) *apigw.Error {
	p, method := &r.path, string(r.head.Method)
	switch {
	case p.Len() == 4 && method == http.MethodGet:
		return f.listSubscriptions(r)
	case p.Len() == 5 && method == http.MethodDelete && !p.Is(4, "filter_polices"):
		return f.cancelSubscription(r, p.At(4))
	default:
		return notOffered(r)
	}
}

// later lists the documented operations that are not offered, below /v2/{project}/notifications.
var later = []struct{ method, pattern string }{
	{http.MethodGet, "topics-with-associated-resources"},
	{http.MethodGet, "topics/*/statistics"},
	{http.MethodGet, "topics/*/attributes"},
	{http.MethodDelete, "topics/*/attributes"},
	{http.MethodPut, "topics/*/attributes/*"},
	{http.MethodDelete, "topics/*/attributes/*"},
	{http.MethodDelete, "topics/*/subscriptions"},
	{http.MethodPost, "topics/*/subscriptions/from-subscription-users"},
	{http.MethodPost, "topics/*/logtanks"},
	{http.MethodGet, "topics/*/logtanks"},
	{http.MethodPut, "topics/*/logtanks/*"},
	{http.MethodDelete, "topics/*/logtanks/*"},
	{http.MethodPost, "topics/*/detection"},
	{http.MethodGet, "topics/*/detection/*"},
	{"", "topics/*/kms/**"},
	{"", "topics/*/notify-policy/**"},
	{http.MethodDelete, "subscriptions"},
	{http.MethodPost, "subscriptions/filter_polices"},
	{http.MethodPut, "subscriptions/filter_polices"},
	{http.MethodDelete, "subscriptions/filter_polices"},
	{http.MethodPost, "message_template"},
	{http.MethodGet, "message_template"},
	{http.MethodGet, "message_template/*"},
	{http.MethodPut, "message_template/*"},
	{http.MethodDelete, "message_template/*"},
	{"", "applications/**"},
	{"", "endpoints/**"},
}

func notOffered(r *request) *apigw.Error {
	for _, l := range later {
		if (l.method == "" || r.head.IsMethod(l.method)) && r.path.Matches(3, l.pattern) {
			return errNotOffered
		}
	}
	return apigw.ErrNoRoute
}
