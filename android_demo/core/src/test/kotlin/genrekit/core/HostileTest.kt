package genrekit.core

import java.io.File
import java.util.Base64
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** Hostile cards, models and songs are refused by the errors that Python raises. */
class HostileTest {
    @TempDir
    lateinit var temporary: File

    @TestFactory
    fun `is refused in the same words`(): List<DynamicTest> {
        val cases = parseJson(File(Golden.folder, "hostile.json").readText(), "hostile") as List<*>
        assertTrue(cases.size > 70, "cases: ${cases.size}")
        return cases.map { case ->
            case as Map<*, *>
            DynamicTest.dynamicTest("${case["kind"]}: ${case["name"]}") { check(case) }
        }
    }

    private fun check(case: Map<*, *>) {
        val file = File(temporary, "file")
        file.writeBytes(data(case))
        val error = assertThrows<GenreKitException> {
            when (case["kind"]) {
                "card" -> readCard(file.readBytes())
                "model" -> Artifact.read(file)
                else -> WavReader.open(file).use { while (it.read(FloatArray(4_096), 4_096) > 0) continue }
            }
        }
        assertEquals((case["error"] as String).replace("Error", "Exception"), error.javaClass.simpleName, error.message)
        val message = error.message!!.removePrefix("$file: ")
        assertEquals(case["message"], message.take((case["message"] as String).length), "whole: $message")
    }

    private fun data(case: Map<*, *>): ByteArray {
        case["base64"]?.let { return Base64.getDecoder().decode(it as String) }
        val byte = (case["byte"] as JsonNumber).text.toInt().toByte()
        return ByteArray((case["count"] as JsonNumber).text.toInt()) { byte }
    }
}
