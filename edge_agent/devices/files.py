"""Profile files: the shipped ones by id, others by path, each read once and checked."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from edge_agent.devices.profile import Profile
from edge_agent.devices.resolve import check_names, resolve_channel, resolve_limits
from edge_agent.devices.tables import ChannelKeys, ProfileFile, overridden
from edge_agent.errors import ConfigError
from edge_agent.toml_file import Place, parse_toml, read_toml, suggestion

SUFFIX = ".toml"
MAX_CHANNELS = 4000


class WrittenProfile(msgspec.Struct, frozen=True):
    """A profile file as written, with the name that errors show."""

    file: str
    content: ProfileFile


def shipped_ids() -> list[str]:
    """The ids of the profiles that come with the product."""
    names = (entry.name for entry in files("edge_agent.devices").iterdir())
    return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


def load_profile(reference: str, folder: Path) -> Profile:
    """A profile by shipped id, or by path from `folder`, without overrides. Raises ConfigError."""
    return resolve_profile(read_profile(reference, folder, Place(reference, "")), {}, Place(reference, ""))


def read_profile(reference: str, folder: Path, asked_by: Place) -> WrittenProfile:
    """The file of a shipped id or of a path relative to `folder`. Raises ConfigError."""
    if reference.endswith(SUFFIX):
        path = folder / reference
        if not path.is_file():
            raise asked_by.error("profile", f"there is no file {path}")
        return WrittenProfile(str(path), read_toml(path, ProfileFile))
    if reference not in (known := shipped_ids()):
        hint = suggestion(reference, known)
        raise asked_by.error("profile", f'unknown profile "{reference}"{hint}', f"{', '.join(known)}, or a .toml file")
    name = reference + SUFFIX
    text = files("edge_agent.devices").joinpath(name).read_text(encoding="utf-8")
    return WrittenProfile(name, parse_toml(text, ProfileFile, name))


def resolve_profile(written: WrittenProfile, overrides: Mapping[str, ChannelKeys], asked_by: Place) -> Profile:
    """The profile with a device's overrides applied. Raises ConfigError."""
    content, file = written.content, written.file
    _check_overrides(content, overrides, asked_by)
    _check_channels(content, file)
    limits = resolve_limits(content.modbus, file)
    channels = []
    for number, table in enumerate(content.channel, 1):
        place = Place(file, f'channel[{number}] "{table.name}"')
        if (override := overrides.get(table.name)) is not None:
            table = overridden(table, override)
            place = Place(asked_by.file, f"{asked_by.key}.channel.{table.name}")
        channels.append(resolve_channel(table, content.modbus, limits, place))
    head = content.profile
    return Profile(
        id=head.id,
        name_zh=head.name_zh,
        name_en=head.name_en,
        origin=head.origin,
        source=head.source,
        limits=limits,
        channels=tuple(channels),
    )


def _check_channels(content: ProfileFile, file: str) -> None:
    if not 1 <= len(content.channel) <= MAX_CHANNELS:
        raise ConfigError(file, "channel", f"{len(content.channel)} channels", f"1 to {MAX_CHANNELS}")
    check_names((table.name for table in content.channel), file, "channel")


def _check_overrides(content: ProfileFile, overrides: Mapping[str, ChannelKeys], asked_by: Place) -> None:
    names = [table.name for table in content.channel]
    for name in overrides:
        if name not in names:
            hint = suggestion(name, names)
            raise asked_by.error(f"channel.{name}", f"profile {content.profile.id} has no such channel{hint}")
