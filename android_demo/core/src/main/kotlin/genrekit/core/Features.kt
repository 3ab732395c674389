package genrekit.core

/** Values of a feature: [rows] rows of [bands], row by row; one row for a vector. */
class FeatureMatrix(val rows: Int, val bands: Int, val values: FloatArray)

/** Full scale is 1.0. The limit leaves float32 room for the largest frame's power. */
private const val LARGEST_SAMPLE = 1e6f

/**
 * Features of whole clips, by the names that cards give them.
 *
 * What depends on nothing but its frame streams; the rest (the 57-vector, and decibels below
 * the clip's maximum) is computed from each window's own samples.
 */
object Features {
    /** Whether each frame depends on nothing but its own power spectrum. */
    fun streams(kind: String, config: FeatureConfig): Boolean {
        check(kind)
        return kind != TABULAR && config.topDb == null
    }

    /**
     * Computes a feature of a clip.
     *
     * @param samples Mono at the configuration's rate, full scale = 1.0.
     * @throws ConfigException if the kind is not supported.
     * @throws AudioException if the feature is not defined for the samples.
     */
    fun extract(kind: String, samples: FloatArray, config: FeatureConfig): FeatureMatrix {
        check(kind)
        checkSamples(samples)
        if (kind == TABULAR) return FeatureMatrix(1, Tabular.SIZE, Tabular(config).describe(samples))
        val feature = FrameFeature.of(kind, config)!!
        val padded = padSamples(samples, config)
        val rows = maxOf(0, 1 + Math.floorDiv(padded.size - config.nFft, config.hopLength))
        val levels = levels(feature, padded, config, rows)
        config.topDb?.let { limit(levels, it.toFloat()) }
        val values = FloatArray(rows * feature.bands)
        val level = FloatArray(feature.levels)
        val frame = FloatArray(feature.bands)
        for (row in 0 until rows) {
            System.arraycopy(levels, row * feature.levels, level, 0, feature.levels)
            feature.finish(level, frame)
            System.arraycopy(frame, 0, values, row * feature.bands, feature.bands)
        }
        return FeatureMatrix(rows, feature.bands, values)
    }

    private fun check(kind: String) {
        if (kind !in KINDS) throw ConfigException("feature ${represent(kind).take(80)} is not supported by the Android core; it has ${KINDS.joinToString()}")
    }

    private fun levels(feature: FrameFeature, padded: FloatArray, config: FeatureConfig, rows: Int): FloatArray {
        val spectrum = Spectrum(config.nFft)
        val power = FloatArray(config.nBins)
        val level = FloatArray(feature.levels)
        val levels = FloatArray(rows * feature.levels)
        for (row in 0 until rows) {
            spectrum.power(padded, row * config.hopLength, power)
            feature.level(power, level)
            System.arraycopy(level, 0, levels, row * feature.levels, feature.levels)
        }
        return levels
    }

    /** Raises everything to [topDb] below the maximum. */
    private fun limit(levels: FloatArray, topDb: Float) {
        val floor = (levels.maxOrNull() ?: return) - topDb
        for (i in levels.indices) levels[i] = maxOf(levels[i], floor)
    }

    private const val TABULAR = "tabular"
    private val KINDS = listOf("log_mel", "mfcc", "mel_of_db", "log_power", TABULAR)
}

/** @throws AudioException if there is no sample, or one is not finite or absurdly large. */
internal fun checkSamples(samples: FloatArray) {
    if (samples.isEmpty()) throw AudioException("0 samples: a feature needs at least one")
    for (sample in samples) {
        if (!(Math.abs(sample) <= LARGEST_SAMPLE)) { // a NaN compares false
            throw AudioException("samples reach ${represent(Math.abs(sample.toDouble()))}: must be finite and at most 1e+06 (full scale is 1.0)")
        }
    }
}

/**
 * Pads a clip as the configuration says.
 *
 * @throws AudioException if it is too short for that.
 */
internal fun padSamples(samples: FloatArray, config: FeatureConfig): FloatArray {
    val half = config.nFft / 2
    val n = samples.size
    when (config.padding) {
        Padding.NONE -> {
            if (n < config.nFft) {
                throw AudioException("$n samples: padding 'none' needs at least n_fft=${config.nFft}; use padding 'zero' for shorter clips")
            }
            return samples
        }
        Padding.ZERO -> return FloatArray(n + 2 * half).also { System.arraycopy(samples, 0, it, half, n) }
        Padding.REFLECT -> {
            if (n <= half) {
                throw AudioException(
                    "$n samples: padding 'reflect' needs at least ${half + 1} (n_fft // 2 + 1); use padding 'zero' for shorter clips",
                )
            }
            return FloatArray(n + 2 * half) { at ->
                val index = Math.abs(at - half)
                samples[if (index < n) index else 2 * (n - 1) - index]
            }
        }
    }
}
