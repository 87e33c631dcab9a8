"""The first environment file, from what there is: `python -m opsverify.discover SOURCE… -o FILE`.

It looks, reading only, with the suite's own probes, one round trip a host, and writes a file that the suite takes at
once. Run again, it tells how the file and what there is differ. It is no part of a run.

    arguments      the command line, all mistakes at once
    looking        asks every source at the same time
    seen           what the sources said, and what could not be read
    understanding  what that means: one module for each subject, facts → entries of the draft
    draft          entries, each with its evidence, guesses and what is missing
    absent         what was looked for and is not there: an excuse where all could be read, the usual entry where not
    drafting       all of these: a draft that the suite takes
    writing        the draft as YAML with comments
    trying         whether the suite takes a file, by asking it
    difference     what a file says otherwise than the draft
    editing        the smallest change of a file's text by which it agrees
    comparing      both: a file that is there, held against what there is
"""
