package auth

import "sync/atomic"

// Keyring holds the credentials that are accepted. A nil one is empty.
type Keyring struct {
	holders atomic.Pointer[map[string]*holder] // by access key; replaced as a whole
}

// holder is a credential with the signing keys that were derived from it.
type holder struct {
	Credential
	keys signingKeys
}

// NewKeyring returns a keyring of the credentials. Of two with the same access key the last one counts.
func NewKeyring(credentials []Credential) *Keyring {
	k := &Keyring{}
	k.Replace(credentials)
	return k
}

// Replace replaces all credentials. Requests under way end with the old ones.
func (k *Keyring) Replace(credentials []Credential) {
	holders := make(map[string]*holder, len(credentials))
	for _, c := range credentials {
		holders[c.AccessKey] = &holder{Credential: c}
	}
	k.holders.Store(&holders)
}

// Empty reports whether there is no credential. Then nobody is asked for a signature.
func (k *Keyring) Empty() bool { return k == nil || len(*k.holders.Load()) == 0 }

// find returns the holder of an access key, nil when nobody has it.
func (k *Keyring) find(accessKey []byte) *holder {
	if k == nil {
		return nil
	}
	return (*k.holders.Load())[string(accessKey)]
}
