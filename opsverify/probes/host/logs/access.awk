# How requests ended, and who erred most. Behind when.awk and combined.awk; `most` is how many of each are shown.
/^$/ { next }
!parsed($0) { foreign(when($0)); next }
{ understood++ }
!inside(when($0)) { next }
status == 401 || status == 403 { denied[client]++ }
own { ours++; next }
{
  statuses[status]++; if (forwarded != "") behalf[client] = forwarded
  c = substr(status, 1, 1); if (c == 4) { p4[path]++; c4[client]++ } else if (c == 5) { p5[path]++; c5[client]++ }
}
END {
  lines(); format(); print "== own " ours + 0
  for (s in statuses) print "== status " statuses[s] " " s
  top(p4, most, "path 4"); top(p5, most, "path 5")
  top(c4, most, "client 4"); top(c5, most, "client 5"); top(denied, most, "denied 4")
  for (c in behalf) if (behalf[c] != "" && claims++ < 500) print "== behalf " c " " behalf[c]
  print "== end"
}
