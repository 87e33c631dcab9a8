# Reads a crontab as Debian's cron does, which ignores the whole file for one line that it cannot read, and prints the
# first such line's number and what is wrong there; else, for a system crontab (-v system_crontab=1), every user that it names.
# Of POSIX awk. Source: Debian's cron 3.0pl1, env.c (load_env), entry.c (load_entry), user.c (load_user); crontab(5).
# The test asks `crontab -n`.
function variable(line) { # load_env: whether the line sets a variable
  return line ~ /^("[^"=]*"|'[^'=]*'|[^"' \t\r\v\f=][^ \t\r\v\f=]*)?[ \t\r\v\f]*=[ \t\r\v\f]*("[^"]*"[ \t\r\v\f]*|'[^']*'[ \t\r\v\f]*|[^"' \t\r\v\f].*)$/
}
function number(low, names,    word, at) { # get_number: sets got, and rest to what follows
  match(rest, /^[A-Za-z0-9]*/); word = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1)
  if (word == "") return 0
  at = index(names, " " tolower(word) " ")
  if (at) { got = low + int(at / 4); return 1 }
  if (word ~ /[^0-9]/) return 0
  got = word + 0
  return 1
}
function range(low, high, names,    first, last) { # get_range
  if (substr(rest, 1, 1) == "*") { first = low; last = high; rest = substr(rest, 2) }
  else {
    if (!number(low, names)) return 0
    first = last = got
    if (substr(rest, 1, 1) != "-") return substr(rest, 1, 1) != "/" && first >= low && first <= high
    rest = substr(rest, 2)
    if (!number(low, names)) return 0
    last = got
  }
  if (substr(rest, 1, 1) == "/") { rest = substr(rest, 2); if (!number(0, "") || got <= 0) return 0 }
  return first >= low && first <= high && last >= low && last <= high
}
function list(low, high, names) { # get_list: what follows a range, up to a blank, is skipped as cron skips it
  while (1) {
    if (!range(low, high, names)) return 0
    if (substr(rest, 1, 1) != ",") break
    rest = substr(rest, 2)
  }
  sub(/^[^ \t]+/, "", rest); sub(/^[ \t]+/, "", rest)
  return 1
}
function wrong(line,    word) { # load_entry
  rest = line
  if (substr(rest, 1, 1) == "@") {
    match(rest, /^[^ \t]*/); word = substr(rest, 2, RLENGTH - 1); rest = substr(rest, RLENGTH + 1)
    if (word !~ /^(reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)$/) return "no such time as @" word
    sub(/^[ \t]+/, "", rest)
  } else {
    if (!list(0, 59, "")) return "bad minute"
    if (!list(0, 23, "")) return "bad hour"
    if (!list(1, 31, "")) return "bad day of the month"
    if (!list(1, 12, " jan feb mar apr may jun jul aug sep oct nov dec ")) return "bad month"
    if (!list(0, 7, " sun mon tue wed thu fri sat sun ")) return "bad day of the week"
  }
  if (system_crontab) {
    if (rest !~ /^[^ \t]+[ \t]/) return "a user, or a command, is missing"
    match(rest, /^[^ \t]+/); word = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 2)
    if (!(word in users)) { users[word] = NR; print "user " word }
  } else if (substr(rest, 1, 1) == "*") return "bad command"
  if (length(rest) >= 999) return "its command is longer than 998 characters"
  return ""
}
{ sub(/^[ \t]+/, "") }
/^#/ || $0 == "" { next }
variable(substr($0, 1, 998)) { next }
{ why = wrong($0); if (why != "") { print "line " NR ": " why; exit } }
