"""Whoever must act is told on the channel they already use: on a change of state, not with every run.

state      what a channel knows of a finding, and what it must be told now; pure
routes     which channels a finding goes to; pure
message    one plain text for all that one channel is told by one run; pure
channels   how a message leaves: Apprise, a webhook, a script
delivery   all channels at once, each bounded in time and tried a few times
heartbeat  pings a watcher that notices when no run comes
telling    from a run's results to messages, and what of it is remembered in the history

Docs: docs/notifications.md. Only a run whose environment file has the section `notify` imports any of it.
"""
