#!/bin/sh
# Runs in a host's root before its first boot: makes its accounts, gives them the files that were planted for them, and
# settles what Debian leaves to the administrator.
set -eu
useradd --system --user-group --no-create-home --home-dir /srv/mycats --shell /usr/sbin/nologin mycats
useradd --user-group --no-create-home --shell /bin/bash --groups adm,systemd-journal,mycats monitor

chown -R mycats:mycats /srv /var/log/mycats /var/spool/alerts /etc/mycats/pgpass /backup
chmod 0750 /backup/mycats /srv/mycats/backup
chown root:mycats /etc/mycats/backend.env
chmod 0640 /etc/mycats/backend.env
chmod 0600 /etc/mycats/pgpass
chown www-data:adm /var/log/nginx/access.log
chmod 0640 /var/log/nginx/access.log
chown root:ssl-cert /etc/ssl/mycats/server.key
chmod 0640 /etc/ssl/mycats/server.key
chown postgres:postgres /etc/postgresql/15/main/pg_hba.conf /etc/postgresql/15/main/conf.d/*
chmod 0640 /etc/postgresql/15/main/pg_hba.conf
chown -R monitor:monitor /home/monitor
chmod 0700 /root /root/.ssh /home/monitor /home/monitor/.ssh
chmod 0600 /root/.ssh/authorized_keys /home/monitor/.ssh/authorized_keys

rm -f /etc/nginx/sites-enabled/default /etc/hostname
: > /etc/machine-id
sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 365/' /etc/login.defs
mkdir -p /var/log/journal
# As if the daily `apt-get update` had just been here; a host without a network cannot really run it.
sed -i "s/^Date: .*/Date: $(date -uR)/" /var/lib/apt/lists/*security*Release

# What has no network to talk to, and what a host inside a namespace cannot mount.
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service e2scrub_all.timer fstrim.timer \
    sys-kernel-debug.mount sys-kernel-tracing.mount
systemctl enable --quiet mycats-backend.service mycats-frontend.service
