# Prints the names of the variables in a file for dotenv or systemd, and nothing of their values. A value may go on over
# lines, and a line of it may look like a variable: what stands in quotes is skipped, and only names in capitals count.
# Of POSIX awk.
function closed(text, quote,    i) { # whether the quote that a text is in ends there
  for (i = 1; i <= length(text); i++) {
    if (substr(text, i, 1) == "\\" && quote == "\"") { i++; continue }
    if (substr(text, i, 1) == quote) return 1
  }
  return 0
}
quote != "" { if (closed($0, quote)) quote = ""; next }
/^[ \t]*(export[ \t]+)?[A-Z][A-Z0-9_]*[ \t]*=/ {
  name = $0; sub(/^[ \t]*(export[ \t]+)?/, "", name); value = name
  sub(/[ \t]*=.*/, "", name); sub(/^[^=]*=[ \t]*/, "", value)
  if (length(name) <= 60) print name
  first = substr(value, 1, 1)
  if ((first == "\"" || first == "'" || first == "`") && !closed(substr(value, 2), first)) quote = first
}
