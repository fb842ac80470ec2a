"""Series that only the service knows: means against limits, cremations, edges, events. For dashboards on any store.

They can be made again from the relational database, so they lie beside the samples and in no transaction with them.
"""
