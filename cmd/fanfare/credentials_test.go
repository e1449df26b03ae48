package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress/auth"
	"fanfare/ingress/auth/authtest"
)

// TestFaceTable compares what the configuration knows of the faces with the faces.
func TestFaceTable(t *testing.T) {
	c := defaultConfig()
	c.Credentials = []credentialConfig{{AccessKey: "a", Secret: "s", Permissions: []string{"admin"}}}
	c.validateCredentials(func(key, format string, args ...any) { t.Errorf(key+": "+format, args...) })
	c.keys = auth.NewKeyring(c.credentials())
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faces(e, c, zerolog.Nop()) {
		verifier, ok := f.(interface{ Verifies() bool })
		got := struct {
			name     string
			verifies bool
		}{f.Name(), ok && verifier.Verifies()}
		if !slices.Contains(faceTable, got) {
			t.Errorf("%+v is not in the table", got)
		}
	}
	c.Faces = []string{"sns", "native"}
	var names []string
	for _, f := range faces(e, c, zerolog.Nop()) {
		names = append(names, f.Name())
	}
	if diff := cmp.Diff([]string{"native", "sns"}, names); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
}

// TestCredentialsLoad reads secrets from wherever they may be.
func TestCredentialsLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BILLING_SECRET", "from-the-environment")
	c, err := loadText(t, `
credentials:
  - {access_key: a, secret_file: `+file+`}
  - {name: billing, access_key: b, secret_env: BILLING_SECRET, permissions: [publish, receive]}
  - {name: billing, access_key: c, secret: plain}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []auth.Credential{
		{Name: "a", AccessKey: "a", Secret: "file", Permissions: auth.All},
		{Name: "billing", AccessKey: "b", Secret: "from-the-environment", Permissions: auth.Publish | auth.Receive},
		{Name: "billing", AccessKey: "c", Secret: "plain", Permissions: auth.All},
	}
	got := c.credentials()
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("credential %d: got %+v, want %+v", i, got, want[i])
		}
	}
	text, err := c.dump()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"from-the-environment", "plain"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the printed configuration shows %s:\n%s", secret, text)
		}
	}
	if !bytes.Contains(text, []byte(`secret: '***'`)) && !bytes.Contains(text, []byte(`secret: "***"`)) {
		t.Errorf("the printed configuration does not say that there is a secret:\n%s", text)
	}
	// All but the secret that stands in it can be loaded again.
	_, err = loadText(t, string(text))
	if err == nil || !strings.Contains(err.Error(), "credentials[2].secret: is what is printed in place of a secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("loaded again: %v", err)
	}
}

func TestCredentialFaults(t *testing.T) {
	f := func(text string, want ...string) { t.Helper(); wantFaults(t, text, want...) }
	one := func(fields string) string { return "credentials:\n  - {" + fields + "}" }
	f(one("access_key: a"), `FILE: credentials[0].secret: must be given once: as secret_file, as secret_env or as secret`)
	f(one("access_key: a, secret: s, secret_env: HOME"), `FILE:2: credentials[0].secret: must be given once: as secret_file, as secret_env or as secret`)
	f(one("secret: s"), `FILE: credentials[0].access_key: must be 1 to 128 letters, digits, '.', '_' or '-'`)
	f(one("access_key: a, secret_env: FANFARE_NO_SUCH_VARIABLE"), `FILE:2: credentials[0].secret_env: there is no FANFARE_NO_SUCH_VARIABLE in the environment`)
	f(one("access_key: a, secret_file: /no/such/file"), `FILE:2: credentials[0].secret_file: stat /no/such/file: no such file or directory`)
	f(one("access_key: a, secret_file: /dev/zero"), `FILE:2: credentials[0].secret_file: is not a regular file`)
	f(one("access_key: a, secret: s p"), `FILE:2: credentials[0].secret: must be 1 to 1024 printable ASCII characters`)
	f(one("access_key: a/b, secret: s, name: x y"),
		`FILE:2: credentials[0].name: must be 1 to 64 letters, digits, '.', '_', '-', '+', '=' or '@'`,
		`FILE:2: credentials[0].access_key: must be 1 to 128 letters, digits, '.', '_' or '-'`)
	f(one("access_key: a, secret: s, permissions: [publish, root]"), `FILE:2: credentials[0].permissions[1]: is "root", must be one of publish, subscribe, receive, admin`)
	f(one("access_key: a, secret: [s]"), `FILE:2: credentials[0].secret: must be text`,
		`FILE:2: credentials[0].secret: must be given once: as secret_file, as secret_env or as secret`)
	f("credentials:\n  - {access_key: a, secret: s}\n  - {access_key: a, secret: t}", `FILE:3: credentials[1].access_key: "a" is given twice`)
	f("faces: [sns, sms, sns]", `FILE:1: faces[1]: is "sms", must be one of native, rocketmq, smq, dms, smn, sqs, sns`, `FILE:1: faces[2]: "sns" is given twice`)

	// Beyond this machine only with a signature on every request.
	credential := "\ncredentials: [{access_key: a, secret: s}]"
	f("listen: 0.0.0.0:80"+credential,
		`FILE:1: listen: "0.0.0.0:80" is reachable from other machines, and these faces accept every signature: native, rocketmq, smq, dms, smn; listen on 127.0.0.1, leave them out of faces, or set insecure to true`)
	f("listen: 0.0.0.0:80\nfaces: [sns, smq]"+credential,
		`FILE:1: listen: "0.0.0.0:80" is reachable from other machines, and these faces accept every signature: smq; listen on 127.0.0.1, leave them out of faces, or set insecure to true`)
	f("listen: 0.0.0.0:80\nfaces: [sns]",
		`FILE:1: listen: "0.0.0.0:80" is reachable from other machines, and no credentials are asked for; listen on 127.0.0.1, or set insecure to true`)
	f("listen: 0.0.0.0:80\nfaces: [sns]" + credential)
	f("listen: 0.0.0.0:80\ninsecure: true" + credential)
	f("admin: 0.0.0.0:81\nfaces: [sns]"+credential,
		`FILE:1: admin: "0.0.0.0:81" is reachable from other machines, and no credentials are asked for; listen on 127.0.0.1, or set insecure to true`)
}

// logged are the lines of a log, without their times.
func logged(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "time")
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	return lines
}

// TestAnnounceCredentials reads what the log says about who is asked for a signature.
func TestAnnounceCredentials(t *testing.T) {
	f := func(c *config, want ...string) {
		t.Helper()
		var log bytes.Buffer
		(&house{config: c, log: zerolog.New(&log)}).announceCredentials()
		if diff := cmp.Diff(want, logged(t, log.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	one := []credentialConfig{{AccessKey: "a"}}
	f(&config{}, `{"level":"warn","message":"no credentials are configured: every signature is accepted"}`)
	f(&config{Credentials: one},
		`{"credentials":1,"faces":["sqs","sns"],"level":"info","message":"signatures are verified"}`,
		`{"faces":["native","rocketmq","smq","dms","smn"],"level":"warn","message":"credentials are configured, but these faces do not verify signatures yet: they accept every one"}`)
	f(&config{Credentials: one, Faces: []string{"sns"}}, `{"credentials":1,"faces":["sns"],"level":"info","message":"signatures are verified"}`)
}

// TestReloadCredentials rotates a key in the running server: the new one is good at once, the old one no more, and a
// configuration without any is not applied.
func TestReloadCredentials(t *testing.T) {
	c := defaultConfig()
	c.Listen, c.Admin, c.Durability = "127.0.0.1:0", "127.0.0.1:0", "memory"
	load := func(secret string) *config {
		n := *c
		if secret != "" {
			n.Credentials = []credentialConfig{{AccessKey: "a", Secret: auth.Secret(secret)}}
		}
		n.validateCredentials(func(key, format string, args ...any) { t.Errorf(key+": "+format, args...) })
		return &n
	}
	h := openHouseFor(t, load("one"))
	status := func(secret string) int {
		t.Helper()
		wire := authtest.Post("a", secret, time.Now(), "Action=ListTopics").Sign()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+h.listen.Addr().String()+"/", strings.NewReader("Action=ListTopics"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "127.0.0.1:4100"
		for line := range strings.Lines(string(wire)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name != "Host" {
				req.Header.Set(name, value)
			}
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	f := func(secret string, want int) {
		t.Helper()
		if got := status(secret); got != want {
			t.Errorf("signed with %q: status %d, want %d", secret, got, want)
		}
	}
	f("one", fasthttp.StatusOK)
	f("two", fasthttp.StatusForbidden)
	h.reload(func() (*config, error) { return load("two"), nil })
	f("two", fasthttp.StatusOK)
	f("one", fasthttp.StatusForbidden)
	h.reload(func() (*config, error) { return load(""), nil })
	f("two", fasthttp.StatusOK)
	f("", fasthttp.StatusForbidden)
}
