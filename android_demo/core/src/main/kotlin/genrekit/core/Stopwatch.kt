package genrekit.core

/** A stage of classification. */
enum class Stage { DECODE, RESAMPLE, FEATURES, INFERENCE }

/**
 * Time by stage. Stages nest, as samples are pushed from one into the next: time in an inner
 * stage does not count for the outer one.
 */
class Stopwatch {
    private val nanos = LongArray(Stage.values().size)
    private val stack = IntArray(nanos.size)
    private var depth = 0
    private var since = 0L
    private val started = System.nanoTime()

    fun enter(stage: Stage) {
        val now = System.nanoTime()
        if (depth > 0) nanos[stack[depth - 1]] += now - since
        stack[depth++] = stage.ordinal
        since = now
    }

    fun leave() {
        val now = System.nanoTime()
        nanos[stack[--depth]] += now - since
        since = now
    }

    /** Milliseconds of one stage so far. */
    fun ms(stage: Stage): Double = nanos[stage.ordinal] / 1e6

    /** All stages, and the time since the stopwatch was made. */
    fun latency(): Latency =
        Latency(ms(Stage.DECODE), ms(Stage.RESAMPLE), ms(Stage.FEATURES), ms(Stage.INFERENCE), (System.nanoTime() - started) / 1e6)
}
