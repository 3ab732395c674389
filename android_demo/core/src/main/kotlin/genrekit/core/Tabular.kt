package genrekit.core

import kotlin.math.sqrt

/**
 * The 57 numbers of GTZAN's Kaggle tables, from one short-time Fourier transform: means and
 * variances over frames of the descriptors, chroma and 20 MFCCs, over samples of the harmonic
 * and the percussive part, and the tempo. The clip is always padded by reflection.
 *
 * @param config Its padding and `n_mfcc` do not count.
 * @throws ConfigException if it has fewer than 20 mel bands.
 */
internal class Tabular(config: FeatureConfig) {
    private val config = config.copy(padding = Padding.REFLECT, nMfcc = N_MFCC)

    /**
     * Describes a clip of at most a minute.
     *
     * @return 57 values; frequencies in Hz, tempo in beats per minute.
     * @throws AudioException if the clip is longer, or too short for reflection.
     */
    fun describe(samples: FloatArray): FloatArray {
        if (samples.size > LONGEST_S * config.sampleRate) {
            throw AudioException(
                "${samples.size / config.sampleRate} s: the tabular features take at most $LONGEST_S s; describe the clip segment by segment",
            )
        }
        val stft = Stft(samples, config)
        val magnitude = Array(stft.frames) { stft.magnitude(it) }
        val power = Array(stft.frames) { frame -> FloatArray(config.nBins) { magnitude[frame][it] * magnitude[frame][it] } }
        val mel = MelBank.areaNormalised(config)
        val bands = Array(stft.frames) { frame -> FloatArray(config.nMels).also { mel.pool(power[frame], it) } }
        val levels = limitedDecibels(bands)
        val (harmonic, percussive) = Separation(config).separate(stft, samples.size)
        val lastCentre = (stft.frames - 1) * config.hopLength
        harmonic.fill(0f, minOf(lastCentre, samples.size), samples.size)
        percussive.fill(0f, minOf(lastCentre, samples.size), samples.size)
        val descriptors = Descriptors(config)
        val values = Statistics(SIZE)
        values.add(Chroma(config).fold(power))
        values.add(descriptors.rms(stft.padded, stft.frames))
        values.add(descriptors.centroids(magnitude))
        values.add(descriptors.bandwidths(magnitude))
        values.add(descriptors.rolloffs(magnitude))
        values.add(descriptors.zeroCrossingRates(samples, stft.frames))
        values.add(harmonic)
        values.add(percussive)
        values.addValue(Tempo(config).bpm(levels))
        addCepstrum(levels, values)
        return values.toArray()
    }

    private fun limitedDecibels(bands: Array<FloatArray>): Array<FloatArray> {
        bands.forEach { toDecibels(it, it.size, config.amin.toFloat()) }
        val topDb = config.topDb ?: return bands
        val floor = bands.maxOf { row -> row.maxOf { it } } - topDb.toFloat()
        for (row in bands) for (i in row.indices) row[i] = maxOf(row[i], floor)
        return bands
    }

    private fun addCepstrum(levels: Array<FloatArray>, values: Statistics) {
        val dct = Dct(N_MFCC, config.nMels)
        val coefficients = Array(levels.size) { frame -> FloatArray(N_MFCC).also { dct.transform(levels[frame], it) } }
        for (order in 0 until N_MFCC) values.add(FloatArray(levels.size) { coefficients[it][order] })
    }

    companion object {
        /** Values of the vector. */
        const val SIZE = 57

        private const val N_MFCC = 20

        // The transform of the whole clip is held several times over, 5 MB per second of it.
        private const val LONGEST_S = 60
    }
}

/** Means and variances, one after the other. */
private class Statistics(size: Int) {
    private val values = FloatArray(size)
    private var filled = 0

    fun add(series: FloatArray) {
        var sum = 0.0
        for (value in series) sum += value
        val mean = sum / series.size
        var squares = 0.0
        for (value in series) squares += (value - mean) * (value - mean)
        addValue(mean)
        addValue(squares / series.size)
    }

    fun addValue(value: Double) {
        values[filled++] = value.toFloat()
    }

    fun toArray(): FloatArray = values.copyOf(filled)
}

/** Complex spectra of a clip, padded by reflection and rounded to float32. */
internal class Stft(samples: FloatArray, config: FeatureConfig) {
    /** The clip with its mirror images. */
    val padded = padSamples(samples, config)

    val frames = config.nFrames(samples.size)
    val re = Array(frames) { FloatArray(config.nBins) }
    val im = Array(frames) { FloatArray(config.nBins) }

    init {
        val spectrum = Spectrum(config.nFft)
        for (frame in 0 until frames) {
            spectrum.transform(padded, frame * config.hopLength)
            for (bin in 0 until config.nBins) {
                re[frame][bin] = spectrum.re[bin].toFloat()
                im[frame][bin] = spectrum.im[bin].toFloat()
            }
        }
    }

    fun magnitude(frame: Int): FloatArray =
        FloatArray(re[frame].size) { bin ->
            val r = re[frame][bin].toDouble()
            val i = im[frame][bin].toDouble()
            sqrt(r * r + i * i).toFloat()
        }
}
