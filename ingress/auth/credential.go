package auth

import (
	"fmt"
	"strings"

	"fanfare/engine"
)

// Bounds of a credential.
const (
	nameBytesMax      = 64
	accessKeyBytesMax = 128
	secretBytesMax    = 1024
)

// Permissions is a set of what a credential may do.
type Permissions uint8

// The permissions.
const (
	Publish   Permissions = 1 << iota // send messages to topics
	Subscribe                         // make, read, change and end subscriptions
	Receive                           // take messages out of queues
	Admin                             // everything else: topics, their settings, lists of them

	All = Publish | Subscribe | Receive | Admin
)

// PermissionNames are what the permissions are called in a configuration.
func PermissionNames() []string { return []string{"publish", "subscribe", "receive", "admin"} }

// ParsePermission returns the permission of a name.
func ParsePermission(name string) (Permissions, bool) {
	for i, known := range PermissionNames() {
		if name == known {
			return 1 << i, true
		}
	}
	return 0, false
}

// Has reports whether all of the others are in the set.
func (p Permissions) Has(others Permissions) bool { return p&others == others }

// Secret is the secret key of a credential. Whatever prints it gets three asterisks.
type Secret string

// Hidden is what is printed in place of a secret.
const Hidden = "***"

// Format prints Hidden.
func (Secret) Format(to fmt.State, _ rune) { _, _ = to.Write([]byte(Hidden)) }

// MarshalText writes Hidden.
func (Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// UnmarshalText reads the secret itself.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Credential is a key that signs requests, and what it permits.
type Credential struct {
	Name        string // who holds it, in refusals and logs; several may have the same, such as while keys are rotated
	AccessKey   string // which of them signed, in each signature
	Secret      Secret
	Permissions Permissions
}

// Validate reports every fault.
func (c *Credential) Validate() []*engine.FieldError {
	var faults []*engine.FieldError
	refuse := func(bad bool, field, reason string) {
		if bad {
			faults = append(faults, &engine.FieldError{Field: field, Reason: reason})
		}
	}
	refuse(!isWord(c.Name, nameBytesMax, "._-+=@"), "name", fmt.Sprintf("must be 1 to %d letters, digits, '.', '_', '-', '+', '=' or '@'", nameBytesMax))
	refuse(!isWord(c.AccessKey, accessKeyBytesMax, "._-"), "access_key", fmt.Sprintf("must be 1 to %d letters, digits, '.', '_' or '-'", accessKeyBytesMax))
	printable := strings.IndexFunc(string(c.Secret), func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	refuse(c.Secret == "" || len(c.Secret) > secretBytesMax || !printable, "secret", fmt.Sprintf("must be 1 to %d printable ASCII characters", secretBytesMax))
	refuse(c.Secret == Hidden, "secret", "is what is printed in place of a secret")
	return faults
}

func isWord(text string, bytesMax int, others string) bool {
	for _, c := range []byte(text) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return text != "" && len(text) <= bytesMax
}
