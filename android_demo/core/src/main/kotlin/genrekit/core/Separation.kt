package genrekit.core

/**
 * Harmonic-percussive separation by median filtering, and the inverse transform.
 *
 * Steady tones are lines along time in a spectrogram, drum hits lines along frequency: the
 * median of 31 frames around each cell keeps the former, of 31 bins the latter, and each cell
 * is shared out in proportion to the squares of these medians.
 *
 * References: D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx
 * (2010); D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier
 * transform", IEEE TASSP 32 (1984).
 */
internal class Separation(private val config: FeatureConfig) {
    private val n = config.nFft
    private val fft = Fft(n)
    private val workR = DoubleArray(n)
    private val workI = DoubleArray(n)

    /**
     * Splits a clip of [length] samples.
     *
     * @return Its harmonic and its percussive waveform; they sum to the clip.
     */
    fun separate(stft: Stft, length: Int): Pair<FloatArray, FloatArray> {
        val share = harmonicShare(stft)
        val window = hannWindow(n)
        val size = (stft.frames - 1) * config.hopLength + n
        val harmonic = FloatArray(size)
        val percussive = FloatArray(size)
        val weight = FloatArray(size)
        for (frame in 0 until stft.frames) {
            invert(stft, frame, share[frame])
            val start = frame * config.hopLength
            for (i in 0 until n) {
                harmonic[start + i] += (workR[i] * window[i]).toFloat()
                percussive[start + i] += (workI[i] * window[i]).toFloat()
                weight[start + i] += (window[i] * window[i]).toFloat()
            }
        }
        for (i in 0 until size) {
            if (weight[i] < SMALLEST_NORMAL) continue
            harmonic[i] /= weight[i]
            percussive[i] /= weight[i]
        }
        return cut(harmonic, length) to cut(percussive, length)
    }

    /** Share of each cell that is harmonic; where both medians are zero, half. */
    private fun harmonicShare(stft: Stft): Array<FloatArray> {
        val frames = stft.frames
        val power = Array(frames) { frame ->
            FloatArray(config.nBins) { bin -> stft.re[frame][bin] * stft.re[frame][bin] + stft.im[frame][bin] * stft.im[frame][bin] }
        }
        val share = Array(frames) { FloatArray(config.nBins) }
        val column = FloatArray(frames)
        val filter = RunningMedian()
        for (bin in 0 until config.nBins) {
            for (frame in 0 until frames) column[frame] = power[frame][bin]
            filter.filter(column)
            for (frame in 0 until frames) share[frame][bin] = column[frame]
        }
        for (frame in 0 until frames) {
            filter.filter(power[frame])
            for (bin in 0 until config.nBins) {
                // The least of normal numbers alters nothing that is heard, and splits 0 / 0.
                val harmonic = share[frame][bin] + SMALLEST_NORMAL
                share[frame][bin] = harmonic / (harmonic + (power[frame][bin] + SMALLEST_NORMAL))
            }
        }
        return share
    }

    /**
     * Transforms both parts of a frame back at once: the spectrum of h + i p, where h and p are
     * real, is H + i P.
     */
    private fun invert(stft: Stft, frame: Int, share: FloatArray) {
        for (bin in 0 until n) {
            val mirrored = if (bin <= n / 2) bin else n - bin
            val sign = if (bin <= n / 2) 1.0 else -1.0
            // A real signal's first and last bins are real.
            val r = stft.re[frame][mirrored].toDouble()
            val i = if (mirrored == 0 || mirrored == n / 2) 0.0 else sign * stft.im[frame][mirrored]
            val h = share[mirrored].toDouble()
            // Conjugated, so that a forward transform turns it back.
            workR[bin] = r * h - i * (1 - h)
            workI[bin] = -(i * h + r * (1 - h))
        }
        fft.transform(workR, workI)
        for (at in 0 until n) {
            workR[at] /= n.toDouble()
            workI[at] /= -n.toDouble()
        }
    }

    private fun cut(wave: FloatArray, length: Int): FloatArray =
        FloatArray(length) { at -> if (config.margin + at < wave.size) wave[config.margin + at] else 0f }
}

/**
 * Running median of 31 neighbours, exact. Beyond its ends the signal is mirrored with the edge
 * repeated, as in `scipy.ndimage.median_filter(mode="reflect")`.
 */
internal class RunningMedian {
    private val sorted = FloatArray(WIDTH)
    private var source = FloatArray(0)

    /** Replaces each value by the median of the 31 around it. */
    fun filter(values: FloatArray) {
        val n = values.size
        if (source.size != n) source = FloatArray(n)
        System.arraycopy(values, 0, source, 0, n)
        for (i in 0 until WIDTH) sorted[i] = mirrored(i - WIDTH / 2)
        sorted.sort()
        values[0] = sorted[WIDTH / 2]
        for (at in 1 until n) {
            replace(mirrored(at - 1 - WIDTH / 2), mirrored(at + WIDTH / 2))
            values[at] = sorted[WIDTH / 2]
        }
    }

    /** Puts [new] in the place of [old], keeping the order. */
    private fun replace(old: Float, new: Float) {
        var at = 0
        while (sorted[at] != old) at++
        while (at + 1 < WIDTH && sorted[at + 1] < new) {
            sorted[at] = sorted[at + 1]
            at++
        }
        while (at > 0 && sorted[at - 1] > new) {
            sorted[at] = sorted[at - 1]
            at--
        }
        sorted[at] = new
    }

    private fun mirrored(index: Int): Float {
        val n = source.size
        val period = Math.floorMod(index, 2 * n)
        return source[if (period < n) period else 2 * n - 1 - period]
    }

    private companion object {
        const val WIDTH = 31
    }
}
