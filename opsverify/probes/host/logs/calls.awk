# The busiest minute of each client, and answered scans. Behind when.awk and combined.awk; `api` and `scanned` are
# beginnings of paths, the latter with a blank between; `most` is how many of each are shown.
BEGIN { n = split(scanned, scan, " ") }
/^$/ { next }
!parsed($0) { foreign(when($0)); next }
{ understood++ }
inside(t = when($0)) {
  if (index(path, api) == 1) {
    calls++; m = int(t / 60)
    if (m != minute[client]) { minute[client] = m; rate[client] = 0 }
    if (++rate[client] > peak[client]) { peak[client] = rate[client]; at[client] = m * 60 }
  }
  low = tolower(path); gsub(/%2e/, ".", low); gsub(/%2f/, "/", low); gsub(/\/\/+/, "/", low)
  # Whatever folder a hidden file is asked for in: /backend/.env is what bots try, too.
  for (i = 1; i <= n; i++) if (scan[i] ~ /^\/\./ ? index(low, scan[i]) : index(low, scan[i]) == 1) {
    tried++; if (status ~ /^2/) finds[client " " path]++
    break
  }
}
END {
  lines(); format(); print "== calls " calls + 0; print "== tried " tried + 0
  for (c in peak) peaks[c " " sprintf("%.0f", at[c])] = peak[c]
  top(peaks, most, "peak"); top(finds, most, "find"); print "== end"
}
