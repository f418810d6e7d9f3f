package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// Resources of terraform-plugin-sdk/v2, one for each shape of schema. Each has `label`, which may change at any time.

const filled = "filled-by-the-cloud"

type shape = map[string]*schema.Schema

func text(s schema.Schema) *schema.Schema {
	s.Type = schema.TypeString
	return &s
}

func texts(kind schema.ValueType, s schema.Schema) *schema.Schema {
	s.Type, s.Elem = kind, &schema.Schema{Type: schema.TypeString}
	return &s
}

var optional = schema.Schema{Optional: true}

var rule = &schema.Resource{Schema: shape{
	"port":   {Type: schema.TypeInt, Required: true},
	"target": {Type: schema.TypeString, Optional: true},
	"open":   {Type: schema.TypeBool, Optional: true},
}}

var sdkShapes = map[string]shape{
	"required":   {"value": text(schema.Schema{Required: true})},
	"optional":   {"value": text(optional), "size": {Type: schema.TypeInt, Optional: true}, "enabled": {Type: schema.TypeBool, Optional: true}},
	"computed":   {"value": text(schema.Schema{Optional: true, Computed: true}), "arn": text(schema.Schema{Computed: true})},
	"collection": {"names": texts(schema.TypeSet, optional), "steps": texts(schema.TypeList, optional), "tags": texts(schema.TypeMap, optional)},
	"filling":    {"flows": texts(schema.TypeSet, schema.Schema{Optional: true, Computed: true})},
	"nested": {
		"rules":   {Type: schema.TypeList, Optional: true, Elem: rule},
		"members": {Type: schema.TypeSet, Optional: true, Elem: rule},
		"setting": {Type: schema.TypeList, Optional: true, MaxItems: 1, Elem: rule},
	},
	"default": {
		"mode":    text(schema.Schema{Optional: true, Default: "standard"}),
		"size":    {Type: schema.TypeInt, Optional: true, Default: 10},
		"enabled": {Type: schema.TypeBool, Optional: true, Default: true},
	},
	"replacing": {"value": text(schema.Schema{Required: true, ForceNew: true}), "extra": text(schema.Schema{Optional: true, ForceNew: true})},
	"named":     {"name": text(schema.Schema{Optional: true, Computed: true, ForceNew: true}), "value": text(schema.Schema{Optional: true, ForceNew: true})},
	"sensitive": {"secret": text(schema.Schema{Optional: true, Sensitive: true})},
	"writeOnly": {
		"password":        text(schema.Schema{Optional: true, WriteOnly: true}),
		"passwordVersion": {Type: schema.TypeInt, Optional: true},
	},
	"document": {"policy": text(schema.Schema{
		Required: true, DiffSuppressFunc: equivalent, DiffSuppressOnRefresh: true, StateFunc: normalised,
	})},
	"invocation": {"input": text(schema.Schema{Required: true}), "result": text(schema.Schema{Computed: true})},
}

func normalised(value any) string {
	var read any
	if json.Unmarshal([]byte(value.(string)), &read) != nil {
		return value.(string)
	}
	written, _ := json.Marshal(read)
	return string(written)
}

func equivalent(_, old, now string, _ *schema.ResourceData) bool {
	return normalised(old) == normalised(now)
}

func sdkProvider() *schema.Provider {
	found := map[string]*schema.Resource{}
	for name, fields := range sdkShapes {
		fields["label"] = text(optional)
		found["oracle_sdk_"+snake(name)] = sdkResource(name, snaked(fields))
	}
	return &schema.Provider{ResourcesMap: found}
}

func sdkResource(name string, fields shape) *schema.Resource {
	made := &schema.Resource{
		Schema:               fields,
		CreateWithoutTimeout: sdkCreate(fields),
		ReadWithoutTimeout:   sdkRead(fields),
		UpdateWithoutTimeout: sdkUpdate(name, fields),
		DeleteWithoutTimeout: sdkDelete,
		Importer:             &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
	}
	if name == "invocation" { // as aws_lambda_invocation (terraform-provider-aws, internal/service/lambda/invocation.go)
		made.ReadWithoutTimeout = schema.NoopContext
		made.Importer = nil
		made.CustomizeDiff = func(_ context.Context, d *schema.ResourceDiff, _ any) error {
			if d.HasChange("input") {
				return d.SetNewComputed("result")
			}
			return nil
		}
	}
	return made
}

// values are what a provider sends: what is set and not empty, as d.GetOk has it.
func values(d *schema.ResourceData, fields shape) object {
	found := object{}
	for key, field := range fields {
		if field.WriteOnly {
			continue
		}
		if value, ok := d.GetOk(key); ok || field.Type == schema.TypeBool {
			found[key] = listed(value)
		} else if field.Computed {
			found[key] = filledIn(key, field)
		}
	}
	if input, ok := found["input"]; ok {
		found["result"] = "result of " + input.(string)
	}
	return found
}

func filledIn(key string, field *schema.Schema) any {
	if field.Type == schema.TypeSet {
		return []any{filled}
	}
	return filled
}

func listed(value any) any {
	switch v := value.(type) {
	case *schema.Set:
		return listed(v.List())
	case []any:
		made := []any{}
		for _, item := range v {
			made = append(made, listed(item))
		}
		return made
	case map[string]any:
		made := map[string]any{}
		for key, item := range v {
			made[key] = listed(item)
		}
		return made
	}
	return value
}

func show(d *schema.ResourceData, fields shape, found object) diag.Diagnostics {
	for key, field := range fields {
		if field.WriteOnly {
			continue
		}
		value := found[key]
		if number, ok := value.(float64); ok {
			value = int(number)
		}
		if err := d.Set(key, value); err != nil {
			return diag.FromErr(err)
		}
	}
	return nil
}

func sdkCreate(fields shape) schema.CreateContextFunc {
	return func(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
		called("create")
		if err := fault("create", "before"); err != nil {
			return diag.FromErr(err)
		}
		made := values(d, fields)
		id := add(made)
		d.SetId(id)
		if err := fault("create", "after"); err != nil {
			return diag.FromErr(err)
		}
		return show(d, fields, made)
	}
}

func sdkRead(fields shape) schema.ReadContextFunc {
	return func(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
		called("read")
		if err := fault("read", "before"); err != nil {
			return diag.FromErr(err)
		}
		found, ok := find(d.Id())
		if !ok {
			d.SetId("")
			return nil
		}
		return show(d, fields, found)
	}
}

// As AWS's resources do, an update sends what has changed, and then reads; where nothing has, it only reads. An
// invocation calls its function whatever has changed (terraform-provider-aws, resourceInvocationUpdate).
func sdkUpdate(name string, fields shape) schema.UpdateContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		called("update")
		if name != "invocation" && !d.HasChangesExcept() {
			return sdkRead(fields)(ctx, d, meta)
		}
		if err := fault("update", "before"); err != nil {
			return diag.FromErr(err)
		}
		kept, ok := find(d.Id())
		if !ok {
			return diag.Errorf("updating %s: it does not exist", d.Id())
		}
		made := values(d, fields)
		for key := range fields {
			if name != "invocation" && !d.HasChange(key) {
				made[key] = kept[key]
			}
		}
		put(d.Id(), made)
		if err := fault("update", "after"); err != nil {
			return diag.FromErr(err)
		}
		return show(d, fields, made)
	}
}

func sdkDelete(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	called("delete")
	if err := fault("delete", "before"); err != nil {
		return diag.FromErr(err)
	}
	remove(d.Id())
	if err := fault("delete", "after"); err != nil {
		return diag.FromErr(err)
	}
	return nil
}

func snaked(fields shape) shape {
	made := shape{}
	for key, field := range fields {
		made[snake(key)] = field
	}
	return made
}

func snake(name string) string {
	made := ""
	for _, letter := range name {
		if lower := strings.ToLower(string(letter)); lower != string(letter) {
			made += "_" + lower
		} else {
			made += lower
		}
	}
	return made
}
