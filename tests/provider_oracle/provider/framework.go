package main

import (
	"context"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Resources of terraform-plugin-framework, with the same shapes as those of the SDK where the framework has them.

var stays = []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
var replaces = []planmodifier.String{stringplanmodifier.RequiresReplace()}

var nestedRule = schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
	"port":   schema.Int64Attribute{Required: true},
	"target": schema.StringAttribute{Optional: true},
	"open":   schema.BoolAttribute{Optional: true},
}}

var frameworkShapes = map[string]schema.Schema{
	"required": {Attributes: map[string]schema.Attribute{"value": schema.StringAttribute{Required: true}}},
	"optional": {Attributes: map[string]schema.Attribute{
		"value":   schema.StringAttribute{Optional: true},
		"size":    schema.Int64Attribute{Optional: true},
		"enabled": schema.BoolAttribute{Optional: true},
	}},
	"computed": {Attributes: map[string]schema.Attribute{
		"value": schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: stays},
		"arn":   schema.StringAttribute{Computed: true, PlanModifiers: stays},
	}},
	"collection": {Attributes: map[string]schema.Attribute{
		"names": schema.SetAttribute{Optional: true, ElementType: types.StringType},
		"steps": schema.ListAttribute{Optional: true, ElementType: types.StringType},
		"tags":  schema.MapAttribute{Optional: true, ElementType: types.StringType},
	}},
	"filling": {Attributes: map[string]schema.Attribute{
		"flows": schema.SetAttribute{
			Optional: true, Computed: true, ElementType: types.StringType,
			PlanModifiers: []planmodifier.Set{setplanmodifier.UseStateForUnknown()},
		},
	}},
	"nested": {Blocks: map[string]schema.Block{
		"rules":   schema.ListNestedBlock{NestedObject: nestedRule},
		"members": schema.SetNestedBlock{NestedObject: nestedRule},
	}},
	"default": {Attributes: map[string]schema.Attribute{
		"mode":    schema.StringAttribute{Optional: true, Computed: true, Default: stringdefault.StaticString("standard")},
		"size":    schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(10)},
		"enabled": schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(true)},
	}},
	"replacing": {Attributes: map[string]schema.Attribute{
		"value": schema.StringAttribute{Required: true, PlanModifiers: replaces},
		"extra": schema.StringAttribute{Optional: true, PlanModifiers: replaces},
	}},
	"sensitive": {Attributes: map[string]schema.Attribute{"secret": schema.StringAttribute{Optional: true, Sensitive: true}}},
}

type frameworkProvider struct{}

func (frameworkProvider) Metadata(_ context.Context, _ provider.MetadataRequest, r *provider.MetadataResponse) {
	r.TypeName = "oracle"
}
func (frameworkProvider) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}
func (frameworkProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}
func (frameworkProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
func (frameworkProvider) Resources(context.Context) []func() resource.Resource {
	var found []func() resource.Resource
	for name, fields := range frameworkShapes {
		fields.Attributes = with(fields.Attributes)
		made := &frameworkResource{name, fields}
		found = append(found, func() resource.Resource { return made })
	}
	return found
}

func with(attributes map[string]schema.Attribute) map[string]schema.Attribute {
	made := map[string]schema.Attribute{
		"id":    schema.StringAttribute{Computed: true, PlanModifiers: stays},
		"label": schema.StringAttribute{Optional: true},
	}
	for key, attribute := range attributes {
		made[key] = attribute
	}
	return made
}

type frameworkResource struct {
	name   string
	fields schema.Schema
}

func (r *frameworkResource) Metadata(_ context.Context, _ resource.MetadataRequest, out *resource.MetadataResponse) {
	out.TypeName = "oracle_framework_" + snake(r.name)
}

func (r *frameworkResource) Schema(_ context.Context, _ resource.SchemaRequest, out *resource.SchemaResponse) {
	out.Schema = r.fields
}

func (r *frameworkResource) ImportState(
	ctx context.Context, in resource.ImportStateRequest, out *resource.ImportStateResponse,
) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), in, out)
}

func (r *frameworkResource) Create(_ context.Context, in resource.CreateRequest, out *resource.CreateResponse) {
	called("create")
	if err := fault("create", "before"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	made := sent(in.Plan.Raw)
	id := add(made)
	if err := fault("create", "after"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	out.State.Raw = state(in.Plan.Raw, id, made)
}

func (r *frameworkResource) Read(ctx context.Context, in resource.ReadRequest, out *resource.ReadResponse) {
	called("read")
	if err := fault("read", "before"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	id := idOf(in.State.Raw)
	if found, ok := find(id); ok {
		out.State.Raw = state(in.State.Raw, id, found)
	} else {
		out.State.RemoveResource(ctx)
	}
}

func (r *frameworkResource) Update(_ context.Context, in resource.UpdateRequest, out *resource.UpdateResponse) {
	called("update")
	if err := fault("update", "before"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	id, made := idOf(in.State.Raw), sent(in.Plan.Raw)
	if _, ok := find(id); !ok {
		out.Diagnostics.AddError("updating "+id+": it does not exist", "")
		return
	}
	put(id, made)
	if err := fault("update", "after"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	out.State.Raw = state(in.Plan.Raw, id, made)
}

func (r *frameworkResource) Delete(_ context.Context, in resource.DeleteRequest, out *resource.DeleteResponse) {
	called("delete")
	if err := fault("delete", "before"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
		return
	}
	remove(idOf(in.State.Raw))
	if err := fault("delete", "after"); err != nil {
		out.Diagnostics.AddError(err.Error(), "")
	}
}

func attributes(value tftypes.Value) map[string]tftypes.Value {
	found := map[string]tftypes.Value{}
	if err := value.As(&found); err != nil {
		panic(err)
	}
	return found
}

func idOf(value tftypes.Value) string {
	var id string
	if err := attributes(value)["id"].As(&id); err != nil {
		panic(err)
	}
	return id
}

// sent is what a provider sends of a plan: what is not null; the cloud drops what is empty, and fills in the rest.
func sent(plan tftypes.Value) object {
	found := object{}
	for key, value := range attributes(plan) {
		if key == "id" {
			continue
		}
		if !value.IsKnown() {
			if value.Type().Is(tftypes.String) {
				found[key] = filled
			} else {
				found[key] = []any{filled}
			}
		} else if read := decoded(value); !isEmpty(read) {
			found[key] = read
		}
	}
	return found
}

func state(like tftypes.Value, id string, found object) tftypes.Value {
	made := map[string]tftypes.Value{}
	for key, value := range attributes(like) {
		made[key] = encoded(value.Type(), found[key])
	}
	for key, value := range attributes(like) { // blocks are never null
		if found[key] == nil && isBlock(value.Type()) {
			made[key] = tftypes.NewValue(value.Type(), []tftypes.Value{})
		}
	}
	made["id"] = tftypes.NewValue(tftypes.String, id)
	return tftypes.NewValue(like.Type(), made)
}

func isBlock(kind tftypes.Type) bool {
	switch k := kind.(type) {
	case tftypes.List:
		return k.ElementType.Is(tftypes.Object{})
	case tftypes.Set:
		return k.ElementType.Is(tftypes.Object{})
	}
	return false
}

func decoded(value tftypes.Value) any {
	if value.IsNull() {
		return nil
	}
	switch {
	case value.Type().Is(tftypes.String):
		var read string
		must(value.As(&read))
		return read
	case value.Type().Is(tftypes.Bool):
		var read bool
		must(value.As(&read))
		return read
	case value.Type().Is(tftypes.Number):
		read := new(big.Float)
		must(value.As(&read))
		number, _ := read.Float64()
		return number
	case value.Type().Is(tftypes.List{}), value.Type().Is(tftypes.Set{}):
		var items []tftypes.Value
		must(value.As(&items))
		made := []any{}
		for _, item := range items {
			made = append(made, decoded(item))
		}
		return made
	}
	made := map[string]any{}
	for key, item := range attributes(value) {
		made[key] = decoded(item)
	}
	return made
}

func encoded(kind tftypes.Type, value any) tftypes.Value {
	if value == nil {
		return tftypes.NewValue(kind, nil)
	}
	switch k := kind.(type) {
	case tftypes.List:
		return tftypes.NewValue(kind, several(k.ElementType, value))
	case tftypes.Set:
		return tftypes.NewValue(kind, several(k.ElementType, value))
	case tftypes.Map:
		made := map[string]tftypes.Value{}
		for key, item := range value.(map[string]any) {
			made[key] = encoded(k.ElementType, item)
		}
		return tftypes.NewValue(kind, made)
	case tftypes.Object:
		made := map[string]tftypes.Value{}
		for key, of := range k.AttributeTypes {
			made[key] = encoded(of, value.(map[string]any)[key])
		}
		return tftypes.NewValue(kind, made)
	}
	return tftypes.NewValue(kind, value)
}

func several(kind tftypes.Type, value any) []tftypes.Value {
	made := []tftypes.Value{}
	for _, item := range value.([]any) {
		made = append(made, encoded(kind, item))
	}
	return made
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("the oracle's own schema is not what it reads: %v", err))
	}
}

var _ resource.ResourceWithImportState = &frameworkResource{}
var _ = tfsdk.State{}
