"""Components of the network: VPCs, routes, rules, endpoints, peerings, DNS."""
