# nginx's access log, format `combined`, with or without X-Forwarded-For behind it.
function parsed(s,  q, e, f, r) { # sets status, client, path, forwarded and own; whether s is a line of the format
  q = index(s, "\""); if (!q) return 0
  client = substr(s, 1, index(s, " ") - 1)
  if (client !~ /^[0-9A-Fa-f.:]+$/) return 0
  s = substr(s, q + 1); e = index(s, "\" "); if (!e) return 0
  split(substr(s, 1, e - 1), r, " ")
  split(substr(s, e + 2), f, " "); status = f[1]
  if (status !~ /^[1-5][0-9][0-9]$/ || f[2] !~ /^([0-9]+|-)$/) return 0
  # Only the path: what follows may hold a token.
  path = r[2]; sub(/[?#;].*/, "", path); if (path !~ /^\//) path = "(no path)"
  path = substr(path, 1, 120)
  # A request of the suite itself. nginx writes a quote in a User-Agent as \x22: nobody can end it early.
  own = s ~ /" "opsverify\/[0-9.]+ run [0-9a-f]+"( "[^"]*")?$/
  forwarded = ""; if (match(s, /"[0-9A-Fa-f.:, ]+"$/)) forwarded = substr(s, RSTART + 1, RLENGTH - 2)
  return 1
}
function foreign(t) { malformed++; if (t >= since) strange++ }
function format() {
  print "== malformed " malformed + 0; print "== strange " strange + 0; print "== understood " understood + 0
}
