# Awk for mawk, gawk and BusyBox: without intervals and mktime(). Times without a zone are the host's, by its offset
# of today.
function days(y, m, d) { # since 1970-01-01
  if (m <= 2) { y--; m += 12 }
  return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 719469
}
function seconds(y, m, d, clock, ahead) { # ahead of UTC, in seconds
  y += 0; m += 0; d += 0 # numbers: "11" <= 2
  if (y < 1970 || m < 1 || m > 12 || d < 1 || d > 31) return -1
  return 86400 * days(y, m, d) + 3600 * substr(clock, 1, 2) + 60 * substr(clock, 4, 2) + substr(clock, 7, 2) - ahead
}
function month(name) { return (index("JanFebMarAprMayJunJulAugSepOctNovDec", name) + 2) / 3 }
function east(z) { # of Greenwich, in seconds; a name that only this host could explain is taken for its own
  if (z ~ /^(Z|UTC|GMT)/) return 0
  if (z ~ /^[+-][0-9][0-9]:?[0-9][0-9]/) {
    sub(/:/, "", z)
    return (substr(z, 1, 1) "1") * (3600 * substr(z, 2, 2) + 60 * substr(z, 4, 2))
  }
  return offset
}
function iso(s,  z) {
  z = substr(s, 20); sub(/^[.,][0-9]+/, "", z); sub(/^ /, "", z)
  if (z !~ /^(Z|UTC|GMT|[+-][0-9][0-9]:?[0-9][0-9])/) z = ""
  return seconds(substr(s, 1, 4), substr(s, 6, 2), substr(s, 9, 2), substr(s, 12, 8), east(z))
}
function when(s,  t, p, c) { # the time of a line, in seconds since the epoch; -1 where it has none
  c = substr(s, 1, 1)
  if (c == "{") {
    if (match(s, /"time": ?[0-9]+/)) { t = substr(s, RSTART + 7, RLENGTH - 7) + 0; return t > 1e11 ? t / 1000 : t }
    if (match(s, /"time(stamp)?": ?"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][^"]+"/)) {
      s = substr(s, RSTART, RLENGTH); sub(/^"[a-z]+": ?"/, "", s); return iso(s)
    }
    return -1
  }
  if (s ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) return iso(s)
  if (s ~ /^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] /) { # syslog leaves out the year
    t = seconds(year, month(substr(s, 1, 3)), substr(s, 5, 2) + 0, substr(s, 8, 8), offset)
    if (t > now + 86400) t = seconds(year - 1, month(substr(s, 1, 3)), substr(s, 5, 2) + 0, substr(s, 8, 8), offset)
    return t
  }
  # Before the request, which nginx begins with the only quote that a client cannot write.
  if (match(s, /\[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9:]+ [+-][0-9][0-9][0-9][0-9]\] "/)) {
    s = substr(s, RSTART + 1, 26)
    return seconds(substr(s, 8, 4), month(substr(s, 4, 3)), substr(s, 1, 2), substr(s, 13, 8), east(substr(s, 22)))
  }
  if (match(s, /\[Nest\] [0-9]+ +- /)) { # NestJS: the date, then the level, after two blanks or more
    s = substr(s, RSTART + RLENGTH); sub(/^ */, "", s)
    if (match(s, /  +[A-Z]+ /)) return printed(substr(s, 1, RSTART - 1))
    return -1
  }
  # Winston and others after them, in English.
  if (match(s, /[0-9]+\/[0-9]+\/[0-9][0-9][0-9][0-9], [0-9]+:[0-9][0-9]:[0-9][0-9] [AP]M/))
    return printed(substr(s, RSTART, RLENGTH))
  return -1
}
function top(counts, most, name,  i, k, best) { # prints and forgets the largest of counts
  for (i = 0; i < most; i++) {
    best = ""
    for (k in counts) if (best == "" || counts[k] > counts[best] || (counts[k] == counts[best] && k < best)) best = k
    if (best == "") break
    print "== " name " " counts[best] " " best; delete counts[best]
  }
}
function inside(t) { # whether a line of that time is in the window; counts it
  if (t < 0) { untimed++; return 0 }
  if (t < since) { older++; return 0 }
  if (!count++ || t < oldest) oldest = t
  if (t > newest) newest = t
  return 1
}
function lines() { printf "== lines %.0f %.0f %.0f %.0f %.0f\n", count, untimed, older, int(oldest), int(newest) }
