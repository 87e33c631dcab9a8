"""Facts about hosts: one round trip for all that is asked of one.

`probe(host, questions, deadline)` sends one read-only POSIX script through testinfra's connection (local, ssh, docker,
podman, kubectl, openshift, lxc, chroot, ansible, salt) and returns a frozen fact, or a ProbeError, for each question.
`question` says how to add one.
"""
