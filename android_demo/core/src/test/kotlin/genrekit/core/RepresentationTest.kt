package genrekit.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** What Python's repr gives. */
class RepresentationTest {
    @Test
    fun `floats are written as Python writes them`() {
        val expected = mapOf(
            0.0 to "0.0", -0.0 to "-0.0", 1.0 to "1.0", 0.1 to "0.1", 11025.5 to "11025.5", 1e-4 to "0.0001", 1e-5 to "1e-05",
            1.5e-10 to "1.5e-10", 1e15 to "1000000000000000.0", 1e16 to "1e+16", -2.5e300 to "-2.5e+300",
        )
        for ((value, text) in expected) assertEquals(text, represent(value))
    }

    @Test
    fun `strings are quoted as Python quotes them`() {
        val expected = mapOf("a" to "'a'", "it's" to "\"it's\"", "'\"" to "'\\'\"'", "a\nb\\" to "'a\\nb\\\\'", "\u0001" to "'\\x01'")
        for ((value, text) in expected) assertEquals(text, represent(value))
    }

    @Test
    fun `tuples of one have a comma`() {
        assertEquals("(57,)", representTuple(listOf(57)))
        assertEquals("(1, 64)", representTuple(listOf(1, 64)))
    }
}
