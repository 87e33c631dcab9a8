# shellcheck shell=sh
# Of the files, only the lines that matter: pam.d may name servers and their secrets.
show() { for f; do [ -e "$f" ] || continue; [ -r "$f" ] || { echo "== denied $f"; continue; }
echo "== $part $f"; sed -n "$lines" "$f"; done; }
part=defs lines='/^[[:space:]]*PASS_MAX_DAYS/p'; show /etc/login.defs
part=quality lines='/^[[:space:]]*[Mm][Ii][Nn][Ll][Ee][Nn]/p'
show /etc/security/pwquality.conf.d/*.conf /etc/security/pwquality.conf
part=pam lines='/^[^#]*password.*pam_\(pwquality\|cracklib\|passwdqc\|unix\)\.so/p'
show /etc/pam.d/common-password /etc/pam.d/system-auth /etc/pam.d/password-auth /etc/pam.d/base-password
echo '== end'
