"""From what the system says about its processor to the class that int8 types are chosen by."""

import pytest

from trimtab_jobs.measure.hardware import cpu_facts, hardware_of

CPUINFO = (
    "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu avx2 avx512_vnni\n\nprocessor\t: 1\n"
)


def test_facts_are_those_of_the_first_processor() -> None:
    facts = cpu_facts(CPUINFO)
    assert facts == {"processor": "0", "model name": "Some CPU @ 2.00GHz", "flags": "fpu avx2 avx512_vnni"}
    assert cpu_facts("") == {}


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", {"avx2", "avx512_vnni"}, "x86-vnni"),
        ("x86_64", {"avx2", "avx_vnni"}, "x86-vnni"),
        ("x86_64", {"avx2"}, "x86-avx2"),
        ("aarch64", {"asimd"}, "arm64"),
        ("arm64", set(), "arm64"),
    ],
)
def test_class_of_a_machine(machine: str, flags: set[str], expected: str) -> None:
    assert hardware_of(machine, frozenset(flags)) == expected
