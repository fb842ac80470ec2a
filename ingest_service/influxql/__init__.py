"""The InfluxQL that dashboards ask: text to statements, statements over columns to tables. Pure; reads no store."""
