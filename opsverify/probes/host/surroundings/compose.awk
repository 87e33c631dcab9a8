# Prints what a compose file says of its services: "service NAME", then its "image", "container_name", "build" and "port"
# lines. Nothing else of it leaves the host. Reads block style, as compose files are written. Of POSIX awk.
function bare(text) { gsub(/^["' \t-]+|["' \t\r]+$/, "", text); sub(/[ \t]+#.*/, "", text); gsub(/["']/, "", text); return text }
{ sub(/\r$/, "") }
/^[ \t]*(#|$)/ { next }
{ match($0, /^ */); indent = RLENGTH; line = substr($0, indent + 1) }
indent == 0 { inside = line ~ /^services[ \t]*:/; level = 0; next }
!inside { next }
!level { level = indent }
indent == level { name = line; sub(/[ \t]*:.*/, "", name); print "service " bare(name); field = 0; ports = 0; next }
indent > level && !field { field = indent }
indent == field && line !~ /^-/ {
  ports = line ~ /^ports[ \t]*:/
  if (line ~ /^(image|container_name|build)[ \t]*:/) {
    key = line; sub(/[ \t]*:.*/, "", key); sub(/^[a-z_]+[ \t]*:[ \t]*/, "", line)
    sub(/:\/\/[^\/ ]*@/, "://", line) # a login
    if (line != "" && line !~ /^[{[&*|>]/) print key " " bare(line)
  }
  if (ports && line ~ /\[/) { sub(/^[^[]*\[/, "", line); sub(/\].*/, "", line); n = split(line, part, ","); for (i = 1; i <= n; i++) print "port " bare(part[i]) }
  next
}
ports && line ~ /^-[ \t]*["']?[0-9$.:{}A-Za-z_\/-]+["']?[ \t]*(#.*)?$/ { print "port " bare(line) }
ports && line ~ /^(-[ \t]*)?(target|published)[ \t]*:/ { sub(/^(-[ \t]*)?/, "", line); sub(/[ \t]*:[ \t]*/, " ", line); print bare(line) }
