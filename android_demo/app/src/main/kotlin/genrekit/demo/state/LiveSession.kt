package genrekit.demo.state

import genrekit.core.Card
import genrekit.core.CardStream
import genrekit.core.Engine
import genrekit.core.Resampler
import genrekit.core.Segment
import genrekit.core.Stage
import genrekit.core.Stopwatch
import genrekit.core.rank
import genrekit.core.softmax

/**
 * Genres from a microphone that never ends: the ranking is the mean over the latest windows.
 *
 * @param sampleRate Of the microphone, in Hz.
 * @param onWindow Called after each window, on the thread that pushes.
 */
class LiveSession(private val card: Card, private val engine: Engine, private val sampleRate: Int, private val onWindow: (Hearing) -> Unit) {
    private val stopwatch = Stopwatch()
    private val stream: CardStream = CardStream(card, ::classify)
    private val resampler = Resampler(sampleRate, card.features.sampleRate) { samples, count ->
        stopwatch.enter(Stage.FEATURES)
        stream.push(samples, count)
        stopwatch.leave()
    }
    private val samples = FloatArray(BLOCK)
    private val recent = ArrayDeque<DoubleArray>()
    private val timeline = ArrayDeque<Segment>()
    private var received = 0L
    private var windows = 0
    private var featuresBefore = 0.0
    private var inferenceBefore = 0.0

    /** Takes 16-bit samples, as the microphone gives them. */
    fun push(pcm: ShortArray, count: Int) {
        var taken = 0
        while (taken < count) {
            val part = minOf(BLOCK, count - taken)
            for (i in 0 until part) samples[i] = pcm[taken + i] / 32_768f
            stopwatch.enter(Stage.RESAMPLE)
            resampler.push(samples, part)
            stopwatch.leave()
            taken += part
            received += part
        }
    }

    private fun classify(inputs: Array<FloatArray>) {
        stopwatch.enter(Stage.INFERENCE)
        val logits = engine.run(inputs)
        stopwatch.leave()
        val probabilities = softmax(logits)
        remember(recent, probabilities, RECENT_WINDOWS)
        val best = probabilities.indices.maxByOrNull { probabilities[it] }!!
        val start = windows++ * stream.hopS
        remember(timeline, Segment(start, start + card.windowing.windowS, card.labels[best], probabilities[best]), TIMELINE_WINDOWS)
        onWindow(hearing())
    }

    private fun hearing(): Hearing {
        val mean = DoubleArray(card.labels.size) { label -> recent.sumOf { it[label] } / recent.size }
        val features = stopwatch.ms(Stage.FEATURES)
        val inference = stopwatch.ms(Stage.INFERENCE)
        val hearing = Hearing(
            ranking = rank(mean, card.labels),
            timeline = timeline.toList(),
            audioS = received.toDouble() / sampleRate,
            featuresMs = features - featuresBefore,
            inferenceMs = inference - inferenceBefore,
            computeMs = features + inference + stopwatch.ms(Stage.RESAMPLE),
        )
        featuresBefore = features
        inferenceBefore = inference
        return hearing
    }

    private fun <T> remember(latest: ArrayDeque<T>, value: T, limit: Int) {
        if (latest.size == limit) latest.removeFirst()
        latest.addLast(value)
    }

    private companion object {
        const val BLOCK = 1_024 // samples converted at once
        const val RECENT_WINDOWS = 8 // that the ranking is the mean of
        const val TIMELINE_WINDOWS = 60
    }
}
