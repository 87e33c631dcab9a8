# What JavaScript's Date.toLocaleString writes, with numbers, in any locale of Node.js: NestJS begins its lines so.
# Behind when.awk. -1 for what could be two times: an hour of twelve without a known half of the day, digits that are
# not Latin, another calendar than the Gregorian and the Buddhist.
function half_of_day(s) { # 0 morning, 1 afternoon, -1 none said, -2 one that is not known
  gsub(/[0-9\/.,:()_-]|\302\240|\342\200\217|\342\200\257|\342\200\211|\330\214|[ \t]/, "", s)
  # Of dates and of 24 hours: Bosnian, Bulgarian and Macedonian, Finnish, French of Canada.
  if (s ~ /^(u|\320\263|\320\263\321\207|klo|hmins)?$/) return -1
  # English and the many that took it, Spanish (p. m.), Greek, Arabic, Chinese, Japanese, Korean, Albanian, Malay.
  if (s ~ /^([Pp][Mm]|\316\274\316\274|\331\205|\344\270\213\345\215\210|\345\215\210\345\276\214|\354\230\244\355\233\204|md|PTG)$/) return 1
  if (s ~ /^([Aa][Mm]|\317\200\316\274|\330\265|\344\270\212\345\215\210|\345\215\210\345\211\215|\354\230\244\354\240\204|pd|PG)$/) return 0
  return -2
}
function printed(s,  n, half, rest, count, y, m, d, h) {
  rest = s; count = 0
  while (match(rest, /[0-9]+/)) { n[++count] = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH) }
  if (count != 6) return -1
  half = half_of_day(s)
  if (length(n[1]) == 4) { y = n[1]; m = n[2]; d = n[3]; h = 4; if (m + 0 > 12) { m = n[3]; d = n[2] } } # Kyrgyz
  else if (length(n[3]) == 4) {
    y = n[3]; d = n[1]; m = n[2]; h = 4
    # Which comes first? What can be no month tells, and the log's lines are alike. Until one does: English of the United
    # States has slashes and AM or PM, and nobody else of note has both and the month first.
    if (d + 0 > 12) day_first = 1
    else if (m + 0 > 12) day_first = 2
    if (day_first == 2 || (!day_first && s ~ /\// && s ~ /[AP]M/)) { d = n[2]; m = n[1] }
  } else if (length(n[6]) == 4) { d = n[4]; m = n[5]; y = n[6]; h = 1 } # Vietnamese
  else return -1
  if (half == -2 && n[h] + 0 <= 12) return -1
  if (y + 0 > 2400) y -= 543
  if (half == 1) n[h] = n[h] % 12 + 12
  else if (half == 0) n[h] = n[h] % 12
  return seconds(y, m, d, sprintf("%02d:%02d:%02d", n[h], n[h + 1], n[h + 2]), offset)
}
