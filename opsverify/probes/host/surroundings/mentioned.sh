# shellcheck shell=sh
# A command line may hold a secret that no rule knows. So only what cannot be one leaves the host: names of files that
# are there, and the words that package managers take.
mentioned() { # FOLDER WORD...: those words, a line each; FOLDER is where relative ones are looked for
m_folder=$1; shift
for word do
word=${word#[\"\']}; word=${word%\;}; word=${word%[\"\']}
case $word in
start|serve|dev|run|server|worker|exec|pnpm|npm|yarn|npx|node|bun|next|nest) printf 'word %s\n' "$word"; continue;;
''|-*|*[!A-Za-z0-9_./@+-]*) continue;;
/*) m_file=$word;;
*) m_file=$m_folder/$word;;
esac
case $word in */*|*.*) ;; *) continue;; esac
for end in '' .js .mjs .cjs; do [ -e "$m_file$end" ] && printf 'word %s\n' "$word" && break; done
done
}
