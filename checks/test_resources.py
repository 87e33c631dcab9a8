"""Resources: what the runbook's table of monitored figures calls normal, and what it alerts on."""

from opsverify import runbook
from opsverify.errors import ProbeError


@runbook("memory-usage")
def test_memory_usage(memory, expect):
    """Memory is left, counted as `free` counts it."""
    expect(
        memory.used_percent, detail=f"{memory.available_bytes / 2**30:.1f} of {memory.total_bytes / 2**30:.1f} GiB left"
    )


@runbook("cpu-usage")
def test_cpu_usage(cpu, expect):
    """The processors are not saturated over a real interval."""
    expect(cpu.busy_percent, detail=f"{cpu.cores} cores")


@runbook("disk-usage")
def test_disk_usage(filesystems, expect):
    """Every real file system keeps room to grow."""
    unknown = [f"{fs.mount}: {fs.problem or 'no size'}" for fs in filesystems if fs.used_percent is None]
    expect.each({fs.mount: fs.used_percent for fs in filesystems if fs.used_percent is not None}, of="file system")
    if unknown and expect.worst.verdict.rank < 2:
        raise ProbeError(f"not every file system could be measured: {'; '.join(unknown)}")
