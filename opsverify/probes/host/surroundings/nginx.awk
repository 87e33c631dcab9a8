# Prints an nginx configuration, a directive a line, "depth name argument…" between tabs and " {" where it opens a block,
# as far as it says where requests come in, lead to and are written down. Nothing else of it leaves the host: what it sets
# in headers, maps or scripts may be a secret.
# Of POSIX awk. Source: nginx's src/core/ngx_conf_file.c (ngx_conf_read_token).
BEGIN {
  tab = sprintf("%c", 9)
  n = split("include listen server_name proxy_pass grpc_pass fastcgi_pass access_log error_log ssl_certificate upstream " \
    "server location http stream root alias return set", names, " ")
  for (i = 1; i <= n; i++) kept[names[i]]
  n = split("http stream server location upstream if limit_except", names, " ")
  for (i = 1; i <= n; i++) entered[names[i]]
  depth = count = skipped = 0; state = ""
}
function safe(name, at, word) { # whether an argument may leave the host
  if (name == "set") return at == 2 ? word ~ /^[$][A-Za-z0-9_]+$/ : word ~ /^(https?:\/\/)?[A-Za-z0-9_.-]+(:[0-9]+)?\/?$/ && word ~ /:/
  if (name == "return") return at == 2 ? word ~ /^[0-9]+$/ : word ~ /^(https?|[$]scheme):\/\//
  return 1
}
function bare(word) { sub(/:\/\/[^\/]*@/, "://", word); sub(/^[^\/:]*:[^\/]*@/, "", word); sub(/[?].*/, "", word); return word }
function directive(opens,    i, line) {
  if (!count) word[1] = ""
  if (count && !skipped && word[1] in kept) {
    line = depth tab word[1]
    for (i = 2; i <= count; i++) {
      if (!safe(word[1], i, word[i])) break
      if (word[1] ~ /^(return|proxy_pass|set|server|access_log|error_log)$/) word[i] = bare(word[i])
      gsub(/[\t\r\n]/, " ", word[i])
      line = line tab word[i]
    }
    print line (opens ? tab "{" : "")
  } else if (opens && !skipped && word[1] in entered) print depth tab word[1] tab "{"
  if (opens) { if (skipped || !(word[1] in entered)) skipped++; else depth++ }
  count = 0
}
function ends(    ) { if (open) { word[++count] = text; text = ""; open = 0 } }
{
  line = $0 "\n"; length_of = length(line)
  for (at = 1; at <= length_of; at++) {
    c = substr(line, at, 1)
    if (state == "#") { if (c == "\n") state = ""; continue }
    if (state == "'" || state == "\"") {
      if (c == "\\") { d = substr(line, ++at, 1); text = text (d == state || d == "\\" ? d : c d) }
      else if (c == state) state = ""
      else text = text c
      continue
    }
    if (lua) { # not nginx's language: its own strings and comments
      if (lua_string != "") { if (c == "\\") at++; else if (c == lua_string || c == "\n") lua_string = "" }
      else if (c == "'" || c == "\"") lua_string = c
      else if (c == "-" && substr(line, at + 1, 1) == "-") at = length_of
      else if (c == "{") lua++
      else if (c == "}") lua--
      continue
    }
    if (c ~ /[ \t\r\n]/) { ends(); continue }
    if (c == "#" && !open) { state = "#"; continue }
    if ((c == "'" || c == "\"") && !open) { state = c; open = 1; continue }
    if (c == ";") { ends(); directive(0); continue }
    if (c == "{" && !(open && substr(text, length(text)) == "$")) {
      ends()
      if (word[1] ~ /_by_lua_block$/) { lua = 1; count = 0 } else directive(1)
      continue
    }
    if (c == "}" && !open) { count = 0; if (skipped) skipped--; else if (depth) depth--; continue }
    if (c == "\\" && at < length_of - 1) { text = text c substr(line, ++at, 1); open = 1; continue }
    text = text c; open = 1
  }
}
