"""Writes the dashboards anew: `python -m dashboards`."""

from dashboards.pages import FOLDER, files


def main() -> None:
    """Write every file."""
    for path, text in files():
        whole = FOLDER / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text)
    print(f"dashboards: written to {FOLDER}")


if __name__ == "__main__":
    main()
