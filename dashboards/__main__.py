"""Writes the dashboards anew: `python -m dashboards`."""

from dashboards.pages import ROOT, files


def main() -> None:
    """Write every file."""
    for path, text in files():
        whole = ROOT / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text)
    print("dashboards and provisioning: written")


if __name__ == "__main__":
    main()
