"""Speed of the features: ours beside librosa's, torchaudio's and kaldi-native-fbank's.

`python -m genrekit.benchmarks.speed.feature_speed` times each stage on 3 s and 30 s of audio, on
one thread, all contenders in turn in every round, and prints the median time and the median of the
paired ratios to librosa with its 95 % interval.

The peers' recipes differ in details (kaldi-native-fbank knows no Slaney scale): they are here
for their speed. `benchmarks/parity/comparison.py` compares values.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from genrekit.arrays import Float32
from genrekit.audio.decoding import load_audio
from genrekit.bench.machine.hardware import Machine, measured_machine
from genrekit.bench.paired import Latency, Ratio, time_rounds
from genrekit.documents import write_document
from genrekit.errors import GenreKitError
from genrekit.features.hpss.separation import separate
from genrekit.features.kinds import extract
from genrekit.features.mel import mel_spectrogram
from genrekit.features.stft import power_spectrogram, stft
from genrekit.features.tempo import tempo_bpm

from ..parity.librosa_reference import CONFIG, librosa, numpy_fft

JUDGE = "librosa"
OURS = "genrekit"
OURS_SCIPY = "genrekit, SciPy's FFT"

_RATE = CONFIG.sample_rate
_ROUNDS = {3.0: 61, 30.0: 15}  # counted rounds for so many seconds of audio
_SLOW_ROUNDS = {3.0: 21, 30.0: 7}  # of the stages that take librosa 0.1 s and more

_Task = Callable[[], Any]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One contender at one stage."""

    stage: str
    audio_s: float
    contender: str
    latency: Latency
    ratio: Ratio  # to librosa's time in the same round


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FeatureTimes:
    """All timings of one sitting, on one machine."""

    kind: Literal["genrekit-features"] = "genrekit-features"
    schema: int = 1
    machine: Machine
    timings: tuple[Timing, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 1 if the audio cannot be used."""
    args = _parser().parse_args(argv)
    try:
        librosa()
        # BLAS reads its environment when NumPy loads, which is before this line.
        importlib.import_module("threadpoolctl").threadpool_limits(1)
        samples = load_audio(args.audio, _RATE).samples if args.audio else synthetic(30.0)
        timings = tuple(
            timing
            for stage in args.stage or STAGES
            for audio_s in _ROUNDS
            for timing in measure(stage, samples, audio_s)
        )
        if args.json:
            write_document(args.json, FeatureTimes(machine=measured_machine(), timings=timings))
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"features: {error}\n")
        return 1
    sys.stdout.write(render(timings))
    return 0


def synthetic(duration_s: float) -> Float32:
    """Return a beat of noise bursts over a chord: every stage finds something to do."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(duration_s * _RATE)) / _RATE
    chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in (220.0, 277.2, 329.6))
    bursts = rng.standard_normal(time_s.size) * np.exp(-30.0 * (time_s % 0.5))
    return (0.1 * chord + 0.2 * bursts).astype(np.float32)


def measure(stage: str, samples: Float32, audio_s: float) -> list[Timing]:
    """Time all contenders at one stage.

    Parameters
    ----------
    stage : str
        One of `STAGES`.
    samples : float32, shape (samples,)
        Repeated to fill `audio_s`.
    audio_s : float
        3.0 or 30.0.
    """
    clip = np.resize(samples, round(audio_s * _RATE))
    tasks = dict(STAGES[stage](clip))
    rounds = (_SLOW_ROUNDS if stage in _SLOW_STAGES else _ROUNDS)[audio_s]
    seconds = time_rounds(tasks, rounds=rounds)
    return [
        Timing(
            stage=stage,
            audio_s=audio_s,
            contender=name,
            latency=Latency.of(seconds[name]),
            ratio=Ratio.of(seconds[name], seconds[JUDGE]),
        )
        for name in tasks
    ]


def render(timings: Sequence[Timing]) -> str:
    """Lay the timings out as a Markdown table."""
    lines = ["| stage | audio | by | median ms | of librosa's time |", "|---|--:|---|--:|--:|"]
    for timing in timings:
        low, high = timing.ratio.ci95
        ratio = f"{timing.ratio.median:.2f} ({low:.2f} to {high:.2f})"
        lines.append(
            f"| {timing.stage} | {timing.audio_s:g} s | {timing.contender} "
            f"| {timing.latency.p50_ms:.2f} | {'' if timing.contender == JUDGE else ratio} |"
        )
    return "\n".join(lines) + "\n"


def librosa_tabular(samples: Float32) -> Float32:
    """Compute the 57 features with librosa's calls, as the makers of Kaggle's table did."""
    judge = librosa()
    feature, pad = judge.feature, {"pad_mode": "reflect"}
    harmonic, percussive = judge.effects.hpss(samples, **pad)
    tempo, _ = judge.beat.beat_track(y=samples, sr=_RATE)
    described = (
        feature.chroma_stft(y=samples, sr=_RATE, **pad),
        feature.rms(y=samples, **pad),
        feature.spectral_centroid(y=samples, sr=_RATE, **pad),
        feature.spectral_bandwidth(y=samples, sr=_RATE, **pad),
        feature.spectral_rolloff(y=samples, sr=_RATE, **pad),
        feature.zero_crossing_rate(samples),
        harmonic,
        percussive,
    )
    coefficients = feature.mfcc(y=samples, sr=_RATE, n_mfcc=20, **pad)
    values = [statistic for series in described for statistic in (series.mean(), series.var())]
    values.append(np.asarray(tempo).item())
    values += [statistic for series in coefficients for statistic in (series.mean(), series.var())]
    return np.array(values, np.float32)


def _ours(task: _Task) -> Iterator[tuple[str, _Task]]:
    def alone() -> None:
        with numpy_fft():
            task()

    yield OURS, alone
    yield OURS_SCIPY, task


def _power(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: np.abs(librosa().stft(clip)) ** 2
    yield from _ours(lambda: power_spectrogram(clip, CONFIG))


def _log_mel(clip: Float32) -> Iterator[tuple[str, _Task]]:
    judge = librosa()
    yield JUDGE, lambda: judge.power_to_db(judge.feature.melspectrogram(y=clip, sr=_RATE))
    yield from _ours(lambda: extract("log_mel", clip, CONFIG))


def _mfcc(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: librosa().feature.mfcc(y=clip, sr=_RATE, n_mfcc=CONFIG.n_mfcc)
    yield from _ours(lambda: extract("mfcc", clip, CONFIG))
    if importlib.util.find_spec("torchaudio"):
        yield "torchaudio", _torchaudio_mfcc(clip)
    if importlib.util.find_spec("kaldi_native_fbank"):
        yield "kaldi-native-fbank", functools.partial(_kaldi_mfcc, clip)


def _chroma(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: librosa().feature.chroma_stft(y=clip, sr=_RATE)
    yield OURS, lambda: extract("chroma", clip, CONFIG)


def _hpss(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: librosa().effects.hpss(clip)
    yield OURS, lambda: separate(stft(clip, CONFIG), CONFIG, clip.size)


def _tempo(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: librosa().beat.beat_track(y=clip, sr=_RATE)
    yield OURS, lambda: tempo_bpm(mel_spectrogram(clip, CONFIG), CONFIG)


def _tabular(clip: Float32) -> Iterator[tuple[str, _Task]]:
    yield JUDGE, lambda: librosa_tabular(clip)
    yield OURS, lambda: extract("tabular", clip, CONFIG)


def _torchaudio_mfcc(clip: Float32) -> _Task:
    torch, torchaudio = (importlib.import_module(name) for name in ("torch", "torchaudio"))
    torch.set_num_threads(1)
    mel = {
        "n_fft": CONFIG.n_fft,
        "hop_length": CONFIG.hop_length,
        "n_mels": CONFIG.n_mels,
        "norm": "slaney",
        "mel_scale": "slaney",
        "pad_mode": "constant",
    }
    transform = torchaudio.transforms.MFCC(_RATE, CONFIG.n_mfcc, melkwargs=mel)
    waveform = torch.from_numpy(clip)
    return lambda: transform(waveform)


def _kaldi_mfcc(clip: Float32) -> Float32:
    fbank = importlib.import_module("kaldi_native_fbank")
    options = fbank.MfccOptions()
    options.num_ceps = CONFIG.n_mfcc
    options.mel_opts.num_bins = CONFIG.n_mels
    options.frame_opts.samp_freq = _RATE
    options.frame_opts.frame_length_ms = 1e3 * CONFIG.n_fft / _RATE
    options.frame_opts.frame_shift_ms = 1e3 * CONFIG.hop_length / _RATE
    options.frame_opts.dither = 0.0
    online = fbank.OnlineMfcc(options)
    online.accept_waveform(_RATE, clip)
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)])


STAGES: dict[str, Callable[[Float32], Iterator[tuple[str, _Task]]]] = {
    "power spectrogram": _power,
    "log-mel": _log_mel,
    "MFCC": _mfcc,
    "chroma": _chroma,
    "HPSS": _hpss,
    "tempo": _tempo,
    "57 features": _tabular,
}
_SLOW_STAGES = ("HPSS", "57 features")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genrekit.benchmarks.speed.feature_speed", description="Time the features."
    )
    parser.add_argument("--audio", type=Path, metavar="FILE", help="default: a synthetic beat")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timings here, too")
    parser.add_argument(
        "--stage", action="append", choices=STAGES, help="only this one; may be repeated"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
