package genrekit.demo.state

import genrekit.core.Score
import genrekit.core.Segment

/**
 * What was heard so far, from the microphone or a song.
 *
 * @property ranking All genres, most probable first.
 * @property timeline The latest windows, oldest first.
 * @property audioS Seconds of audio that were taken in.
 * @property featuresMs Time for the features of one window; for a song, the mean.
 * @property inferenceMs Time for one inference.
 * @property computeMs Time spent on all of the audio: decoding, resampling, features, inference.
 */
data class Hearing(
    val ranking: List<Score>,
    val timeline: List<Segment>,
    val audioS: Double,
    val featuresMs: Double,
    val inferenceMs: Double,
    val computeMs: Double,
) {
    /** Time for one window, from samples to genres. */
    val totalMs: Double get() = featuresMs + inferenceMs

    /** Computing time as a share of the audio's time: below 1 keeps up. */
    val realTimeFactor: Double get() = if (audioS > 0) computeMs / 1_000 / audioS else 0.0
}
