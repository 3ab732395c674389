"""Sample-rate conversion: a Kaiser-windowed sinc, evaluated as matrix products.

Output sample m lies at input time t = m * rate_in / rate_out and is the sum over the input
samples k of x[k] * g(t - k), where g is the ideal low-pass of the lower rate under a Kaiser
window. g is zero outside `half_width`, symmetric, and looks as far ahead as back: no delay.

A *tile* is B successive output samples. They depend on one window of the input and, apart from
where it starts, only on the fraction of a sample (the phase) at which the tile starts: a tile is
`window @ filter(phase)`. Many tiles at once are one matrix product, which is why this is fast.

- Where rate_out / rate_in reduces to a small fraction, B is a multiple of its numerator: each
  tile starts at phase 0 and one filter serves all.
- Where it does not (47 999 -> 22 050 Hz has 22 050 phases), the filters of a few fixed phases
  are applied and their results interpolated in phase by Lagrange's polynomials. As g is
  band-limited, 8 phases leave an error below -100 dB.

References
----------
J. O. Smith, "Digital Audio Resampling", CCRMA, Stanford (2002).
J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from ..arrays import Float32, Float64, sliding
from ..errors import AudioError
from .pcm import check_sample_rate

# Edges of the transition band, as parts of the lower Nyquist frequency.
PASSBAND, STOPBAND = 0.9, 1.0
ATTENUATION_DB = 96.0  # below the steps of 16 bits
PHASE_ERROR = 1e-5  # -100 dB

MAX_FILTER_SIZE = 1 << 19  # coefficients: 2 MiB; ratios that need more interpolate in phase
MIN_TILE = 32  # output samples
GROUP_TILES, GROUP_SIZE = 16, 2_048  # tiles, or output samples, that are computed together
BLOCK_SIZE = 1 << 17  # window samples gathered at once: half a MiB, to stay in the cache


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class TileFilter:
    """Coefficients that turn one window of input into one tile of output.

    Parameters
    ----------
    up, down : int
        rate_out / rate_in in lowest terms.
    half_width : int
        Input samples on each side of an output sample that take part in it.
    tile : int
        Output samples per window.
    phases : float64, shape (n_phases,)
        Where a tile may start between two input samples, 0..1; others are interpolated.
    coefficients : float32, shape (window, n_phases * tile)
        One column per phase and output sample.
    """

    up: int
    down: int
    half_width: int
    tile: int
    phases: Float64
    coefficients: Float32

    @property
    def window(self) -> int:
        """Input samples per tile."""
        return len(self.coefficients)

    @property
    def group(self) -> int:
        """Tiles per group: many make a fast product, few hold back little of a live stream."""
        return max(4, min(GROUP_TILES, GROUP_SIZE // self.tile))

    def start(self, tile: int) -> int:
        """Return the first input sample of tile number `tile`'s window, less `half_width`."""
        return tile * self.tile * self.down // self.up

    def apply(self, stream: Float32, first: int, origin: int, n_groups: int) -> Float32:
        """Compute whole groups.

        Parameters
        ----------
        stream : float32, shape (n,)
            Input that holds the windows of all these tiles.
        first : int
            Number of the first tile.
        origin : int
            `start` of a tile whose window would begin at `stream[0]`.
        n_groups : int

        Returns
        -------
        float32, shape (n_groups * group * tile,)
        """
        stream = np.ascontiguousarray(stream)
        output = np.empty((n_groups, self.group, self.tile), np.float32)
        step = max(1, BLOCK_SIZE // (self.group * self.window))
        for at in range(0, n_groups, step):
            block = output[at : at + step]
            # Python's integers, then small differences: nothing overflows in an endless stream.
            place, remainder = divmod((first + at * self.group) * self.tile * self.down, self.up)
            tiles = np.arange(len(block) * self.group, dtype=np.int64).reshape(len(block), -1)
            offset, numerator = np.divmod(remainder + tiles * (self.tile * self.down), self.up)
            # One product per group, all of one shape: the same sums in the same order however
            # many groups are computed at once, so that streaming is equal to the last bit.
            begin = place - origin
            windows = sliding(stream, self.window, first=begin, count=int(offset[-1, -1]) + 1)
            filtered = windows[offset] @ self.coefficients
            if len(self.phases) == 1:
                block[:] = filtered
            else:
                weights = _lagrange_weights(self.phases, numerator / self.up)
                by_phase = filtered.reshape(*tiles.shape, len(self.phases), self.tile)
                block[:] = 0.0
                for phase in range(len(self.phases)):
                    block += weights[..., phase, None] * by_phase[:, :, phase]
        return output.reshape(-1)


@functools.lru_cache(maxsize=4)
def design_filter(up: int, down: int) -> TileFilter:
    """Compute the filter for rate_out / rate_in = `up` / `down`, in lowest terms."""
    low_rate = min(1.0, up / down)  # the lower rate, relative to the input's
    transition = (STOPBAND - PASSBAND) * math.pi * low_rate  # radians per input sample
    half_width = math.ceil((ATTENUATION_DB - 7.95) / (2.285 * transition) / 2)

    tile = up * math.ceil(MIN_TILE / up)
    phases = np.zeros(1)
    window = (tile - 1) * down // up + 2 * half_width + 1
    if window * tile > MAX_FILTER_SIZE:
        tile = MIN_TILE
        phases = _chebyshev_nodes(low_rate)
        window = (tile - 1) * down // up + 2 * half_width + 2

    columns = (phases[:, None] + np.arange(tile) * (down / up)).reshape(-1)
    distance: Float64 = columns + half_width - np.arange(window)[:, None]
    coefficients = _windowed_sinc(distance, half_width, low_rate)
    coefficients.setflags(write=False)  # shared by all who ask for this ratio
    return TileFilter(up, down, half_width, tile, phases, coefficients)


def _windowed_sinc(distance: Float64, half_width: int, low_rate: float) -> Float32:
    cutoff = (PASSBAND + STOPBAND) / 2 * low_rate
    beta = 0.1102 * (ATTENUATION_DB - 8.7)  # Kaiser's formula above 50 dB
    coefficients = np.zeros(distance.shape, np.float32)
    inside = np.abs(distance) < half_width
    t = distance[inside]
    kaiser = np.i0(beta * np.sqrt(1.0 - (t / half_width) ** 2)) / np.i0(beta)
    coefficients[inside] = cutoff * np.sinc(cutoff * t) * kaiser
    return coefficients


def _chebyshev_nodes(low_rate: float) -> Float64:
    # Interpolating cos(w * t) over a unit interval through n Chebyshev nodes is in error by at
    # most 2 * (w / 4) ** n / n!, and w is at most pi * low_rate.
    n = 1
    while 2 * (math.pi * low_rate / 4) ** n / math.factorial(n) > PHASE_ERROR:
        n += 1
    return 0.5 + 0.5 * np.cos(math.pi * (np.arange(n) + 0.5) / n)


def _lagrange_weights(nodes: Float64, at: Float64) -> Float32:
    """Return the weight of each node at each place, shape (*at.shape, n_nodes)."""
    weights = np.empty((*at.shape, len(nodes)), np.float32)
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        weights[..., j] = np.prod((at[..., None] - others) / (node - others), axis=-1)
    return weights


class Resampler:
    """Converts the sample rate of a stream.

    The output is the same, bit for bit, however the input is cut into pieces.

    Parameters
    ----------
    rate_in, rate_out : int
        Hz, 8000..192000. Equal rates pass the samples through.

    Raises
    ------
    AudioError
        If a rate is out of bounds.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        check_sample_rate(rate_in)
        check_sample_rate(rate_out)
        divisor = math.gcd(rate_in, rate_out)
        self._filter: TileFilter | None = None
        if rate_in != rate_out:
            self._filter = design_filter(rate_out // divisor, rate_in // divisor)
        self._restart()

    def _restart(self) -> None:
        # Silence before the first sample, as wide as the filter looks back.
        self._pending = np.zeros(self._filter.half_width if self._filter else 0, np.float32)
        self._origin = 0  # samples that were in `_pending` and are needed no more
        self._tiles = 0  # computed so far
        self._received = 0  # samples pushed so far

    def push(self, samples: Float32) -> Float32:
        """Take the next samples and return those that can be computed.

        Parameters
        ----------
        samples : float32, shape (n,)
            At `rate_in`, finite.

        Returns
        -------
        float32, shape (k,)
            At `rate_out`; about 0.1 s is held back.

        Raises
        ------
        AudioError
            If `samples` is not one-dimensional.
        """
        if samples.ndim != 1:
            raise AudioError(f"samples of shape {samples.shape}: must be mono, of shape (n,)")
        samples = samples.astype(np.float32, copy=False)
        if self._filter is None:
            return samples
        self._received += len(samples)
        self._pending = np.concatenate((self._pending, samples))
        return self._advance(self._filter)

    def _advance(self, tile_filter: TileFilter) -> Float32:
        # The last tile whose window is here: start(tile) <= last_start.
        last_start = self._origin + len(self._pending) - tile_filter.window
        last_tile = ((last_start + 1) * tile_filter.up - 1) // (tile_filter.tile * tile_filter.down)
        n_groups = (last_tile + 1 - self._tiles) // tile_filter.group
        if n_groups <= 0:
            return np.zeros(0, np.float32)
        output = tile_filter.apply(self._pending, self._tiles, self._origin, n_groups)
        self._tiles += n_groups * tile_filter.group
        origin = tile_filter.start(self._tiles)
        self._pending = self._pending[origin - self._origin :].copy()
        self._origin = origin
        return output

    def flush(self) -> Float32:
        """End the stream: return what was held back, and be ready for a new one.

        Returns
        -------
        float32, shape (k,)
            In all, `ceil(n * rate_out / rate_in)` samples are returned for n received.
        """
        tile_filter = self._filter
        if tile_filter is None:
            return np.zeros(0, np.float32)
        total = -(-self._received * tile_filter.up // tile_filter.down)
        missing = total - self._tiles * tile_filter.tile
        # Silence after the last sample, to the end of the last group that is needed.
        n_groups = -(-missing // (tile_filter.group * tile_filter.tile))
        end = tile_filter.start(self._tiles + n_groups * tile_filter.group) + tile_filter.window
        silence = np.zeros(end - self._origin - len(self._pending), np.float32)
        self._pending = np.concatenate((self._pending, silence))
        rest = self._advance(tile_filter)[:missing]
        self._restart()
        return rest


def resample(samples: Float32, rate_in: int, rate_out: int) -> Float32:
    """Convert the sample rate of a whole clip.

    Flat within 0.1 dB up to 0.9 of the lower Nyquist frequency, and at least 80 dB down from
    the Nyquist frequency on. The clip is taken to be silent before its start and after its end.

    Parameters
    ----------
    samples : float32, shape (n,)
        Finite.
    rate_in, rate_out : int
        Hz, 8000..192000. Equal rates return the samples as they are.

    Returns
    -------
    float32, shape (ceil(n * rate_out / rate_in),)
        Sample m lies at the time m / rate_out: there is no delay.

    Raises
    ------
    AudioError
        If a rate is out of bounds, or `samples` is not one-dimensional.
    """
    resampler = Resampler(rate_in, rate_out)
    return np.concatenate((resampler.push(samples), resampler.flush()))
