"""exchange: from other systems' configuration to a tree of ours, and from our rules to Prometheus's."""
