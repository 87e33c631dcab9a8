# shellcheck shell=sh
engine_of() { # any | docker | podman: sets `engine` to a program that is there; says why not and fails
engine=$1
if [ "$engine" = any ]; then for e in docker podman; do
command -v "$e" >/dev/null 2>&1 && { engine=$e; break; }
done; fi
command -v "$engine" >/dev/null 2>&1 && return
[ "$engine" != any ] || engine='docker or podman'
echo "this account finds no $engine on the host" >&2; return 9
}
inspected() { # NAME TEMPLATE: what `engine` knows of a container; prints `== nocontainer` where there is none, and fails
i=$("$engine" inspect --type container --format "$2" -- "$1" 2>&1) && { printf '%s\n' "$i"; return; }
case $i in *[Nn]'o such '*) echo '== nocontainer';; *) printf '%s\n' "$i" >&2;; esac
return 9
}
container_state() { # NAME: its state, of the engine's many words only those that are no secret
# What a health check printed is in there as well, and may be one.
# shellcheck disable=SC1083 # Go's templates
s=$(inspected "$1" '{{.State.Status}} {{.State.OOMKilled}} {{.State.ExitCode}} {{json .State.StartedAt}} '\
'{{.RestartCount}} {{json .HostConfig.RestartPolicy.Name}} {{if .State.Health}}{{.State.Health.Status}}{{end}}') || {
printf '%s\n' "$s"; return 9; }
echo "== state $s"
}
