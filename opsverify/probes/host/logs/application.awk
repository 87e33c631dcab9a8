# Errors of pino's JSON lines, NestJS's text and blocks of several lines. Behind when.awk; `kept` bounds their kinds.
function field(name,  v) { # of the JSON line, as it is written there
  if (!match($0, "\"" name "\": ?\"([^\"\\\\]|\\\\.)*\"")) return ""
  v = substr($0, RSTART, RLENGTH - 1); sub(/^"[^"]*": ?"/, "", v); gsub(/\\n/, " ", v); gsub(/\\"/, "\"", v)
  return v
}
function note(t, text,  key) { # alike but for numbers and ids is the same
  gsub(/[?][^ "]*/, "?...", text); gsub(/[ \t]+/, " ", text); text = substr(text, 1, 300); key = text
  gsub(/[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*/, "#", key)
  if (!(key in count_of)) { if (kinds >= kept) { more++; return } kinds++ }
  count_of[key]++; sample[key] = text; when_of[key] = t
}
function loud(s) { return s ~ /(^|[^A-Za-z_])(ERROR|FATAL)([^A-Za-z_]|$)/ }
function flush(t,  i) { # what stood between two entries belongs to the second: it has no time of its own
  if (block != "") blocks[++waiting] = block
  for (i = 1; i <= waiting; i++) if (t >= since) note(t, blocks[i])
  waiting = 0; block = ""; thrown = ""; before = ""; caret = 0
}
# Node.js ends with it, whatever was thrown, and above it, behind a line of carets, stands what that was. It ends a block
# that has begun, and is one where none has: also right behind an entry that complains.
function crash() {
  if (block == "") block = thrown == "" ? "Node.js ended by an exception" : thrown
  blocks[++waiting] = block; block = ""; thrown = ""; follows = 0
}
function untimed_line() {
  if ($0 ~ /^[ \t]*\^+[ \t\r]*$/) { caret = 1; return }
  if (caret) { thrown = $0; caret = 0 }
  if ($0 ~ /^Node\.js v[0-9]+\./) { crash(); return }
  # An abort, and a heap that is full, whose own line comes first.
  if ($0 ~ /^(FATAL ERROR: |----- Native stack trace -----|#? *Fatal error in |.*: Assertion .* failed\.$)/) {
    if (block == "") block = $0 ~ /^-/ ? "Node.js aborted, with a native stack trace" : $0
    return
  }
  if ($0 ~ /^prisma:error/) { flush(seen ? seen : now); block = $0; follows = 1 }
  else if (block != "") { if (length(block) < 300) block = block " " $0 }
  else if (!follows) {
    if ($0 ~ /^((Uncaught|Unhandled) )?[A-Za-z]*(Error|Exception)[: ]/ || $0 ~ /UnhandledPromiseRejection/ || loud($0)) block = $0
    # A stack: whatever the error calls itself.
    else if ($0 ~ /^ +at .*(:[0-9]+:[0-9]+\)?|<anonymous>\)?|native\)?)[ \r]*$/ && before != "") block = before
  }
  before = $0
}
# The level of a JSON line, in lower case: of its own keys only, as what it quotes has levels, too. "" where it has none.
function level_of(s,  depth, key, token, wanted) {
  if (match(s, /^\{"(level|severity)": ?("[A-Za-z]+"|[0-9]+)[,}]/)) { # as pino writes it
    sub(/^\{"[a-z]+": ?"?/, "", s); sub(/[",}].*/, "", s); return tolower(s)
  }
  depth = 0; key = ""
  while (match(s, /"([^"\\]|\\.)*"|[{}\[\],:]|-?[0-9][0-9.eE+-]*|[a-z]+/)) {
    token = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
    if (token == "{" || token == "[") { depth++; wanted = 0 }
    else if (token == "}" || token == "]") { depth--; wanted = 0 }
    else if (depth != 1) continue
    else if (token == ",") wanted = 0
    else if (token == ":") wanted = (key ~ /^"(level|severity|levelname|levelName|lvl|loglevel|logLevel|log\.level|@l|levelText|severityText)"$/)
    else if (wanted) { gsub(/"/, "", token); return tolower(token) }
    else key = token
  }
  return ""
}
# pino and bunyan count from 10 to 60, syslog from 0, the worst, to 7; names are those of pino, winston, syslog and of
# Google Cloud. Numbers only where they are some: to mawk, "info" + 0 is infinite.
function bad(level) {
  if (level ~ /^[0-9]+$/) return level + 0 >= 50 || level + 0 <= 3
  return level ~ /^(error|err|eror|fatal|critical|crit|alert|emergency|emerg|panic|severe)$/
}
{ gsub(/\033\[[0-9;]*m/, ""); t = when($0) }
# PM2 and syslog write before an entry when and where they got it; text that complains stays text, whatever it quotes.
!/^\{/ && match($0, /\{"/) && !loud(substr($0, 1, RSTART - 1)) {
  rest = substr($0, RSTART)
  if (rest ~ /^\{.*"(level|severity|lvl|levelname)": ?["0-9]/) { $0 = rest; own = when($0); if (own >= 0) t = own }
}
/^[ \r]*$/ { next }
t < 0 { inside(t); untimed_line(); next }
{ flush(t); seen = t; follows = 0 }
!inside(t) { next }
/^\{/ {
  level = level_of($0)
  if (level == "") { unlevelled++; next }
  if (!bad(level)) next
  # What a request of the suite itself met: refused origins, for one. It says so in its address or its id.
  if ($0 ~ /opsverify-[0-9a-f]+/) { ours++; follows = 1; next }
  text = field("message"); if (text == "") text = field("msg"); if (text == "") text = "(no message)"
  if (field("context") != "") text = "[" field("context") "] " text
  if (field("path") != "") text = text " " field("path")
  note(t, text); follows = 1; next
}
# A stack trace that follows belongs to it.
loud($0) {
  sub(/^.*(AM|PM|Z|[+-][0-9][0-9]:?[0-9][0-9]) +/, ""); note(t, $0); follows = 1
}
END {
  flush(now); lines(); print "== more " more + 0; print "== own " ours + 0; print "== unlevelled " unlevelled + 0
  for (k in count_of) printf "== error %d %.0f %s\n", count_of[k], int(when_of[k]), sample[k]
  print "== end"
}
