package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestSigningSettings(t *testing.T) {
	f := func(sns string, signs, always bool) {
		t.Helper()
		text := "durability: memory\n"
		if sns != "" {
			text += "sns: {" + sns + "}\n"
		}
		c, err := loadText(t, text)
		if err != nil {
			t.Errorf("%s: %v", sns, err)
			return
		}
		if strings.Contains(sns, "key_file") {
			if got := c.signsAlways(); got != always {
				t.Errorf("%s: notifications are signed: %v", sns, got)
			}
			if err := c.openSigner(zerolog.Nop()); err == nil {
				t.Errorf("%s: files that do not exist are no error", sns)
			}
			return
		}
		if err := c.openSigner(zerolog.Nop()); err != nil {
			t.Errorf("%s: %v", sns, err)
		}
		o := c.snsKindOptions()
		if (o.Signer != nil) != signs || signs && o.SignAlways != always || (c.snsOptions(zerolog.Nop()).Certificate != nil) != signs {
			t.Errorf("%s: got %+v", sns, o)
		}
		printed, err := c.dump()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := loadText(t, string(printed)); err != nil || again.SNS.Signing != c.SNS.Signing || again.SNS.CertURL != c.SNS.CertURL {
			t.Errorf("%s: the printed form is\n%s", sns, printed)
		}
	}
	f("", true, false)
	f("signing: auto", true, false)
	f("signing: on", true, true)
	f("signing: off", false, false)
	f(`cert_url: "https://sns.us-east-1.amazonaws.com"`, true, true)
	f(`signing: off, cert_url: "https://sns.us-east-1.amazonaws.com"`, false, false)
	f("key_file: /missing/key.pem, cert_file: /missing/cert.pem", true, true)

	refused := func(sns, fault string) {
		t.Helper()
		if _, err := loadText(t, "sns: {"+sns+"}\n"); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %s", sns, err, fault)
		}
	}
	refused("signing: sometimes", `sns.signing: is "sometimes", must be one of auto, on, off`)
	refused("cert_url: sns.us-east-1.amazonaws.com", `sns.cert_url: is "sns.us-east-1.amazonaws.com", must be an http or https URL`)
	refused("key_file: key.pem", "sns.key_file: key_file and cert_file go together")
}

// TestSigningKeyIsKept signs, ends, starts again, and has the same certificate; a restart must not make what receivers
// keep of it worthless.
func TestSigningKeyIsKept(t *testing.T) {
	pushes := make(chan map[string]any, 16)
	end := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var document map[string]any
		if err == nil && json.Unmarshal(body, &document) == nil {
			pushes <- document
		}
	}))
	defer end.Close()
	next := func() map[string]any {
		t.Helper()
		select {
		case document := <-pushes:
			return document
		case <-time.After(time.Minute):
			t.Fatal("no push came")
			return nil
		}
	}
	nameOf := func(document map[string]any) string {
		url, _ := document["SigningCertURL"].(string)
		return url[strings.LastIndexByte(url, '/')+1:]
	}
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "fanfare.yaml")
	text := "data: " + data + "\nsns: {signing: on}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--config", file)
	p.call("PUT", topicPath, "", 201)
	p.call("PUT", subscriptionPath, `{"kind":"sns","endpoint":"`+end.URL+`"}`, 201)
	p.call("POST", messagesPath, "one", 201)
	name := nameOf(next())
	certificate := p.call("GET", "/"+name, "", 200)
	if !strings.HasPrefix(certificate, "-----BEGIN CERTIFICATE-----") || strings.Contains(certificate, "PRIVATE") {
		t.Errorf("the certificate is %s", certificate)
	}
	if _, metrics, err := request(http.DefaultClient, "GET", p.admin+"/metrics", ""); err != nil || !strings.Contains(metrics, "\nfanfare_signatures_total 1\n") {
		t.Errorf("the metrics do not tell of one signature: %v", err)
	}
	info, err := os.Stat(filepath.Join(data, "sns-signing.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	p.call("GET", "/SimpleNotificationService-00000000000000000000000000000000.pem", "", 404)
	if err := p.terminate(); err != nil {
		t.Fatalf("%v\n%s", err, p.output)
	}

	p = startProgram(t, "--config", file)
	if again := p.call("GET", "/"+name, "", 200); again != certificate {
		t.Errorf("after a restart the certificate is %s", again)
	}
	p.call("POST", messagesPath, "two", 201)
	if got := nameOf(next()); got != name {
		t.Errorf("after a restart the certificate is called %s, not %s", got, name)
	}
}
