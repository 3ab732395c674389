package genrekit.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel

/**
 * Finds the samples of a WAV file. Its numbers are not trusted: what a header promises is cut
 * to what the file holds.
 */
internal class WavHeader(private val channel: FileChannel) {
    private val fileSize = channel.size()

    /** @throws AudioException if it is no WAV, broken, out of bounds, or compressed. */
    fun read(): PcmLayout {
        val head = bytes(0, 12)
        if (head.capacity() == 0) throw AudioException("an empty file")
        if (head.capacity() < 12 || name(head, 0) !in setOf("RIFF", "RF64", "BW64") || name(head, 8) != "WAVE") {
            throw AudioException("not a WAV file: convert it, e.g. with 'ffmpeg -i FILE song.wav'")
        }
        val riffSize = unsigned(head, 4)
        var position = 12L
        var format: ByteBuffer? = null
        var size64: Long? = null
        repeat(MAX_CHUNKS) {
            val chunk = bytes(position, 8)
            if (chunk.capacity() < 8) throw AudioException("no data chunk in $fileSize bytes; the file is cut off")
            val size = unsigned(chunk, 4)
            position += 8
            when (name(chunk, 0)) {
                "data" -> {
                    val body = format ?: throw AudioException("no fmt chunk before the data chunk")
                    return layout(body, position, dataBytes(size, size64, riffSize, fileSize - position))
                }
                "fmt " -> format = bytes(position, minOf(size, 40).toInt())
                "ds64" -> size64 = bytes(position, minOf(size, 16).toInt()).let { if (it.capacity() == 16) it.getLong(8) else null }
            }
            position += size + size % 2
        }
        throw AudioException("no data chunk among the first $MAX_CHUNKS chunks")
    }

    private fun dataBytes(size: Long, size64: Long?, riffSize: Long, available: Long): Long =
        when {
            // ds64's size is unsigned; one of 2^63 or more is more than any file has.
            size == UNKNOWN_SIZE -> minOf(size64?.let { if (it < 0) Long.MAX_VALUE else it } ?: available, available)
            // A stream: an empty file's sizes agree, a stream's were never filled in.
            size == 0L && riffSize + 8 != fileSize -> available
            else -> minOf(size, available)
        }

    private fun layout(body: ByteBuffer, dataOffset: Long, dataBytes: Long): PcmLayout {
        if (body.capacity() < 16) throw AudioException("fmt chunk of ${body.capacity()} bytes: must be at least 16")
        var tag = short(body, 0)
        val channels = short(body, 2)
        val sampleRate = unsigned(body, 4)
        val blockAlign = short(body, 12)
        val bits = short(body, 14)
        if (tag == FORMAT_EXTENSIBLE) {
            if (body.capacity() < 40) throw AudioException("extensible fmt chunk of ${body.capacity()} bytes: must be 40")
            if (!GUID_TAIL.indices.all { body.get(26 + it) == GUID_TAIL[it].toByte() }) refuse(tag)
            tag = short(body, 24)
        }
        val encoding = encoding(tag, bits, containerBits(bits, blockAlign, channels))
        if (blockAlign != channels * encoding.width) {
            throw AudioException(
                "block align $blockAlign: must be channels x bytes per sample = $channels x ${encoding.width}",
            )
        }
        // A block align of 0 needs 0 channels, which PcmLayout refuses.
        return PcmLayout(sampleRate, channels, encoding, dataOffset, dataBytes / maxOf(1, blockAlign))
    }

    /** The width in which PCM samples are stored: 12 bits stand at the top of 16 or more. */
    private fun containerBits(bits: Int, blockAlign: Int, channels: Int): Int {
        val least = (bits + 7) / 8
        val given = if (channels > 0 && blockAlign % channels == 0) blockAlign / channels else least
        return 8 * (if (given in least..WIDEST) given else least)
    }

    private fun encoding(tag: Int, bits: Int, container: Int): Encoding {
        val offered = when (tag) {
            FORMAT_PCM -> "1..32"
            FORMAT_FLOAT -> "32 or 64"
            FORMAT_MULAW -> "8"
            else -> refuse(tag)
        }
        return when {
            tag == FORMAT_PCM && container == 8 -> Encoding.UNSIGNED_8
            tag == FORMAT_PCM && container == 16 -> Encoding.SIGNED_16
            tag == FORMAT_PCM && container == 24 -> Encoding.SIGNED_24
            tag == FORMAT_PCM && container == 32 -> Encoding.SIGNED_32
            tag == FORMAT_FLOAT && bits == 32 -> Encoding.FLOAT_32
            tag == FORMAT_FLOAT && bits == 64 -> Encoding.FLOAT_64
            tag == FORMAT_MULAW && bits == 8 -> Encoding.MULAW
            else -> throw AudioException("$bits bits per sample: must be $offered")
        }
    }

    private fun refuse(tag: Int): Nothing =
        throw AudioException("compressed WAV (format $tag): convert it, e.g. with 'ffmpeg -i FILE song.wav'")

    /** Reads up to [count] bytes at [position]: fewer at the end of the file. */
    private fun bytes(position: Long, count: Int): ByteBuffer {
        val there = maxOf(0L, minOf(count.toLong(), fileSize - position)).toInt()
        val buffer = ByteBuffer.allocate(there).order(ByteOrder.LITTLE_ENDIAN)
        var read = 0
        while (read < there) {
            val more = channel.read(buffer, position + read)
            if (more < 0) throw AudioException("no data chunk in $fileSize bytes; the file is cut off")
            read += more
        }
        return buffer
    }

    private fun name(buffer: ByteBuffer, at: Int): String = String(buffer.array(), at, 4, Charsets.ISO_8859_1)

    private fun short(buffer: ByteBuffer, at: Int): Int = buffer.getShort(at).toInt() and 0xffff

    private fun unsigned(buffer: ByteBuffer, at: Int): Long = buffer.getInt(at).toLong() and 0xffff_ffffL

    private companion object {
        const val MAX_CHUNKS = 1_000 // passed over before `data`
        const val UNKNOWN_SIZE = 0xffff_ffffL
        const val WIDEST = 4 // bytes of a PCM sample
        const val FORMAT_PCM = 1
        const val FORMAT_FLOAT = 3
        const val FORMAT_MULAW = 7
        const val FORMAT_EXTENSIBLE = 0xfffe

        // An extensible format's 16-byte identifier is the format tag and this tail.
        val GUID_TAIL = intArrayOf(0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71)
    }
}
