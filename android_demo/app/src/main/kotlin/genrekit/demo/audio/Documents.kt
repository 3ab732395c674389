package genrekit.demo.audio

import android.content.ContentResolver
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import genrekit.core.FileException
import genrekit.core.WavReader
import java.io.File
import java.io.FileInputStream
import java.io.IOException

/** Songs that the user picked with the system's file dialog. */
class Documents(private val resolver: ContentResolver, private val cache: File) {

    /** The document's name, for people. */
    fun name(uri: Uri): String {
        resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use { row ->
            if (row.moveToFirst()) return row.getString(0) ?: uri.toString()
        }
        return uri.lastPathSegment ?: uri.toString()
    }

    /**
     * Opens a song. A document that is no plain file (from the cloud) is copied first.
     *
     * @throws genrekit.core.GenreKitException if it cannot be read or is no WAV.
     */
    fun open(uri: Uri, name: String): WavReader {
        try {
            val descriptor = resolver.openFileDescriptor(uri, "r") ?: throw FileException("$name: cannot be opened")
            if (descriptor.statSize >= 0) {
                val stream = ParcelFileDescriptor.AutoCloseInputStream(descriptor)
                return closingOnFailure(stream) { WavReader(stream.channel, name) }
            }
            descriptor.close()
            return copied(uri, name)
        } catch (error: IOException) {
            throw FileException("$name: cannot be read: ${error.message}", error)
        } catch (error: SecurityException) {
            throw FileException("$name: may not be read any more; open it again", error)
        }
    }

    private fun copied(uri: Uri, name: String): WavReader {
        val copy = File(cache, "song.wav")
        val source = resolver.openInputStream(uri) ?: throw FileException("$name: cannot be opened")
        source.use { input ->
            copy.outputStream().use { output ->
                val block = ByteArray(1 shl 16)
                var total = 0L
                while (true) {
                    val count = input.read(block)
                    if (count < 0) break
                    total += count
                    if (total > MAX_COPY_BYTES) throw FileException("$name: over $MAX_COPY_BYTES bytes: save it on this device first")
                    output.write(block, 0, count)
                }
            }
        }
        val stream = FileInputStream(copy)
        return closingOnFailure(stream) { WavReader(stream.channel, name) }
    }

    private inline fun closingOnFailure(stream: FileInputStream, open: () -> WavReader): WavReader {
        var opened = false
        try {
            return open().also { opened = true }
        } finally {
            if (!opened) stream.close()
        }
    }

    private companion object {
        const val MAX_COPY_BYTES = 256L shl 20
    }
}
