"""The reference pages of docs/, written from the code by `python -m opsverify.generate`: no part of a run."""
