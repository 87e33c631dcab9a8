# Reads what `systemctl show` says of a unit, and names the variables only that hold secrets. One item a variable, in
# quotes of C or of the shell where it needs them. Of a URL only a password is a secret, and what names the file of a
# key is none.
function secret(name, value) {
  if (value == "" || name ~ /^NEXT_PUBLIC_|PUBLIC_KEY|PUBLISHABLE/) return 0
  if (value ~ /:\/\//) return value ~ /:\/\/[^\/@]*:[^\/@]+@/ || value ~ /[?&]password=[^&]/
  if (name ~ /(KEY|CREDENTIALS?)$/ && value ~ /^\/[A-Za-z0-9._@-]+(\/[A-Za-z0-9._@-]+)+$/) return 0
  sub(/_(OLD|NEW|PREVIOUS|BASE|BASE64|[0-9]+)$/, "", name)
  return name ~ /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY|_KEY|_PASS|_PWD)$/
}
/^LoadState=(loaded|masked)/ { print "== unit" }
/^Environment=/ {
  rest = substr($0, 13); sub(/^ +/, "", rest)
  while (rest != "") {
    if (!match(rest, /^"([^"\\]|\\.)*"/) && !match(rest, /^\$\047([^\047\\]|\\.)*\047/)) match(rest, /^[^ ]+/)
    item = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1); sub(/^ +/, "", rest)
    sub(/^("|\$\047)/, "", item); sub(/["\047]$/, "", item)
    i = index(item, "="); name = substr(item, 1, i - 1)
    if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && secret(toupper(name), substr(item, i + 1))) print "== secret " name
  }
}
