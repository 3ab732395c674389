package genrekit.core

/**
 * The members of one JSON object whose keys are exactly those expected, each read by its type.
 *
 * An integer stands for a float, a boolean for nothing but itself. Messages are those of
 * `genrekit.strict_json`.
 */
internal class Members private constructor(private val members: Map<*, *>, val where: String) {

    fun int(name: String): Int = toInt(members[name], "$where.$name")

    fun double(name: String): Double = toDouble(members[name], "$where.$name")

    fun doubleOrNull(name: String): Double? = if (members[name] == null) null else double(name)

    fun string(name: String): String = toText(members[name], "$where.$name")

    fun bool(name: String): Boolean {
        val value = members[name]
        return value as? Boolean ?: throw ConfigException("$where.$name: expected bool, got ${typeName(value)}")
    }

    fun choice(name: String, vararg choices: String): String {
        val value = members[name]
        if (value !in choices) {
            val offered = choices.joinToString(", ", "[", "]") { represent(it) }
            throw ConfigException("$where.$name: ${representJson(value).take(80)} is not one of $offered")
        }
        return value as String
    }

    fun child(name: String, vararg keys: String): Members = of(members[name], "$where.$name", *keys)

    fun <T> list(name: String, item: (Any?, String) -> T): List<T> {
        val values = members[name] as? List<*> ?: throw ConfigException("$where.$name: expected a list")
        return values.mapIndexed { index, value -> item(value, "$where.$name[$index]") }
    }

    fun ints(name: String): List<Int> = list(name, ::toInt)

    fun doubles(name: String): List<Double> = list(name, ::toDouble)

    fun strings(name: String): List<String> = list(name, ::toText)

    /** Runs a constructor and puts the place before what it refuses. */
    inline fun <T> build(constructor: () -> T): T =
        try {
            constructor()
        } catch (error: ConfigException) {
            throw ConfigException("$where: ${error.message}")
        }

    companion object {
        /** @throws ConfigException if [value] is no object, or has other keys than [keys]. */
        fun of(value: Any?, where: String, vararg keys: String): Members {
            val members = value as? Map<*, *> ?: throw ConfigException("$where: expected an object")
            val found = members.keys.map { it as String }.toSet()
            val odd = ((keys.toSet() - found) + (found - keys.toSet())).sorted()
            if (odd.isNotEmpty()) {
                val names = odd.take(8).joinToString(", ") { represent(it).take(80) }
                throw ConfigException("$where: unknown or missing keys: $names")
            }
            return Members(members, where)
        }

        private fun toInt(value: Any?, where: String): Int {
            if (value !is JsonNumber || !value.isInteger) throw ConfigException("$where: expected int, got ${typeName(value)}")
            return value.text.toIntOrNull() ?: throw ConfigException("$where: ${value.text.take(80)} is out of range")
        }

        private fun toDouble(value: Any?, where: String): Double {
            if (value !is JsonNumber) throw ConfigException("$where: expected float, got ${typeName(value)}")
            val number = value.toDouble()
            if (value.isInteger && Math.abs(number) > EXACT_INTEGERS) throw ConfigException("$where: expected float, got int")
            if (number.isInfinite()) throw ConfigException("$where: not a finite number")
            return number
        }

        private fun toText(value: Any?, where: String): String =
            value as? String ?: throw ConfigException("$where: expected str, got ${typeName(value)}")

        /** Python's name of a JSON value's type. */
        private fun typeName(value: Any?): String =
            when (value) {
                null -> "NoneType"
                is Boolean -> "bool"
                is String -> "str"
                is JsonNumber -> if (value.isInteger) "int" else "float"
                is List<*> -> "list"
                else -> "dict"
            }

        private const val EXACT_INTEGERS = 9.007199254740992e15 // 2 ** 53
    }
}
