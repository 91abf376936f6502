"""Serve until Ctrl-C: `python -m scripts.rig.data_api [--port PORT] [--api-key KEY]`."""

import argparse
import asyncio
from contextlib import suppress

from .era import Era
from .server import DataApi


def main() -> None:
    """Serve, and tell what arrives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8006)
    parser.add_argument("--api-key", default="")
    parser.add_argument("--era", type=Era, choices=list(Era), default=Era.TODAY)
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.port, arguments.api_key, arguments.era))


async def _serve(port: int, api_key: str, era: Era) -> None:
    async with DataApi(port=port, api_key=api_key, era=era) as server:
        print(f"data-api: {server.url}  its rows: {server.url}/api/entities", flush=True)
        while True:
            await asyncio.sleep(1.0)
            for seen in server.seen:
                print(f"{seen.method} {seen.path} {len(seen.body)} bytes", flush=True)
            server.seen.clear()


if __name__ == "__main__":
    main()
