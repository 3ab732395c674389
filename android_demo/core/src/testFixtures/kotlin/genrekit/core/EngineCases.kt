package genrekit.core

import java.io.File
import kotlin.math.abs
import org.junit.jupiter.api.Assertions.assertTrue

/** Networks of every kind, and what ONNX Runtime or LiteRT computed with them, as `engine_cases.py` wrote it. */
class EngineCase private constructor(val name: String, private val members: Map<*, *>) {
    val artifact: Artifact = Artifact.read(File(members["model"] as String))

    /** Fails unless [engine] gives the same logits for every window, within the case's tolerance. */
    fun check(engine: Engine) {
        val tolerance = (members["tolerance"] as JsonNumber).toDouble()
        var largest = 0.0
        for ((input, expected) in rows("inputs").zip(rows("logits"))) {
            val logits = engine.run(arrayOf(input))
            for (i in expected.indices) largest = maxOf(largest, abs(logits[i] - expected[i]).toDouble())
        }
        println("engine case %-12s with %s: largest difference %.1e, tolerance %.1e".format(name, engine.name, largest, tolerance))
        assertTrue(largest <= tolerance, "$name: $largest over $tolerance")
    }

    override fun toString(): String = name

    private fun rows(name: String): List<FloatArray> =
        (members[name] as List<*>).map { row -> (row as List<*>).map { (it as JsonNumber).toDouble().toFloat() }.toFloatArray() }

    companion object {
        val all: List<EngineCase> by lazy {
            val document = parseJson(File(System.getProperty("genrekit.build"), "engine_cases/cases.json").readText(), "cases") as Map<*, *>
            document.map { (name, members) -> EngineCase(name as String, members as Map<*, *>) }
        }
    }
}
