package genrekit.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/**
 * Discrete Fourier transform of [n] complex numbers, in place, in float64.
 *
 * A power of two takes radix-2 steps (the first two fused into one of radix 4); any other
 * length goes through Bluestein's convolution. Tables are made once; nothing is allocated by
 * [transform].
 *
 * Reference: L. Bluestein, "A linear filtering approach to the computation of discrete Fourier
 * transform", IEEE Transactions on Audio and Electroacoustics 18 (1970).
 */
internal class Fft(val n: Int) {
    private val bluestein = if (n and (n - 1) == 0) null else Bluestein(n)
    private val reversed = if (bluestein == null) IntArray(n) { reverse(it) } else IntArray(0)
    private val cosine = DoubleArray(if (bluestein == null) n / 2 else 0) { cos(2 * PI * it / n) }
    private val sine = DoubleArray(cosine.size) { -sin(2 * PI * it / n) }

    /** Replaces the signal by its transform, forward and not scaled. */
    fun transform(re: DoubleArray, im: DoubleArray) {
        if (bluestein != null) return bluestein.transform(re, im)
        for (i in 0 until n) {
            val j = reversed[i]
            if (i < j) {
                val r = re[i]; re[i] = re[j]; re[j] = r
                val m = im[i]; im[i] = im[j]; im[j] = m
            }
        }
        var size = if (n >= 4) radix4(re, im) else 1
        while (size < n) {
            pass(re, im, size)
            size *= 2
        }
    }

    /** Transforms of length 4: their factors are 1 and -i. */
    private fun radix4(re: DoubleArray, im: DoubleArray): Int {
        var i = 0
        while (i < n) {
            val sumR = re[i] + re[i + 1]; val sumI = im[i] + im[i + 1]
            val differenceR = re[i] - re[i + 1]; val differenceI = im[i] - im[i + 1]
            val oddR = re[i + 2] + re[i + 3]; val oddI = im[i + 2] + im[i + 3]
            val turnedR = im[i + 2] - im[i + 3]; val turnedI = re[i + 3] - re[i + 2]
            re[i] = sumR + oddR; im[i] = sumI + oddI
            re[i + 2] = sumR - oddR; im[i + 2] = sumI - oddI
            re[i + 1] = differenceR + turnedR; im[i + 1] = differenceI + turnedI
            re[i + 3] = differenceR - turnedR; im[i + 3] = differenceI - turnedI
            i += 4
        }
        return 4
    }

    /** Joins transforms of length [half] to ones of twice that. */
    private fun pass(re: DoubleArray, im: DoubleArray, half: Int) {
        val stride = n / (2 * half)
        var start = 0
        while (start < n) { // `step` would allocate a range at each pass
            var factor = 0
            for (i in start until start + half) {
                val c = cosine[factor]
                val s = sine[factor]
                val j = i + half
                val r = re[j] * c - im[j] * s
                val m = re[j] * s + im[j] * c
                re[j] = re[i] - r
                im[j] = im[i] - m
                re[i] += r
                im[i] += m
                factor += stride
            }
            start += 2 * half
        }
    }

    private fun reverse(index: Int): Int = if (n == 1) 0 else Integer.reverse(index) ushr (32 - Integer.numberOfTrailingZeros(n))
}

/** A transform of any length as a convolution with a chirp, which has a power of two's length. */
private class Bluestein(private val n: Int) {
    private val fft = Fft(Integer.highestOneBit(2 * n - 1) * 2)
    private val chirpR = DoubleArray(n) { cos(angle(it)) }
    private val chirpI = DoubleArray(n) { sin(angle(it)) }
    private val filterR = DoubleArray(fft.n)
    private val filterI = DoubleArray(fft.n)
    private val workR = DoubleArray(fft.n)
    private val workI = DoubleArray(fft.n)

    init {
        for (k in 0 until n) {
            for (place in intArrayOf(k, (fft.n - k) % fft.n)) {
                filterR[place] = chirpR[k]
                filterI[place] = -chirpI[k]
            }
        }
        fft.transform(filterR, filterI)
    }

    fun transform(re: DoubleArray, im: DoubleArray) {
        workR.fill(0.0)
        workI.fill(0.0)
        for (k in 0 until n) {
            workR[k] = re[k] * chirpR[k] - im[k] * chirpI[k]
            workI[k] = re[k] * chirpI[k] + im[k] * chirpR[k]
        }
        fft.transform(workR, workI)
        // The product's conjugate, so that a forward transform turns it back.
        for (k in 0 until fft.n) {
            val r = workR[k] * filterR[k] - workI[k] * filterI[k]
            workI[k] = -(workR[k] * filterI[k] + workI[k] * filterR[k])
            workR[k] = r
        }
        fft.transform(workR, workI)
        for (k in 0 until n) {
            val r = workR[k] / fft.n
            val m = -workI[k] / fft.n
            re[k] = r * chirpR[k] - m * chirpI[k]
            im[k] = r * chirpI[k] + m * chirpR[k]
        }
    }

    /** -pi k^2 / n, k^2 reduced first: large angles lose digits. */
    private fun angle(k: Int): Double = -PI * (k.toLong() * k % (2L * n)) / n
}
