package smn

import (
	"net/http"
	"strings"

	"fanfare/ingress/apigw"
)

// Source: SMN API reference, "Querying versions".

type versionLink struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

type version struct {
	ID         string        `json:"id"`
	Links      []versionLink `json:"links"`
	MinVersion string        `json:"min_version"`
	Status     string        `json:"status"`
	Updated    string        `json:"updated"`
	Version    string        `json:"version"`
}

// versions answers ListVersions (GET /) and ListVersion (GET /v2).
func (f *Face) versions(r *request) *apigw.Error {
	get := r.head.IsMethod(http.MethodGet) || r.head.IsMethod(http.MethodHead)
	if !get || r.path.Len() == 1 && !r.path.Is(0, "v2") {
		return apigw.ErrNoRoute
	}
	v2 := version{
		ID: "v2", Links: []versionLink{{f.publicURL(r) + "/v2/", "self"}}, Status: "CURRENT", Updated: "2018-09-19T00:00:00Z",
	}
	if r.path.Len() == 0 {
		apigw.WriteJSON(r.ctx, r.id, http.StatusOK, map[string]any{"versions": []version{v2}})
	} else {
		apigw.WriteJSON(r.ctx, r.id, http.StatusOK, map[string]any{"version": v2})
	}
	return nil
}

// publicURL is where clients reach this server: as configured, or else as this one did.
func (f *Face) publicURL(r *request) string {
	if f.opts.PublicURL != "" {
		return strings.TrimRight(f.opts.PublicURL, "/")
	}
	scheme := "http://"
	if r.ctx.IsTLS() {
		scheme = "https://"
	}
	return scheme + string(r.ctx.Host())
}
