package genrekit.core

import java.math.BigDecimal

/*
 * Values as Python's `repr` writes them, so that an error reads the same on the phone and on
 * the PC. (`Double.toString` would write 1.0E-5 for 1e-05.)
 */

/** A float as Python writes it: the shortest digits, an exponent below 1e-4 and from 1e16. */
internal fun represent(value: Double): String {
    if (value.isNaN()) return "nan"
    if (value.isInfinite()) return if (value > 0) "inf" else "-inf"
    if (value == 0.0) return if (1.0 / value < 0) "-0.0" else "0.0"
    val decimal = BigDecimal(value.toString()).stripTrailingZeros()
    val digits = decimal.unscaledValue().abs().toString()
    val exponent = digits.length - 1 - decimal.scale()
    if (exponent in -4..15) {
        val plain = decimal.toPlainString()
        return if ('.' in plain) plain else "$plain.0"
    }
    val sign = if (value < 0) "-" else ""
    val fraction = if (digits.length > 1) "." + digits.substring(1) else ""
    val power = Math.abs(exponent).toString().padStart(2, '0')
    return "$sign${digits[0]}${fraction}e${if (exponent < 0) "-" else "+"}$power"
}

/** A string in Python's quotes. */
internal fun represent(text: String): String {
    val quote = if ('\'' in text && '"' !in text) '"' else '\''
    val body = StringBuilder()
    for (character in text) {
        when (character) {
            '\\' -> body.append("\\\\")
            '\n' -> body.append("\\n")
            '\r' -> body.append("\\r")
            '\t' -> body.append("\\t")
            quote -> body.append('\\').append(quote)
            else -> if (character < ' ') body.append("\\x%02x".format(character.code)) else body.append(character)
        }
    }
    return "$quote$body$quote"
}

/** A parsed JSON value. */
internal fun representJson(value: Any?): String =
    when (value) {
        null -> "None"
        is Boolean -> if (value) "True" else "False"
        is String -> represent(value)
        is JsonNumber -> if (value.isInteger) value.text else represent(value.toDouble())
        is List<*> -> value.joinToString(", ", "[", "]") { representJson(it) }
        is Map<*, *> -> value.entries.joinToString(", ", "{", "}") { "${representJson(it.key)}: ${representJson(it.value)}" }
        else -> value.toString()
    }

/** A tuple of integers: (57,), (1, 64, 130). */
internal fun representTuple(values: List<Int>): String =
    if (values.size == 1) "(${values[0]},)" else values.joinToString(", ", "(", ")")
