package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"fanfare/ingress/auth"
)

// credentialsMax is how many credentials there may be.
const credentialsMax = 10_000

// credentialConfig is a key that signs requests. Its secret stands in a file or in the environment, or, where the
// configuration is as well kept as they are, in the configuration itself.
type credentialConfig struct {
	Name        string      `yaml:"name"` // default: the access key
	AccessKey   string      `yaml:"access_key"`
	Secret      auth.Secret `yaml:"secret,omitempty"`
	SecretFile  string      `yaml:"secret_file,omitempty"`
	SecretEnv   string      `yaml:"secret_env,omitempty"`
	Permissions []string    `yaml:"permissions"` // default: all of them

	found auth.Secret // the secret, from wherever it is
}

// validateCredentials fetches the secrets, fills in the defaults and checks everything.
func (c *config) validateCredentials(fault func(key, format string, args ...any)) {
	if len(c.Credentials) > credentialsMax {
		fault("credentials", "must be at most %d", credentialsMax)
		return
	}
	known := map[string]bool{}
	for i := range c.Credentials {
		cc := &c.Credentials[i]
		at := fmt.Sprintf("credentials[%d]", i)
		source, err := cc.fetch()
		if err != nil {
			fault(at+"."+source, "%v", err)
		}
		if cc.Name == "" {
			cc.Name = cc.AccessKey
		}
		if len(cc.Permissions) == 0 {
			cc.Permissions = auth.PermissionNames()
		}
		for j, name := range cc.Permissions {
			if _, ok := auth.ParsePermission(name); !ok {
				fault(fmt.Sprintf("%s.permissions[%d]", at, j), "is %q, must be one of %s", name, strings.Join(auth.PermissionNames(), ", "))
			}
		}
		credential := cc.auth()
		for _, f := range credential.Validate() {
			switch {
			case f.Field == "secret" && err != nil, f.Field == "name" && cc.Name == cc.AccessKey:
				continue // there is a fault already
			case f.Field == "secret":
				f.Field = source
			}
			fault(at+"."+f.Field, "%s", f.Reason)
		}
		if known[cc.AccessKey] {
			fault(at+".access_key", "%q is given twice", cc.AccessKey)
		}
		known[cc.AccessKey] = true
	}
}

var errSecretPlaces = errors.New("must be given once: as secret_file, as secret_env or as secret")

// fetch finds the secret, and says which key of the configuration led to it.
func (cc *credentialConfig) fetch() (source string, err error) {
	places := 0
	for _, given := range []bool{cc.SecretFile != "", cc.SecretEnv != "", cc.Secret != ""} {
		if given {
			places++
		}
	}
	switch {
	case places != 1:
		return "secret", errSecretPlaces
	case cc.Secret != "":
		cc.found = cc.Secret
		return "secret", nil
	case cc.SecretEnv != "":
		text, ok := os.LookupEnv(cc.SecretEnv)
		if !ok {
			return "secret_env", fmt.Errorf("there is no %s in the environment", cc.SecretEnv)
		}
		cc.found = auth.Secret(text)
		return "secret_env", nil
	}
	text, err := readSecret(cc.SecretFile)
	cc.found = text
	return "secret_file", err
}

var errNotRegular = errors.New("is not a regular file")

// readSecret reads a small file; the line end behind the secret is not part of it.
func readSecret(name string) (auth.Secret, error) {
	const bytesMax = 4 << 10
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errNotRegular
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, bytesMax))
	return auth.Secret(bytes.TrimRight(text, "\r\n")), err
}

func (cc *credentialConfig) auth() auth.Credential {
	var permissions auth.Permissions
	for _, name := range cc.Permissions {
		p, _ := auth.ParsePermission(name)
		permissions |= p
	}
	return auth.Credential{Name: cc.Name, AccessKey: cc.AccessKey, Secret: cc.found, Permissions: permissions}
}

// credentials are those of the configuration in the form of the faces.
func (c *config) credentials() []auth.Credential {
	list := make([]auth.Credential, 0, len(c.Credentials))
	for i := range c.Credentials {
		list = append(list, c.Credentials[i].auth())
	}
	return list
}

// serves reports whether a face is served.
func (c *config) serves(face string) bool {
	return len(c.Faces) == 0 || slices.Contains(c.Faces, face)
}

// divide names the served faces: those that verify signatures, and those that accept every one.
func (c *config) divide() (verifying, open []string) {
	for _, f := range faceTable {
		switch {
		case !c.serves(f.name):
		case f.verifies && len(c.Credentials) > 0:
			verifying = append(verifying, f.name)
		default:
			open = append(open, f.name)
		}
	}
	return verifying, open
}

func (c *config) validateFaces(fault func(key, format string, args ...any)) {
	names := make([]string, 0, len(faceTable))
	for _, f := range faceTable {
		names = append(names, f.name)
	}
	for i, name := range c.Faces {
		at := fmt.Sprintf("faces[%d]", i)
		if !slices.Contains(names, name) {
			fault(at, "is %q, must be one of %s", name, strings.Join(names, ", "))
		} else if slices.Contains(c.Faces[:i], name) {
			fault(at, "%q is given twice", name)
		}
	}
}

// exposed says why an address must not be reachable from other machines, "" when it may. The admin listener never asks
// for credentials.
func (c *config) exposed(key string) string {
	_, open := c.divide()
	switch {
	case key != "listen" || len(c.Credentials) == 0:
		return "no credentials are asked for; listen on 127.0.0.1, or set insecure to true"
	case len(open) > 0:
		return fmt.Sprintf("these faces accept every signature: %s; listen on 127.0.0.1, leave them out of faces, or set insecure to true", strings.Join(open, ", "))
	}
	return ""
}

// announceCredentials says which faces verify signatures, and which do not.
func (h *house) announceCredentials() {
	verifying, open := h.config.divide()
	if len(h.config.Credentials) == 0 {
		h.log.Warn().Msg("no credentials are configured: every signature is accepted")
		return
	}
	if len(verifying) > 0 {
		h.log.Info().Strs("faces", verifying).Int("credentials", len(h.config.Credentials)).Msg("signatures are verified")
	}
	if len(open) > 0 {
		h.log.Warn().Strs("faces", open).Msg("credentials are configured, but these faces do not verify signatures yet: they accept every one")
	}
}

var errCredentialsGone = errors.New("there are no credentials any more: to accept every signature from now on, restart")

// replaceCredentials applies those of a configuration that was read anew. That the last ones are gone takes a restart: a
// file that was emptied by mistake must not open a server that was closed.
func (h *house) replaceCredentials(c *config) error {
	if len(h.config.Credentials) > 0 && len(c.Credentials) == 0 {
		return errCredentialsGone
	}
	h.config.keys.Replace(c.credentials())
	h.config.Credentials = c.Credentials
	h.announceCredentials()
	return nil
}
