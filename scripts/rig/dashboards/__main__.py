"""Write the dashboards below `docs/`."""

import json

from . import grafana, home_assistant


def main() -> None:
    """Write all that are not as the code makes them."""
    home_assistant.PAGE.write_text(home_assistant.page())
    for path, dashboard in grafana.dashboards().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
