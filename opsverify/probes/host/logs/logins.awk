# Failed logins over SSH by client, of sshd's messages. Behind when.awk; `most` is how many clients are shown.
# A connection is `peer`, "address port n", at one process; each wrong password in it counts, and without one, all of it
# does once.
function origin(s) { # the last of the line: a user may call himself "x from 192.0.2.1 port 1"
  sub(/ ssh2: [A-Z0-9-]+ [A-Z0-9]+:[A-Za-z0-9+\/=]+$/, "", s)
  if (!match(s, /[0-9A-Fa-f.:]+ port [0-9]+( ssh2)?( \[preauth\])?\]?$/)) return ""
  s = substr(s, RSTART, RLENGTH); sub(/( ssh2)?( \[preauth\])?\]?$/, "", s); return s
}
function by(c) { # whether that is a client; numbers of processes come again
  if (c == "") return 0
  if ((pid in peer) && peer[pid] != c) over(pid)
  peer[pid] = c; return 1
}
function over(pid,  n, a) {
  n = wrong[pid] + 0; if (pam[pid] > n) n = pam[pid]; if (!n && (pid in refused)) n = 1
  a = (pid in peer) ? peer[pid] : host[pid]; sub(/ .*/, "", a)
  if (n) { failed[a] += n; failures += n }
  delete wrong[pid]; delete pam[pid]; delete refused[pid]; delete peer[pid]; delete host[pid]
}
/^$/ || !inside(when($0)) { next }
# BusyBox writes facility and severity between host and program.
!match($0, /^([A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]+|[0-9]+-[^ ]+) [^ ]+ ([a-z0-9]+[.][a-z]+ )?sshd(-session)?(\[[0-9]+\])?: /) {
  next
}
{
  message = substr($0, RLENGTH + 1); pid = substr($0, 1, RLENGTH); sub(/.*\[/, "", pid); sub(/\].*/, "", pid); times = 1
  if (match(message, /^message repeated [0-9]+ times: \[ /)) {
    times = substr(message, 18) + 0; message = substr(message, RLENGTH + 1)
  }
  sub(/^error: /, "", message)
}
message ~ /^Failed / && message !~ /^Failed (none|publickey) / { if (by(origin(message))) wrong[pid] += times; next }
# Of a name that exists, sshd itself tells only from half of MaxAuthTries on.
message ~ /^PAM: [A-Z].* for .* from [^ ]+$/ {
  pam[pid] += times; sub(/.* from /, "", message); sub(/\]$/, "", message); host[pid] = message; next
}
message ~ /^Invalid user / { if (by(origin(message))) refused[pid] = 1; next }
# What disconnects it is told in a line of its own, not by every version with the client.
message ~ /^maximum authentication attempts exceeded for / {
  if (by(c = origin(message))) { refused[pid] = 1; over(pid); gone[pid] = c }
  next
}
# The reason may quote what the client calls himself, but a user that exists has no blank in his name.
match(message, /^Disconnecting authenticating user [^ ]+ [0-9A-Fa-f.:]+ port [0-9]+: /) {
  message = substr(message, 1, RLENGTH - 2)
}
message ~ /^Disconnecting invalid user / { sub(/: Too many authentication failures( \[preauth\])?$/, "", message) }
# How a connection ends that never got in: with keys only, all that a guesser leaves.
message ~ /^(Connection (closed|reset) by|Disconnect(ed from|ing)) (invalid|authenticating) user / {
  c = origin(message)
  if (c != "" && gone[pid] == c) delete gone[pid]
  else { delete gone[pid]; if (by(c)) refused[pid] = 1; over(pid) }
  next
}
message ~ /^Accepted / && by(c = origin(message)) {
  over(pid); sub(/ .*/, "", c)
  accepted++; sub(/^Accepted [^ ]+ for /, "", message); sub(/ from .*/, "", message); user[c] = message
}
END {
  for (pid in refused) left[pid]; for (pid in wrong) left[pid]; for (pid in pam) left[pid]
  for (pid in left) over(pid)
  lines(); print "== failures " failures + 0; print "== accepted " accepted + 0
  for (a in user) if ((a in failed) && n++ < 500) print "== user " a " " user[a]
  top(failed, most, "failed"); print "== end"
}
