package genrekit.core

import java.io.Closeable

/**
 * A loaded model that names the genre of songs.
 *
 * @param engine The model of [artifact], loaded; it is closed with the classifier.
 */
class GenreClassifier(val artifact: Artifact, private val engine: Engine) : Closeable {
    private val card = artifact.card

    /**
     * Names the genre of a song of any length, read block by block.
     *
     * @throws AudioException if it cannot be decoded or has no samples.
     * @throws EngineException if inference fails.
     */
    fun classify(source: AudioSource): Prediction {
        val clock = Stopwatch()
        var tally: Tally? = null
        val stream = CardStream(card) { inputs ->
            clock.enter(Stage.INFERENCE)
            tally!!.add(engine.run(inputs))
            clock.leave()
        }
        val windows = Tally(card, stream.hopS).also { tally = it }
        val resampler = Resampler(source.sampleRate, card.features.sampleRate) { samples, count ->
            clock.enter(Stage.FEATURES)
            stream.push(samples, count)
            clock.leave()
        }
        val block = FloatArray(BLOCK_FRAMES)
        var samples = 0L
        while (true) {
            clock.enter(Stage.DECODE)
            val count = source.read(block, block.size)
            clock.leave()
            if (count == 0) break
            samples += count
            clock.enter(Stage.RESAMPLE)
            resampler.push(block, count)
            clock.leave()
        }
        clock.enter(Stage.RESAMPLE)
        resampler.flush()
        clock.leave()
        clock.enter(Stage.FEATURES)
        stream.flush()
        clock.leave()
        val durationS = samples.toDouble() / source.sampleRate
        val segments = windows.timeline.map { it.copy(endS = minOf(it.endS, durationS)) }
        return Prediction(windows.ranking(), segments, durationS, clock.latency())
    }

    override fun close() = engine.close()

    private companion object {
        const val BLOCK_FRAMES = 1 shl 15
    }
}
