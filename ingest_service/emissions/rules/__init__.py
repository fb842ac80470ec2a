"""Rule packs: one TOML file per legal text and version. Data only."""
