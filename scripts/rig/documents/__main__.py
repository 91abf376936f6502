"""Write the parts of `docs/` that are made."""

import json

from . import grafana, home_assistant, messages


def main() -> None:
    """Write all that are not as the code makes them."""
    messages.PAGE.write_text(messages.page())
    home_assistant.PAGE.write_text(home_assistant.page())
    for path, dashboard in grafana.dashboards().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
