package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Limits of a document.
const (
	DocumentKeyBytesMax = 1024
	DocumentBytesMax    = 64 << 10
)

// ErrDocumentLimit says that there are as many documents as there may be. Only faces that keep documents meet it.
var ErrDocumentLimit = errors.New("engine: there are as many documents as there may be")

// Document is a small thing that a face keeps beside topics and subscriptions, under a key that begins with the
// face's name and a dot, such as "sns.app/GCM/shop". The engine does not look into it.
type Document struct {
	Key   string
	Value []byte // must not be changed
}

// documents holds them all. Changes are made under the catalog's lock, and in its batches, so that several happen
// together or not at all.
type documents struct {
	mu     sync.RWMutex
	values map[string][]byte // guarded by mu; a value is never changed, only replaced
	keys   []string          // guarded by the catalog's mu: sorted
}

// The key of a document in the catalog's part of the store is "d/" and its own.
const documentPrefix = "d/"

func (d *documents) get(key string) []byte {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.values[key]
}

// setLocked makes a document visible, or takes it away with nil.
func (d *documents) setLocked(key string, value []byte) {
	switch at, found := slices.BinarySearch(d.keys, key); {
	case value == nil && found:
		d.keys = slices.Delete(d.keys, at, at+1)
	case value != nil && !found:
		d.keys = slices.Insert(d.keys, at, key)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if value == nil {
		delete(d.values, key)
	} else {
		d.values[key] = value
	}
}

// Document returns the value of a document, nil when there is none. It must not be changed. It does not allocate.
func (e *Engine) Document(key []byte) []byte {
	d := &e.catalog.documents
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.values[string(key)]
}

// Documents returns up to limit documents in the order of their keys, those behind the key after and with the prefix.
func (e *Engine) Documents(prefix, after string, limit int) []Document {
	c := &e.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.documents.listLocked(prefix, after, limit)
}

func (d *documents) listLocked(prefix, after string, limit int) []Document {
	var list []Document
	at, found := slices.BinarySearch(d.keys, max(prefix, after))
	if found && after >= prefix && after != "" {
		at++
	}
	for ; at < len(d.keys) && len(list) < limit && strings.HasPrefix(d.keys[at], prefix); at++ {
		list = append(list, Document{d.keys[at], d.get(d.keys[at])})
	}
	return list
}

// DocumentChanges is a change of documents while it is put together. It must not be used after the function that it
// was handed to returned.
type DocumentChanges struct {
	documents *documents
	limit     int
	changed   map[string][]byte // nil for one that is deleted
}

// Get returns the value of a document as this change has it, nil when there is none. It must not be changed.
func (d *DocumentChanges) Get(key string) []byte {
	if value, ok := d.changed[key]; ok {
		return value
	}
	return d.documents.get(key)
}

// List is Engine.Documents for the documents as they are without this change.
func (d *DocumentChanges) List(prefix, after string, limit int) []Document {
	return d.documents.listLocked(prefix, after, limit)
}

// Put sets a document. The value is copied.
func (d *DocumentChanges) Put(key string, value []byte) {
	d.changed[key] = append(make([]byte, 0, len(value)), value...)
}

// Delete removes a document. One that does not exist is fine.
func (d *DocumentChanges) Delete(key string) { d.changed[key] = nil }

// ChangeDocuments lets fn look at documents and change several of them, while nobody else changes any. Nothing is
// changed when fn returns an error, which is returned as it is. The changes are durable when ChangeDocuments returns.
func (e *Engine) ChangeDocuments(fn func(d *DocumentChanges) error) error {
	return e.change(func(b Batch) (func(), error) {
		d := &DocumentChanges{&e.catalog.documents, e.opts.DocumentsMax, map[string][]byte{}}
		if err := fn(d); err != nil {
			return nil, err
		}
		if err := d.check(); err != nil {
			return nil, err
		}
		for key, value := range d.changed {
			if value != nil {
				b.PutCatalog(documentPrefix+key, value)
			} else if d.documents.get(key) != nil {
				b.DeleteCatalog(documentPrefix + key)
			}
		}
		return func() {
			for key, value := range d.changed {
				d.documents.setLocked(key, value)
			}
		}, nil
	})
}

func (d *DocumentChanges) check() error {
	count := len(d.documents.keys)
	for key, value := range d.changed {
		had := d.documents.get(key) != nil
		switch {
		case len(key) > DocumentKeyBytesMax || strings.IndexByte(key, '.') < 1:
			return &FieldError{"document", fmt.Sprintf("the key %.64q must be at most %d bytes and begin with the name of its face and a dot", key, DocumentKeyBytesMax)}
		case len(value) > DocumentBytesMax:
			return &FieldError{"document", fmt.Sprintf("is longer than %d bytes", DocumentBytesMax)}
		case value != nil && !had:
			count++
		case value == nil && had:
			count--
		}
	}
	if count > d.limit && count > len(d.documents.keys) {
		return ErrDocumentLimit
	}
	return nil
}

// loadDocument takes over a document of the store, which come in the order of their keys.
func (d *documents) loadDocument(key string, value []byte) {
	d.setLocked(strings.TrimPrefix(key, documentPrefix), bytes.Clone(value))
}
