"""The command side: deciders, command handler, gateway, safety desk, importers."""
