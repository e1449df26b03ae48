package engine

import (
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// names finds things by their names, without a lock: through an immutable bucket behind an atomic pointer. Changes are made
// by one at a time.
type names[T any] struct {
	buckets [1024]atomic.Pointer[map[string]*T]
}

func (n *names[T]) bucket(hash uint64) *atomic.Pointer[map[string]*T] {
	return &n.buckets[hash>>54] // the top bits: the low ones choose the shard
}

// get finds a thing, nil when there is none.
func (n *names[T]) get(name []byte) *T {
	if m := n.bucket(xxhash.Sum64(name)).Load(); m != nil {
		return (*m)[string(name)]
	}
	return nil
}

// replace publishes a new bucket in which the name leads to the thing, or, for nil, to none.
func (n *names[T]) replace(name string, thing *T) {
	b := n.bucket(xxhash.Sum64String(name))
	next := map[string]*T{}
	if old := b.Load(); old != nil {
		for k, v := range *old {
			next[k] = v
		}
	}
	if thing == nil {
		delete(next, name)
	} else {
		next[name] = thing
	}
	b.Store(&next)
}
