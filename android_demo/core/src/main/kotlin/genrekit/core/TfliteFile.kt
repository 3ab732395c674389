package genrekit.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.DataFormatException
import java.util.zip.Inflater

/**
 * The card inside a .tflite file: an associated file in a ZIP appended to the flatbuffer.
 *
 * `java.util.zip.ZipFile` wants a file on disk, and a model may come from an app's assets: the
 * central directory of an archive in memory is read here.
 *
 * Reference: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification".
 */
internal object TfliteFile {
    private const val CARD_NAME = "genrekit.json"
    private const val END_RECORD = 0x06054b50
    private const val END_RECORD_BYTES = 22 // of a ZIP without a comment
    private const val CENTRAL_HEADER = 0x02014b50
    private const val CENTRAL_HEADER_BYTES = 46
    private const val LOCAL_HEADER = 0x04034b50
    private const val LOCAL_HEADER_BYTES = 30
    private const val MAX_DIRECTORY_BYTES = 1 shl 16 // hundreds of members
    private const val STORED = 0
    private const val DEFLATED = 8

    private class Member(val method: Int, val crc: Long, val packed: Long, val size: Long, val offset: Long)

    /** @throws ArtifactException if it is not a TFLite model, or its archive is corrupt or oversized. */
    fun split(data: ByteArray): SplitFile {
        if (!isTflite(data)) throw ArtifactException("not a TFLite model")
        val bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN)
        val end = data.size - END_RECORD_BYTES
        if (end < 0 || bytes.getInt(end) != END_RECORD) return SplitFile(data, null)
        val members = centralDirectory(bytes, end)
        val start = members.minOfOrNull { it.second.offset } ?: 0
        if (start < 8) corrupt("no room for a model before it")
        val cards = members.filter { it.first == CARD_NAME }
        if (cards.size > 1) throw ArtifactException("two members named $CARD_NAME")
        return SplitFile(data.copyOf(start.toInt()), cards.firstOrNull()?.let { content(data, bytes, it.second) })
    }

    /** Tells a TFLite flatbuffer by its identifier. */
    fun isTflite(data: ByteArray): Boolean = data.size >= 8 && String(data, 4, 4, Charsets.ISO_8859_1) == "TFL3"

    private fun centralDirectory(bytes: ByteBuffer, end: Int): List<Pair<String, Member>> {
        val size = unsigned(bytes.getInt(end + 12))
        if (size > MAX_DIRECTORY_BYTES) corrupt("a directory of $size bytes, over $MAX_DIRECTORY_BYTES")
        val shift = end - size - unsigned(bytes.getInt(end + 16)) // bytes put before the archive after it was made
        var at = end - size
        if (at < 0 || shift < 0) corrupt("Bad offset for central directory")
        val members = ArrayList<Pair<String, Member>>()
        while (at < end) {
            if (at + CENTRAL_HEADER_BYTES > end || bytes.getInt(at.toInt()) != CENTRAL_HEADER) corrupt("bad central directory")
            val header = at.toInt()
            val nameBytes = bytes.getShort(header + 28).toInt() and 0xffff
            val rest = (bytes.getShort(header + 30).toInt() and 0xffff) + (bytes.getShort(header + 32).toInt() and 0xffff)
            at += CENTRAL_HEADER_BYTES + nameBytes
            if (at > end) corrupt("bad central directory")
            val name = String(bytes.array(), header + CENTRAL_HEADER_BYTES, nameBytes, Charsets.UTF_8)
            members.add(
                name to Member(
                    method = bytes.getShort(header + 10).toInt(),
                    crc = unsigned(bytes.getInt(header + 16)),
                    packed = unsigned(bytes.getInt(header + 20)),
                    size = unsigned(bytes.getInt(header + 24)),
                    offset = unsigned(bytes.getInt(header + 42)) + shift,
                ),
            )
            at += rest
        }
        return members
    }

    private fun content(data: ByteArray, bytes: ByteBuffer, member: Member): ByteArray {
        if (member.size > MAX_CARD_BYTES) throw ArtifactException("$CARD_NAME: ${member.size} bytes, over $MAX_CARD_BYTES")
        val header = member.offset
        if (header + LOCAL_HEADER_BYTES > data.size || bytes.getInt(header.toInt()) != LOCAL_HEADER) corrupt("bad local header")
        val names = (bytes.getShort(header.toInt() + 26).toInt() and 0xffff) + (bytes.getShort(header.toInt() + 28).toInt() and 0xffff)
        val start = header + LOCAL_HEADER_BYTES + names
        if (start + member.packed > data.size) corrupt("a member runs past the end")
        val content = when (member.method) {
            STORED -> data.copyOfRange(start.toInt(), (start + member.packed).toInt())
            DEFLATED -> inflate(data, start.toInt(), member.packed.toInt(), member.size.toInt())
            else -> throw ArtifactException("$CARD_NAME: compression method ${member.method} is refused")
        }
        if (content.size.toLong() != member.size || CRC32().apply { update(content) }.value != member.crc) {
            corrupt("Bad CRC-32 for file '$CARD_NAME'")
        }
        return content
    }

    private fun inflate(data: ByteArray, start: Int, packed: Int, size: Int): ByteArray {
        val inflater = Inflater(true)
        try {
            inflater.setInput(data, start, packed)
            val content = ByteArray(size)
            var filled = 0
            while (filled < size) {
                val count = inflater.inflate(content, filled, size - filled)
                if (count == 0) corrupt("a member is cut off")
                filled += count
            }
            return content
        } catch (error: DataFormatException) {
            corrupt(error.message ?: "bad deflate data")
        } finally {
            inflater.end()
        }
    }

    private fun unsigned(value: Int): Long = value.toLong() and 0xffff_ffffL

    private fun corrupt(reason: String): Nothing = throw ArtifactException("its archive is corrupt: $reason")
}
