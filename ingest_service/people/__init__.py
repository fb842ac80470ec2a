"""Who may see and do what: the tree of an organisation, roles granted on its nodes, and the one decision. Pure."""
