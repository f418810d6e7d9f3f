"""The Lambda that ends sessions of tenants which take more of a shard than their limits let them."""
