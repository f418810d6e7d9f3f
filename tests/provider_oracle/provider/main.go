// A Pulumi provider of the real terraform-plugin-sdk/v2 and terraform-plugin-framework behind the real
// pulumi-terraform-bridge, muxed as pulumi-aws is. What it answers is what the sandbox's provider must answer.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	sdkbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

const version = "1.0.0"

func main() {
	info := described(context.Background())
	schema, err := schemaOf(info)
	if err == nil && len(os.Args) > 1 && os.Args[1] == "schema" {
		fmt.Println(string(schema))
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: the oracle has no schema:", err)
		os.Exit(1)
	}
	tfbridge.MainWithMuxer(context.Background(), "oracle", info, schema)
}

func described(ctx context.Context) sdkbridge.ProviderInfo {
	sdk, framework := sdkProvider(), frameworkProvider{}
	if err := sdk.InternalValidate(); err != nil {
		fmt.Fprintln(os.Stderr, "error: a shape of the SDK is malformed:", err)
		os.Exit(1)
	}
	info := sdkbridge.ProviderInfo{
		P:                              tfbridge.MuxShimWithDisjointgPF(ctx, shimv2.NewProvider(sdk), framework),
		Name:                           "oracle",
		Version:                        version,
		MetadataInfo:                   &sdkbridge.MetadataInfo{Path: "unused", Data: must2(metadata.New(nil))},
		EnableZeroDefaultSchemaVersion: true, // as pulumi-aws
		UpstreamRepoPath:               ".",
		Resources:                      map[string]*sdkbridge.ResourceInfo{},
	}
	for name := range sdkShapes {
		info.Resources["oracle_sdk_"+snake(name)] = resourceOf("sdk", name)
	}
	for name := range frameworkShapes {
		info.Resources["oracle_framework_"+snake(name)] = resourceOf("framework", name)
	}
	info.SetAutonaming(255, "-")
	resolver := info.P.(interface {
		ResolveDispatch(*sdkbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	dispatch := must2(resolver.ResolveDispatch(&info))
	must(metadata.Set(info.GetMetadata(), "mux", dispatch))
	return info
}

func resourceOf(module, name string) *sdkbridge.ResourceInfo {
	return &sdkbridge.ResourceInfo{
		Tok: tokens.Type(fmt.Sprintf("oracle:%s/%s:%s", module, name, strings.ToUpper(name[:1])+name[1:])),
	}
}

func schemaOf(info sdkbridge.ProviderInfo) ([]byte, error) {
	silent := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	made, err := tfgen.GenerateSchema(info, silent)
	if err != nil {
		return nil, err
	}
	return json.Marshal(made)
}

func must2[T any](value T, err error) T {
	must(err)
	return value
}
