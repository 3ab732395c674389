package genrekit.core

/** A JSON number, kept as its text: whether it is an integer is part of its type. */
class JsonNumber internal constructor(val text: String) {
    /** Whether it was written without fraction and exponent. */
    val isInteger: Boolean get() = text.none { it == '.' || it == 'e' || it == 'E' }

    fun toDouble(): Double = text.toDouble()
}

/**
 * Parses JSON strictly: no NaN, no infinity, no duplicate key, no bottomless nesting.
 *
 * @param where Name of the document, for messages.
 * @return `Map<String, Any?>`, `List<Any?>`, `String`, [JsonNumber], `Boolean` or null.
 * @throws ConfigException on anything else.
 */
fun parseJson(text: String, where: String): Any? = JsonParser(text, where).parse()

private const val MAX_DEPTH = 200

private class JsonParser(private val text: String, private val where: String) {
    private var position = 0

    fun parse(): Any? {
        val value = value(0)
        skipSpace()
        if (position < text.length) fail("Extra data")
        return value
    }

    private fun value(depth: Int): Any? {
        if (depth > MAX_DEPTH) fail("nested deeper than $MAX_DEPTH")
        skipSpace()
        if (position >= text.length) fail("Expecting value")
        return when (text[position]) {
            '{' -> members(depth)
            '[' -> items(depth)
            '"' -> string()
            't' -> literal("true", true)
            'f' -> literal("false", false)
            'n' -> literal("null", null)
            else -> number()
        }
    }

    private fun members(depth: Int): Map<String, Any?> {
        val members = LinkedHashMap<String, Any?>()
        var twice = false
        position++
        skipSpace()
        if (accept('}')) return members
        while (true) {
            skipSpace()
            if (position >= text.length || text[position] != '"') fail("Expecting property name")
            val name = string()
            skipSpace()
            if (!accept(':')) fail("Expecting ':' delimiter")
            twice = twice or members.containsKey(name)
            members[name] = value(depth + 1)
            skipSpace()
            if (accept('}')) break
            if (!accept(',')) fail("Expecting ',' delimiter")
        }
        if (twice) throw ConfigException("$where: a key appears twice")
        return members
    }

    private fun items(depth: Int): List<Any?> {
        val items = ArrayList<Any?>()
        position++
        skipSpace()
        if (accept(']')) return items
        while (true) {
            items.add(value(depth + 1))
            skipSpace()
            if (accept(']')) return items
            if (!accept(',')) fail("Expecting ',' delimiter")
        }
    }

    private fun string(): String {
        val content = StringBuilder()
        position++
        while (true) {
            if (position >= text.length) fail("Unterminated string")
            val character = text[position++]
            when {
                character == '"' -> return checked(content.toString())
                character == '\\' -> content.append(escape())
                character < ' ' -> fail("Invalid control character")
                else -> content.append(character)
            }
        }
    }

    private fun escape(): Char {
        if (position >= text.length) fail("Unterminated string")
        return when (val code = text[position++]) {
            '"', '\\', '/' -> code
            'b' -> '\b'
            'f' -> '\u000c'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> unicode()
            else -> fail("Invalid \\escape")
        }
    }

    private fun unicode(): Char {
        val digits = text.substring(position, minOf(position + 4, text.length))
        if (digits.length < 4 || !digits.all { it in '0'..'9' || it in 'a'..'f' || it in 'A'..'F' }) {
            fail("Invalid \\uXXXX escape")
        }
        position += 4
        return digits.toInt(16).toChar()
    }

    /** Refuses half a surrogate pair: it has no UTF-8 form. */
    private fun checked(content: String): String {
        var index = 0
        while (index < content.length) {
            val pair = content[index].isHighSurrogate() && index + 1 < content.length && content[index + 1].isLowSurrogate()
            if (content[index].isSurrogate() && !pair) fail("half a surrogate pair")
            index += if (pair) 2 else 1
        }
        return content
    }

    private fun number(): JsonNumber {
        for (constant in CONSTANTS) {
            if (text.startsWith(constant, position)) throw ConfigException("$where: $constant is not a JSON number")
        }
        val start = position
        accept('-')
        if (!accept('0')) digits("Expecting value")
        if (position < text.length && text[position] == '.') {
            position++
            digits("Expecting digits")
        }
        if (position < text.length && text[position] in "eE") {
            position++
            if (position < text.length && text[position] in "+-") position++
            digits("Expecting digits")
        }
        return JsonNumber(text.substring(start, position))
    }

    private fun digits(otherwise: String) {
        val start = position
        while (position < text.length && text[position] in '0'..'9') position++
        if (position == start) fail(otherwise)
    }

    private fun <T> literal(word: String, value: T): T {
        if (!text.startsWith(word, position)) fail("Expecting value")
        position += word.length
        return value
    }

    private fun accept(character: Char): Boolean {
        val found = position < text.length && text[position] == character
        if (found) position++
        return found
    }

    private fun skipSpace() {
        while (position < text.length && text[position] in " \t\n\r") position++
    }

    private fun fail(reason: String): Nothing = throw ConfigException("$where: not JSON: $reason (char $position)")

    private companion object {
        val CONSTANTS = listOf("NaN", "Infinity", "-Infinity")
    }
}
