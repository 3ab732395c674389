from __future__ import annotations

import numpy as np
import pytest

from genrekit.train.synth.chords import SCALES, parse_progression
from genrekit.train.synth.genres.style import DIMENSIONS, Ensemble, blend
from genrekit.train.synth.genres.table import GENRES, NEIGHBOURS, STYLES
from genrekit.train.synth.grooves import GROOVES


def test_the_genres_are_those_of_gtzan() -> None:
    gtzan = "blues classical country disco hiphop jazz metal pop reggae rock"
    assert list(GENRES) == gtzan.split()


@pytest.mark.parametrize("genre", GENRES)
def test_declarations_name_what_exists(genre: str) -> None:
    style = STYLES[genre]
    for text in style.harmony.progressions:
        assert parse_progression(text, 0)
    assert set(style.harmony.scales) <= set(SCALES)
    assert set(style.rhythm.grooves) <= set(GROOVES)
    assert all(len(cell) == 4 and set(cell) <= set("x-.") for cell in style.rhythm.lead_cells)
    assert any("x" in cell for cell in style.rhythm.lead_cells)
    assert all(len(f) == 16 and set(f) <= set("RO3567ab-.") for f in style.rhythm.bass)
    assert all(len(f) == 16 and set(f) <= set("CcPp123456-.") for f in style.rhythm.comping)
    pools = style.ensemble
    programs = {*pools.bass, *pools.comping, *pools.pads, *pools.leads, *pools.kits}
    assert programs <= set(range(128))


def players(ensemble: Ensemble) -> set[int]:
    return {*ensemble.comping, *ensemble.leads, *ensemble.pads}


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_shares_players_and_tempi_with_its_neighbours(genre: str) -> None:
    ours = STYLES[genre]
    for neighbour in set(NEIGHBOURS[genre]):
        theirs = STYLES[neighbour]
        assert players(ours.ensemble) & players(theirs.ensemble)
        assert max(ours.rhythm.tempo[0], theirs.rhythm.tempo[0]) < min(
            ours.rhythm.tempo[1], theirs.rhythm.tempo[1]
        )


def test_a_fifth_of_the_tracks_borrow_and_only_from_neighbours() -> None:
    rng = np.random.default_rng(0)
    borrowed = []
    for _ in range(2_000):
        style = blend(STYLES, "metal", rng)
        foreign = [d for d in DIMENSIONS if getattr(style, d) is not getattr(STYLES["metal"], d)]
        borrowed.append(len(foreign))
        for dimension in foreign:
            assert any(
                getattr(style, dimension) is getattr(STYLES[n], dimension)
                for n in NEIGHBOURS["metal"]
            )
    assert np.mean(np.array(borrowed) > 0) == pytest.approx(0.20, abs=0.03)
    assert max(borrowed) == 2
