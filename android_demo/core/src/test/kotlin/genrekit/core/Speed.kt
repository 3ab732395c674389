package genrekit.core

/** Prints the milliseconds that 30 s of audio take, one line per kind of feature; see speed.py. */
fun main() {
    val samples = ReferenceSignal.make(661_500, 22_050)
    val config = FeatureConfig(nMels = 64, nMfcc = 20, topDb = null)
    for (kind in listOf("log_mel", "mfcc", "mel_of_db")) {
        val stream = FrameStream(FrameFeature.of(kind, config)!!, config) { }
        println("$kind ${best(30) { stream.push(samples, 0, samples.size); stream.flush() }}")
    }
    val second = ReferenceSignal.make(1_323_000, 44_100)
    val resampler = Resampler(44_100, 22_050) { _, _ -> }
    println("resample ${best(30) { resampler.push(second, second.size); resampler.flush() }}")
    val tabular = Tabular(FeatureConfig())
    val window = samples.copyOf(66_149)
    println("tabular_3s ${best(10) { tabular.describe(window) }}")
}

private fun best(repeats: Int, work: () -> Unit): Double =
    (0 until repeats).minOf {
        val start = System.nanoTime()
        work()
        (System.nanoTime() - start) / 1e6
    }
