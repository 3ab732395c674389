package genrekit.core.engine

import genrekit.core.ArtifactException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException

/**
 * One table of a flatbuffer, read in place, every offset checked.
 *
 * Offsets may point anywhere, also many at one place: every list is bounded.
 *
 * Reference: FlatBuffers documentation, "FlatBuffer internals".
 *
 * @param position Where the table starts.
 */
internal class FlatTable private constructor(private val data: ByteBuffer, private val position: Long) {
    private val vtable = position - int(position)
    private val slots = (unsignedShort(vtable) - 4) / 2

    /** A field of one byte; of two; of four; of eight. */
    fun byte(slot: Int, default: Int): Int = field(slot)?.let { data.get(checked(it, 1)).toInt() } ?: default

    fun int(slot: Int, default: Int): Int = field(slot)?.let { int(it) } ?: default

    fun long(slot: Int, default: Long): Long = field(slot)?.let { data.getLong(checked(it, 8)) } ?: default

    fun float(slot: Int, default: Float): Float = field(slot)?.let { java.lang.Float.intBitsToFloat(int(it)) } ?: default

    /** A table field; null where it is absent. */
    fun table(slot: Int): FlatTable? = field(slot)?.let { FlatTable(data, it + unsigned(it)) }

    /** A list of tables; empty where it is absent. */
    fun tables(slot: Int, limit: Int): List<FlatTable> {
        val (start, count) = vector(slot, 4)
        if (count > limit) throw ArtifactException("a list of $count, over $limit")
        return List(count.toInt()) { index -> (start + 4L * index).let { FlatTable(data, it + unsigned(it)) } }
    }

    /** The bytes of a list of numbers, viewed; null where it is absent or empty. */
    fun bytes(slot: Int, width: Int): ByteBuffer? {
        val (start, count) = vector(slot, width)
        if (count == 0L) return null
        return ByteBuffer.wrap(data.array(), start.toInt(), (count * width).toInt()).slice().order(ByteOrder.LITTLE_ENDIAN)
    }

    /** A short list of 32-bit numbers. */
    fun ints(slot: Int, limit: Int): List<Int> {
        val bytes = bytes(slot, 4) ?: return emptyList()
        if (bytes.capacity() / 4 > limit) throw ArtifactException("a list of ${bytes.capacity() / 4}, over $limit")
        return List(bytes.capacity() / 4) { bytes.getInt(4 * it) }
    }

    fun text(slot: Int): String {
        val bytes = bytes(slot, 1) ?: return ""
        if (bytes.capacity() > MAX_NAME_BYTES) throw ArtifactException("a name of ${bytes.capacity()} bytes, over $MAX_NAME_BYTES")
        try {
            return Charsets.UTF_8.newDecoder().decode(bytes).toString()
        } catch (_: CharacterCodingException) {
            throw ArtifactException("a name is not UTF-8")
        }
    }

    private fun field(slot: Int): Long? = if (slot >= slots) null else unsignedShort(vtable + 4 + 2 * slot).let { if (it == 0) null else position + it }

    /** Where a list begins, and how many items it has. */
    private fun vector(slot: Int, width: Int): Pair<Long, Long> {
        val at = (field(slot) ?: return 0L to 0L).let { it + unsigned(it) }
        val count = unsigned(at)
        if (count * width > data.capacity() - at - 4) throw ArtifactException("a list of $count runs past the end")
        return at + 4 to count
    }

    private fun int(at: Long): Int = data.getInt(checked(at, 4))

    private fun unsigned(at: Long): Long = int(at).toLong() and 0xffff_ffffL

    private fun unsignedShort(at: Long): Int = data.getShort(checked(at, 2)).toInt() and 0xffff

    private fun checked(at: Long, width: Int): Int {
        if (at < 0 || at > data.capacity() - width) throw ArtifactException("an offset points outside the file")
        return at.toInt()
    }

    companion object {
        private const val MAX_NAME_BYTES = 1_024

        /** The root table of a file. */
        fun root(data: ByteArray): FlatTable {
            val bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN)
            if (data.size < 8) throw ArtifactException("an offset points outside the file")
            return FlatTable(bytes, bytes.getInt(0).toLong() and 0xffff_ffffL)
        }
    }
}
