"""`genrekit listen`: name the genre of what a microphone hears, or of a file as it plays."""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .classify import add_model_options, tell_fallback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..artifact.container import Artifact
    from ..live.listener import Listener, Update
    from ..live.sources import SoundSource
    from .main import Subparsers

_STDIN = "-"

_EPILOG = """\
examples:
  genrekit listen
  genrekit listen --list-devices
  genrekit listen --device usb --json
  genrekit listen --input song.wav --fast
  arecord -q -f S16_LE -r 44100 -t raw | genrekit listen --input - --rate 44100

Ctrl-C ends it.
"""


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    from ..live.sources import ENCODINGS

    parser = subparsers.add_parser(
        "listen",
        help="name the genre of what a microphone hears, live",
        description="Name the genre of what is heard now, from a microphone, a file or a pipe.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model_options(parser)
    parser.add_argument("--device", metavar="D", help="number or part of the name of an input")
    parser.add_argument("--list-devices", action="store_true", help="list the inputs and exit")
    parser.add_argument("--input", metavar="FILE", help="a song, or - for raw PCM, as if heard")
    parser.add_argument("--rate", type=int, metavar="HZ", help="of raw PCM")
    parser.add_argument("--channels", type=int, metavar="N", help="of raw PCM (default: 1)")
    parser.add_argument("--encoding", choices=ENCODINGS, help="of raw PCM (default: s16le)")
    parser.add_argument("--fast", action="store_true", help="play --input as fast as possible")
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="least probability that is named (default: 0.4)",
    )
    parser.add_argument(
        "--silence-db", type=float, metavar="DB", help="level of silence (default: -55)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so much audio")
    parser.add_argument("--json", action="store_true", help="one JSON object per window and line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen until the input ends or a person ends it."""
    if args.list_devices:
        return _list_devices(as_json=args.json)
    _check(args)
    from ..artifact.container import read_artifact
    from ..artifact.packaged import choose_model
    from ..engines.registry import load_engine
    from ..live.listener import Listener
    from ..live.smoothing import LiveConfig

    given = {"threshold": args.threshold, "silence_db": args.silence_db}
    config = LiveConfig(**{name: value for name, value in given.items() if value is not None})
    artifact = read_artifact(choose_model(args.model))
    engine = load_engine(artifact, threads=args.threads, engine=args.engine)
    tell_fallback(engine.name, artifact, asked=args.engine)
    source = _open_source(args, artifact)
    listener = Listener(artifact, engine, config, source.losses)
    # systemd stops a service with SIGTERM: that ends as cleanly as Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _listen(args, artifact, source, listener)
    finally:
        signal.signal(signal.SIGTERM, before)
        source.close()
    return 0


def _check(args: argparse.Namespace) -> None:
    raw = [
        f"--{name}" for name in ("rate", "channels", "encoding") if getattr(args, name) is not None
    ]
    if raw and args.input != _STDIN:
        raise ConfigError(f"{raw[0]} describes raw PCM: it goes with '--input -'")
    if args.input == _STDIN and args.rate is None:
        raise ConfigError("--input - needs --rate: raw PCM does not tell its sample rate")
    if args.fast and args.input is None:
        raise ConfigError("--fast goes with --input: a microphone has its own pace")
    if args.device is not None and args.input is not None:
        raise ConfigError("--device names a microphone, --input something else: choose one")
    if args.seconds is not None and not args.seconds > 0.0:
        raise ConfigError(f"--seconds {args.seconds}: must be above 0")


def _open_source(args: argparse.Namespace, artifact: Artifact) -> SoundSource:
    from ..live.sources import FileSource, Pacer, PcmSource

    if args.input == _STDIN:
        return PcmSource(
            sys.stdin.buffer,
            args.rate,
            channels=1 if args.channels is None else args.channels,
            encoding=args.encoding or "s16le",
            pacer=None if args.fast else PcmSource.real_time(),
        )
    if args.input is not None:
        return FileSource(Path(args.input), None if args.fast else Pacer())
    from ..live.microphone import Microphone
    from ..live.portaudio import PortAudio

    microphone = Microphone(PortAudio(), args.device, artifact.card.features.sample_rate)
    print(
        f"genrekit: listening to {microphone.device.name} at {microphone.sample_rate} Hz, "
        "Ctrl-C ends it",
        file=sys.stderr,
    )
    return microphone


def _listen(
    args: argparse.Namespace, artifact: Artifact, source: SoundSource, listener: Listener
) -> None:
    """Show every update, then a summary, however it ends."""
    from ..live.display import choose_view, clock_text

    view = None if args.json else choose_view(artifact.card.labels, sys.stdout)
    windows: collections.Counter[str] = collections.Counter()
    last: Update | None = None
    try:
        for update in _updates(source, listener, args.seconds):
            last = update
            windows[update.score.label or update.score.state] += 1
            if view is None:
                now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
                print(json.dumps({"time": now, **update.to_dict()}), flush=True)
            else:
                view.show(update)
    except KeyboardInterrupt:
        pass  # the way to end it; the summary follows
    finally:
        if view is not None:
            view.close()
    summary = _summary(listener, windows, last)
    if args.json:
        print(json.dumps({"summary": summary}), flush=True)
        return
    shares = ", ".join(
        f"{label} {count / windows.total():.0%}" for label, count in windows.most_common(5)
    )
    print(
        f"genrekit: heard {clock_text(listener.heard_s)}: {shares or 'nothing'}; dropped "
        f"{summary['dropped_s']:.1f} s, {summary['overruns']} overruns, "
        f"{summary['reconnects']} reconnects",
        file=sys.stderr,
    )


def _updates(source: SoundSource, listener: Listener, seconds: float | None) -> Iterator[Update]:
    from ..live.systemd import ServiceManager

    manager = ServiceManager()
    manager.ready()
    for block in source.blocks():
        manager.alive()
        yield from listener.hear(block)
        if seconds is not None and listener.heard_s >= seconds:
            break
    yield from listener.finish()


def _summary(
    listener: Listener, windows: collections.Counter[str], last: Update | None
) -> dict[str, Any]:
    counted = ("overruns", "dropped_s", "reconnects", "damaged_samples", "clipped_samples")
    return {
        "heard_s": listener.heard_s,
        "windows": dict(windows.most_common()),
        **{name: getattr(last, name) if last else 0 for name in counted},
        "failed_windows": listener.failed_windows,
    }


def _list_devices(*, as_json: bool) -> int:
    import dataclasses

    from ..live.portaudio import PortAudio

    devices = PortAudio().devices()
    if as_json:
        print(json.dumps([dataclasses.asdict(device) for device in devices]))
    for device in () if as_json else devices:
        mark = "*" if device.is_default else " "
        print(
            f"{mark} {device.index:>3}  {device.name}  "
            f"({device.channels} channels, {device.default_rate} Hz)"
        )
    if not devices:
        print("genrekit: no microphone; 'genrekit doctor' tells why", file=sys.stderr)
    return int(not devices)
