"""The npm packages of the clients are pinned by hash, wherever they are fetched from."""

import json
from pathlib import Path

LOCK = Path(__file__).with_name("package-lock.json")


def test_the_lock_of_the_clients_pins_every_package_and_holds_no_download_address() -> None:
    assert "://" not in LOCK.read_text()
    packages = json.loads(LOCK.read_text())["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)
    assert {"node_modules/graphql-ws", "node_modules/graphql-sse", "node_modules/ws"} <= packages.keys()
