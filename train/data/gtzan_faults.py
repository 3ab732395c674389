"""Faults: what is known to be wrong with GTZAN and cannot be found by decoding it.

Counts are Sturm's; the artists are those of his index of 919 identified excerpts.

References
----------
Sturm: "The GTZAN dataset: its contents, its faults, their effects on evaluation, and its
future use", 2013, arXiv:1306.1461.
"""

GTZAN_GENRES = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)

GTZAN_NOTES = (
    "jazz.00054 is corrupt in the copy that Kaggle distributes",
    "50 excerpts are exact replicas of others, 22 more come from the same recordings and 13 "
    "are versions of the same songs (Sturm 2013)",
    "43 excerpts are conspicuously mislabelled and 63 arguably (Sturm 2013): a near-perfect "
    "classifier would score about 94.5 %",
    "reggae.00000 to 00027 and 00054 to 00060 are all by Bob Marley, and 24 of pop by Britney "
    "Spears (Sturm 2013): use --split filtered, which keeps artists on one side",
)
