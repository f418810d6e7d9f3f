"""VPCs, routes, rules, endpoints, peerings, DNS."""
