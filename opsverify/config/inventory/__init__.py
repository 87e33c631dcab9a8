"""Ansible inventories as files: which hosts they name, and how those are reached. Nothing in them is executed."""
