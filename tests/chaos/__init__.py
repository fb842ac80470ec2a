"""Proof that nothing is lost: real processes, faults drawn from a seed, and an account kept at both ends.

The furnaces count each reading and log the number that they answered with (`--read-log`). A tap on the line to the
agent knows which answers were delivered in time. Afterwards every number that the agent was given must lie in the
centre's store exactly once, or a gap record must cover its time; and no gap record may speak of a time that was read
throughout.

`make chaos MINUTES=30 SEED=1` ends with one JSON object: `faults`; `answered` by the furnaces, of which `unread`
reached no agent in time; `samples_read` = `stored` + `gap_recorded` + `lost`; `duplicated` rows; `false_gaps`;
`drained_s` from the last reading until all outboxes were empty.
"""
