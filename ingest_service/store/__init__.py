"""What is kept: samples and means in a time-series store, all else in a relational database. The only SQL."""
