# shellcheck shell=sh
# Neither their environment nor their commands are asked for.
for engine in docker podman; do
command -v "$engine" >/dev/null 2>&1 || continue
ids=$("$engine" ps --all --quiet 2>&1) || { printf '== denied %s: %s\n' "$engine" "$(printf '%s' "$ids" | head -n 1)"; continue; }
echo "== engine $engine"
[ -n "$ids" ] || continue
# shellcheck disable=SC2086,SC1083 # ids; Go's templates
"$engine" inspect --type container --format '{"name":{{json .Name}},"image":{{json .Config.Image}},"state":{{json .State.Status}},'\
'"restart":{{json .HostConfig.RestartPolicy.Name}},"ports":{{json .NetworkSettings.Ports}},'\
'"service":{{json (index .Config.Labels "com.docker.compose.service")}},"project":{{json (index .Config.Labels "com.docker.compose.project")}},'\
'"folder":{{json (index .Config.Labels "com.docker.compose.project.working_dir")}}}' -- $ids 2>/dev/null || {
echo; echo "== denied some containers of $engine (inspect failed)"; }
done
exit 0
