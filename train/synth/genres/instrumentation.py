"""Who plays each genre, and how it is recorded.

A pool names a General MIDI program as often as it is likely: a core of usual players, and a
tail that the neighbouring genres share.
"""

from __future__ import annotations

from .style import Ensemble, Sound

PIANOS = (0, 1)
E_PIANOS = (4, 5)
ORGANS = (16, 17)
STRINGS = (48, 49)
SYNTH_PADS = (50, 51, 88, 89, 90)
VOICES = (52, 53, 54, 85)

ENSEMBLES: dict[str, Ensemble] = {
    "blues": Ensemble(
        lead_register=(64, 72),
        bass=(33, 33, 33, 32),
        comping=(27, 27, 3, 3, 3, 0, 0, 29, 25),
        pads=(16, 17, 18),
        leads=(22, 22, 22, 22, 27, 27, 29, 66, 25, 3),
        kits=(0, 0, 8),
        drums=0.9,
        pad=0.15,
        lead=0.95,
        percussion=0.05,
        drive=(0.0, 7.0),
    ),
    "classical": Ensemble(
        lead_register=(70, 82),
        bass=(43, 43, 42, 42, 70, 0),
        comping=(0, 0, 48, 48, 41, 45, 46, 6, 19),
        pads=(48, 48, 49, 60, 42, 44),
        leads=(40, 40, 40, 73, 68, 71, 0, 48, 42, 56),
        drums=0.02,
        bassist=0.8,
        second_comping=0.5,
        pad=0.6,
        lead=0.85,
        counter_lead=0.5,
        percussion=0.0,
    ),
    "country": Ensemble(
        lead_register=(68, 78),
        bass=(32, 33, 33, 34),
        comping=(25, 25, 25, 25, 105, 105, 24, 0),
        pads=(49, 21, 16, 48),
        leads=(110, 110, 105, 105, 25, 22, 27, 40, 53),
        kits=(0, 0, 40),
        drums=0.88,
        second_comping=0.85,
        pad=0.12,
        lead=0.9,
        percussion=0.15,
        drive=(0.0, 4.0),
    ),
    "disco": Ensemble(
        bass=(33, 34, 36, 37, 38),
        comping=(28, 28, 28, 7, 7, 4, 0),
        pads=(48, 48, 48, 50, 51),
        leads=(48, 61, 61, 62, 53, 56, 81),
        kits=(8, 8, 0, 16),
        pad=0.85,
        lead=0.85,
        second_comping=0.7,
        percussion=0.65,
    ),
    "hiphop": Ensemble(
        lead_register=(58, 68),
        bass=(38, 38, 38, 39, 39, 33),
        comping=(4, 4, 4, 5, 11, 0, 88, 45),
        pads=(89, 50, 88, 52, 48),
        leads=(54, 54, 85, 85, 81, 87, 80, 73),
        kits=(25, 25, 25, 25, 24, 0),
        second_comping=0.3,
        pad=0.4,
        lead=0.8,
        counter_lead=0.15,
        percussion=0.15,
    ),
    "jazz": Ensemble(
        lead_register=(64, 76),
        bass=(32, 32, 32, 32, 35),
        comping=(0, 0, 0, 0, 26, 26, 11),
        pads=(48, 61, 89),
        leads=(66, 66, 65, 65, 64, 56, 59, 57, 26, 0, 71, 11),
        kits=(32, 40, 40),
        drums=0.9,
        bassist=0.97,
        second_comping=0.15,
        pad=0.05,
        lead=0.97,
        percussion=0.03,
    ),
    "metal": Ensemble(
        lead_register=(70, 82),
        bass=(34, 34, 33),
        comping=(30, 30, 30, 30, 29),
        pads=(52, 48, 50),
        leads=(30, 30, 29, 84),
        kits=(16, 16, 8),
        second_comping=0.85,
        pad=0.12,
        lead=0.55,
        percussion=0.0,
        drive=(22.0, 36.0),
    ),
    "pop": Ensemble(
        lead_register=(66, 76),
        bass=(38, 38, 39, 33, 33, 34),
        comping=(0, 0, 4, 5, 90, 25, 27, 62),
        pads=(*SYNTH_PADS, 48),
        leads=(*VOICES, 53, 54, 80, 81, 85),
        kits=(24, 8, 0, 25),
        drums=0.95,
        pad=0.75,
        lead=0.95,
        percussion=0.3,
        drive=(0.0, 4.0),
    ),
    "reggae": Ensemble(
        lead_register=(62, 70),
        bass=(33, 33, 33, 35, 32),
        comping=(27, 27, 27, 16, 16, 17, 0),
        pads=(16, 17, 48),
        leads=(53, 53, 57, 56, 65, 66, 22),
        kits=(0, 0, 8, 40),
        second_comping=0.9,
        pad=0.15,
        lead=0.7,
        percussion=0.35,
    ),
    "rock": Ensemble(
        bass=(34, 34, 33),
        comping=(29, 29, 29, 29, 27, 30, 16),
        pads=(16, 17, 18),
        leads=(29, 29, 30, 53, 53, 27, 85),
        kits=(0, 8, 8),
        second_comping=0.8,
        pad=0.25,
        lead=0.85,
        percussion=0.1,
        drive=(5.0, 13.0),
    ),
}

SOUNDS: dict[str, Sound] = {
    "blues": Sound(
        tilt_db=-0.3,
        reverb_s=0.5,
        compression=0.2,
        drums_db=-2.0,
        comping_db=-1.0,
        lead_db=3.0,
        vinyl=0.2,
    ),
    "classical": Sound(
        tilt_db=-0.7, reverb_s=2.0, wet_db=-6.0, compression=0.05, vinyl=0.1, lead_db=-1.0
    ),
    "country": Sound(
        tilt_db=1.0,
        reverb_s=0.6,
        compression=0.35,
        drums_db=-5.0,
        bass_db=-1.0,
        comping_db=2.0,
        lead_db=1.0,
    ),
    "disco": Sound(tilt_db=0.9, reverb_s=0.6, compression=0.5, drums_db=3.0, bass_db=2.0),
    "hiphop": Sound(
        tilt_db=-0.2,
        reverb_s=0.25,
        wet_db=-20.0,
        compression=0.6,
        drums_db=6.0,
        bass_db=4.0,
        comping_db=-2.0,
        vinyl=0.2,
    ),
    "jazz": Sound(
        tilt_db=-1.3,
        reverb_s=0.9,
        compression=0.05,
        drums_db=-3.0,
        bass_db=1.0,
        lead_db=1.0,
        vinyl=0.2,
    ),
    "metal": Sound(
        tilt_db=1.2,
        reverb_s=0.35,
        wet_db=-19.0,
        compression=0.8,
        drums_db=1.0,
        comping_db=4.0,
        lead_db=-3.0,
        vinyl=0.02,
    ),
    "pop": Sound(
        tilt_db=0.7, reverb_s=1.1, wet_db=-10.0, compression=0.6, comping_db=-1.0, lead_db=3.0
    ),
    "reggae": Sound(
        tilt_db=-1.4, reverb_s=1.3, wet_db=-10.0, compression=0.35, drums_db=-2.0, bass_db=5.0
    ),
    "rock": Sound(tilt_db=-0.1, reverb_s=0.7, compression=0.5, drums_db=2.5, comping_db=1.0),
}
