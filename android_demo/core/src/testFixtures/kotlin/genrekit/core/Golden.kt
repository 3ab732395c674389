package genrekit.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.fail

/** The vectors of tests/golden, which Python wrote. */
object Golden {
    val folder = File(System.getProperty("genrekit.golden") ?: "../../tests/golden")

    private val index = parseJson(File(folder, "vectors.json").readText(), "vectors") as Map<*, *>
    private val data = ByteBuffer.wrap(File(folder, "vectors.bin").readBytes()).order(ByteOrder.LITTLE_ENDIAN)

    class Vector(val shape: List<Int>, val values: FloatArray, val atol: Double, val rtol: Double)

    fun vector(name: String): Vector {
        val entry = index[name] as? Map<*, *> ?: error("no vector $name")
        val shape = (entry["shape"] as List<*>).map { (it as JsonNumber).text.toInt() }
        val offset = (entry["offset"] as JsonNumber).text.toInt()
        val values = FloatArray(shape.fold(1) { a, b -> a * b }) { data.getFloat(offset + 4 * it) }
        return Vector(shape, values, number(entry, "atol"), number(entry, "rtol"))
    }

    /** Fails unless |actual - expected| <= atol + rtol |expected|; prints the largest difference. */
    fun check(name: String, actual: FloatArray) {
        val expected = vector(name)
        assertEquals(expected.values.size, actual.size, "$name: values")
        var largest = 0.0
        for (i in actual.indices) {
            val difference = abs(actual[i].toDouble() - expected.values[i])
            if (!(difference <= expected.atol + expected.rtol * abs(expected.values[i]))) {
                fail<Unit>("$name[$i] is ${actual[i]}, Python's is ${expected.values[i]}, tolerance ${expected.atol} + ${expected.rtol} relative")
            }
            largest = maxOf(largest, difference)
        }
        println("golden %-22s %6d values, largest difference %.1e, tolerance %.1e".format(name, actual.size, largest, expected.atol))
    }

    fun song(): FloatArray {
        val reader = WavReader.open(File(folder, "song.wav"))
        return reader.use { FloatArray(reader.frames.toInt()).also { into -> assertEquals(into.size, reader.read(into, into.size)) } }
    }

    fun artifact(name: String): Artifact = Artifact.read(File(folder, name))

    private fun number(entry: Map<*, *>, name: String) = (entry[name] as JsonNumber).toDouble()
}

/** Resamples a whole clip. */
fun resampled(samples: FloatArray, rateIn: Int, rateOut: Int, block: Int = samples.size): FloatArray {
    val output = ArrayList<Float>()
    val resampler = Resampler(rateIn, rateOut) { values, count -> for (i in 0 until count) output.add(values[i]) }
    for (start in samples.indices step block) {
        val part = samples.copyOfRange(start, minOf(start + block, samples.size))
        resampler.push(part, part.size)
    }
    resampler.flush()
    return output.toFloatArray()
}
