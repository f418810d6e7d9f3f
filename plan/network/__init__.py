"""Plans of addresses, allowed paths, network ACLs and VPC endpoints."""
