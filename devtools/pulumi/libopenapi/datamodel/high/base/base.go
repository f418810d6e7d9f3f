// Package base has what the CLI reads of a schema.
package base

import (
	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

type Info struct {
	Version string
}

type SchemaProxy struct{}

func (*SchemaProxy) Schema() *Schema { return nil }

type DynamicValue[A any] struct {
	A A
}

func (*DynamicValue[A]) IsA() bool { return false }

type Discriminator struct {
	PropertyName string
	Mapping      *orderedmap.Map[string, string]
}

type Schema struct {
	Type, Required               []string
	Format, Pattern, Description string
	AllOf, OneOf, AnyOf          []*SchemaProxy
	Discriminator                *Discriminator
	Properties                   *orderedmap.Map[string, *SchemaProxy]
	AdditionalProperties, Items  *DynamicValue[*SchemaProxy]
	Nullable, ReadOnly           *bool
	MinLength, MaxLength         *int64
	Minimum, Maximum, MultipleOf *float64
	Default                      *yaml.Node
	Enum                         []*yaml.Node
	Extensions                   *orderedmap.Map[string, *yaml.Node]
}

type LowSchema struct{}

func (*LowSchema) Hash() uint64 { return 0 }

func (*Schema) GoLow() *LowSchema { return nil }

func (*Schema) MarshalJSONInline() ([]byte, error) { return nil, nil }
