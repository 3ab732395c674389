package genrekit.core

/**
 * A feature whose frames are computed from their power spectra, in two steps: the decibels that
 * `top_db` would limit, then what is made of them.
 *
 * @property levels Decibels per frame.
 * @property bands Values per frame.
 */
internal abstract class FrameFeature(val levels: Int, val bands: Int) {
    /** Writes [levels] decibels into [level]; [power] may be overwritten. */
    abstract fun level(power: FloatArray, level: FloatArray)

    /** Turns decibels into the frame's [bands] values. */
    abstract fun finish(level: FloatArray, frame: FloatArray)

    companion object {
        /** Returns the frame feature named [kind], or null if there is none. */
        fun of(kind: String, config: FeatureConfig): FrameFeature? =
            when (kind) {
                "log_mel" -> LogMel(config)
                "mfcc" -> Mfcc(config)
                "mel_of_db" -> MelOfDecibels(config)
                "log_power" -> LogPower(config)
                else -> null
            }
    }
}

/** Mel bands in decibels. */
private open class LogMel(private val config: FeatureConfig, bands: Int = config.nMels) : FrameFeature(config.nMels, bands) {
    private val bank = MelBank.areaNormalised(config)

    override fun level(power: FloatArray, level: FloatArray) {
        bank.pool(power, level)
        toDecibels(level, levels, config.amin.toFloat())
    }

    override fun finish(level: FloatArray, frame: FloatArray) = System.arraycopy(level, 0, frame, 0, bands)
}

/** Mel-frequency cepstral coefficients. */
private class Mfcc(config: FeatureConfig) : LogMel(config, config.nMfcc) {
    private val dct = Dct(config.nMfcc, config.nMels)

    override fun finish(level: FloatArray, frame: FloatArray) = dct.transform(level, frame)
}

/** Decibels per bin. */
private open class LogPower(private val config: FeatureConfig, bands: Int = config.nBins) : FrameFeature(config.nBins, bands) {
    override fun level(power: FloatArray, level: FloatArray) {
        System.arraycopy(power, 0, level, 0, levels)
        toDecibels(level, levels, config.amin.toFloat())
    }

    override fun finish(level: FloatArray, frame: FloatArray) = System.arraycopy(level, 0, frame, 0, bands)
}

/** Decibels per bin, then their mean in each mel band: for models trained on pictures. */
private class MelOfDecibels(config: FeatureConfig) : LogPower(config, config.nMels) {
    private val bank = MelBank.averaging(config)

    override fun finish(level: FloatArray, frame: FloatArray) = bank.pool(level, frame)
}
