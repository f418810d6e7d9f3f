// Package orderedmap has a map that is always empty.
package orderedmap

import "iter"

type Map[K comparable, V any] struct{}

func New[K comparable, V any]() *Map[K, V] { return &Map[K, V]{} }

func Len[K comparable, V any](*Map[K, V]) int { return 0 }

func (*Map[K, V]) Set(K, V) (old V, there bool) { return }

func (*Map[K, V]) Delete(K) (old V, there bool) { return }

func (*Map[K, V]) Get(K) (found V, there bool) { return }

func (*Map[K, V]) GetOrZero(K) (found V) { return }

func (*Map[K, V]) FromOldest() iter.Seq2[K, V] { return func(func(K, V) bool) {} }

func (*Map[K, V]) KeysFromOldest() iter.Seq[K] { return func(func(K) bool) {} }
