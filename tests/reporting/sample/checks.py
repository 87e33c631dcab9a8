import os
import signal
import time


def test_case(case, fact):
    if case["verdict"] in ("alert", "waived"):
        raise AssertionError(case["sentence"])
    if case["verdict"] == "broken":
        print("what the check printed <b>")
        raise KeyError("a bug of the suite")
    if case.get("do") == "die":
        os._exit(9)
    if case.get("do") == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
