package genrekit.core

/**
 * One field of a protobuf message.
 *
 * @property start Where it stands in the file, tag included; [end] is behind it.
 * @property contentStart Where a length-delimited field's bytes begin; -1 for other fields.
 * @property value The number of a field that is not length-delimited: a varint, or fixed bits.
 */
internal class ProtobufField(val number: Int, val start: Int, val contentStart: Int, val end: Int, val value: Long)

/**
 * A bounded walk over the fields of one protobuf message, copying nothing.
 *
 * Reference: Protocol Buffers documentation, "Encoding".
 *
 * @param position Where the message begins in [data].
 * @param end Where it ends.
 */
internal class ProtobufWalk(private val data: ByteArray, private var position: Int, private val end: Int) {

    /**
     * Returns the next field, or null at the end.
     *
     * @throws ArtifactException if it runs past the end or has no known wire type.
     */
    fun next(): ProtobufField? {
        if (!hasNext) return null
        val start = position
        val tag = varint()
        val number = tag ushr 3
        if (number !in 1L until (1L shl 29)) throw ArtifactException("field number ${number.toULong()} is out of range")
        var content = -1
        var value = 0L
        when (val wire = (tag and 7).toInt()) {
            VARINT -> value = varint()
            LENGTH -> {
                val size = varint()
                if (size < 0 || size > end - position) {
                    throw ArtifactException("field $number promises ${size.toULong()} bytes, past the end")
                }
                content = position
                position += size.toInt()
            }
            FIXED64, FIXED32 -> {
                val size = if (wire == FIXED64) 8 else 4
                if (size > end - position) throw ArtifactException("truncated inside field $number")
                for (byte in size - 1 downTo 0) value = value shl 8 or (data[position + byte].toLong() and 0xff)
                position += size
            }
            else -> throw ArtifactException("field $number has unknown wire type $wire")
        }
        return ProtobufField(number.toInt(), start, content, position, value)
    }

    /** Whether there is anything more. */
    val hasNext: Boolean get() = position < end

    /** Reads a number that stands alone, as in a packed list. */
    fun varint(): Long {
        var value = 0L
        for (shift in 0 until 64 step 7) {
            if (position >= end) throw ArtifactException("truncated inside a number")
            val byte = data[position++].toInt()
            value = value or ((byte and 0x7f).toLong() shl shift)
            if (byte >= 0) return value
        }
        throw ArtifactException("a number is longer than 64 bits")
    }

    private companion object {
        const val VARINT = 0
        const val FIXED64 = 1
        const val LENGTH = 2
        const val FIXED32 = 5
    }
}
