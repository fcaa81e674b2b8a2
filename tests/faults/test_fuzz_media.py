from tests.faults import fuzz_media


def test_a_hundred_mutated_files_harm_nobody() -> None:
    seen = fuzz_media.run(100)
    assert seen.n == 100
    assert seen.decoded + seen.refused.total() == 100
    assert seen.decoded > 30  # most damage leaves something to hear
    assert seen.peak_bytes <= 1 << 30
    assert seen.neighbours == 4


def test_the_same_numbers_give_the_same_file() -> None:
    originals = {name: bytes(range(256)) * 20 for name in fuzz_media.FORMATS}
    assert fuzz_media.mutated(7, 1, originals) == fuzz_media.mutated(7, 1, originals)
    assert fuzz_media.mutated(7, 2, originals) != fuzz_media.mutated(7, 1, originals)
    kinds = {fuzz_media.mutated(n, 1, originals)[0].split("-")[1] for n in range(16 * 7)}
    assert len(kinds) == len(fuzz_media.MUTATIONS) == 7
