"""What the intake has done since the service started: whole numbers that only rise, and two that tell the present."""

import msgspec


class IngestCounters(msgspec.Struct, kw_only=True):
    """Counts since the start of the service.

    `samples_rejected` and `messages_rejected` are by the label of `admission.Rejection`. `samples_unstored` were read
    and not made durable, for their edges to send again. Acknowledgements count repeats too. `held_back_dropped`
    messages came after a gap and never became clear, `gaps_recorded` are new gap records. `last_batch_ms` is how long
    the newest batch took from decoding to commit (ms), `last_commit_at_ms` when that was, `queued_messages` how many
    wait now.
    """

    messages: int = 0
    samples_received: int = 0
    samples_stored: int = 0
    samples_repeated: int = 0
    samples_unstored: int = 0
    samples_rejected: dict[str, int] = {}
    messages_rejected: dict[str, int] = {}
    acknowledged_blocks: int = 0
    acknowledged_samples: int = 0
    dropped_messages: int = 0
    held_back_dropped: int = 0
    rebirths_requested: int = 0
    decode_errors: int = 0
    store_errors: int = 0
    gaps_recorded: int = 0
    births: int = 0
    deaths: int = 0
    batches: int = 0
    last_batch_ms: float = 0.0
    last_commit_at_ms: int = 0
    queued_messages: int = 0

    def copy(self) -> "IngestCounters":
        """The counts as they are now, for readers."""
        return msgspec.structs.replace(
            self, samples_rejected=dict(self.samples_rejected), messages_rejected=dict(self.messages_rejected)
        )
