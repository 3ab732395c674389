package genrekit.core

import java.io.Closeable
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel

/** A song that is decoded block by block, in constant memory. */
interface AudioSource : Closeable {
    /** Hz. */
    val sampleRate: Int

    /** Length in frames. */
    val frames: Long

    /**
     * Decodes the next mono samples into [into], from its start; full scale is 1.
     *
     * @return How many; fewer than [count] only at the end.
     * @throws AudioException if a float sample is not finite.
     * @throws FileException if the file cannot be read.
     */
    fun read(into: FloatArray, count: Int): Int
}

/**
 * A WAV file: RIFF, RF64 or BW64 with PCM, float or mu-law samples.
 *
 * References: IBM and Microsoft, "Multimedia Programming Interface and Data Specifications
 * 1.0" (1991); EBU Tech 3306, "RF64" (2009).
 *
 * @param channel A regular file; it is closed with the reader.
 * @param name For messages.
 * @throws AudioException if the header is broken, its numbers are out of bounds, or the
 *   samples are compressed.
 * @throws FileException if it cannot be read.
 */
class WavReader(private val channel: FileChannel, private val name: String) : AudioSource {
    private val layout = try {
        WavHeader(channel).read()
    } catch (error: AudioException) {
        throw AudioException("$name: ${error.message}")
    } catch (error: IOException) {
        throw FileException("$name: cannot be read: ${error.message}", error)
    }
    private val bytes = ByteBuffer.allocate(maxOf(1, BLOCK_BYTES / layout.frameBytes) * layout.frameBytes).order(ByteOrder.LITTLE_ENDIAN)
    private var position = 0L

    override val sampleRate: Int get() = layout.sampleRate.toInt()
    override val frames: Long get() = layout.frames

    override fun read(into: FloatArray, count: Int): Int {
        var done = 0
        while (done < count && position < layout.frames) {
            val wanted = minOf((count - done).toLong(), layout.frames - position, (bytes.capacity() / layout.frameBytes).toLong()).toInt()
            val found = fill(wanted)
            try {
                decode(into, done, found)
            } catch (error: AudioException) {
                throw AudioException("$name: ${error.message}")
            }
            done += found
            position += found
            if (found < wanted) break // the file was cut while it was being read
        }
        return done
    }

    override fun close() = channel.close()

    private fun fill(wanted: Int): Int {
        // Called as Buffer's: ByteBuffer's own overrides are not on every Android.
        val buffer: Buffer = bytes
        buffer.clear()
        buffer.limit(wanted * layout.frameBytes)
        try {
            val start = layout.dataOffset + position * layout.frameBytes
            while (buffer.hasRemaining()) {
                if (channel.read(bytes, start + buffer.position()) < 0) break
            }
        } catch (error: IOException) {
            throw FileException("$name: cannot be read: ${error.message}", error)
        }
        return buffer.position() / layout.frameBytes
    }

    private fun decode(into: FloatArray, first: Int, count: Int) {
        val encoding = layout.encoding
        var at = 0
        for (frame in 0 until count) {
            var sum = 0f
            for (each in 0 until layout.channels) {
                val sample = encoding.decode(bytes, at)
                if (encoding.isFloat) checkMagnitude(sample, position + frame)
                sum += sample
                at += encoding.width
            }
            into[first + frame] = if (layout.channels == 1) sum else sum / layout.channels
        }
    }

    companion object {
        private const val BLOCK_BYTES = 1 shl 18

        /** Opens a file; see the constructor for what it throws. */
        fun open(file: File): WavReader {
            if (!file.isFile) throw FileException("$file: not a regular file")
            val channel = try {
                FileInputStream(file).channel
            } catch (error: IOException) {
                throw FileException("$file: cannot be read: ${error.message}", error)
            }
            try {
                return WavReader(channel, file.path)
            } catch (error: GenreKitException) {
                channel.close()
                throw error
            }
        }
    }
}
