package genrekit.core.engine

import genrekit.core.ArtifactException
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Where the stored values of a sparse TFLite tensor stand in the dense one.
 *
 * A tensor is stored level by level in [order]. A dense level lists every coordinate of its
 * dimension; a compressed one (CSR) lists, for each entry of the level above, the coordinates
 * `indices[segments[e] until segments[e + 1]]`. Dimensions beyond the tensor's rank walk inside
 * blocks; [blockMap] says which dimension each of them splits.
 *
 * References: tensorflow/lite/schema/schema.fbs, SparsityParameters;
 * tensorflow/lite/kernels/internal/utils/sparsity_format_converter.cc.
 */
internal class Sparsity private constructor(private val order: List<Int>, private val blockMap: List<Int>, private val levels: List<Level>) {

    private class Level(val denseSize: Int, val segments: IntArray?, val indices: IntArray)

    /** Entries of the levels so far: the number that each has, and its place in the dense tensor. */
    private class Entries(val number: IntArray, val place: IntArray)

    /**
     * Writes a tensor's stored values among zeros.
     *
     * @throws ArtifactException if this is not the description of as many values in its shape.
     */
    fun expand(stored: Tensor): Tensor {
        val shape = stored.shape
        val size = elements(shape).toInt()
        val places = locate(shape, stored.size)
        val dense = ByteBuffer.allocate(stored.element.width * size).order(ByteOrder.LITTLE_ENDIAN)
        for (index in places.indices) stored.copy(index, dense, places[index])
        return Tensor(stored.element, shape, dense)
    }

    private fun locate(shape: List<Int>, count: Int): IntArray {
        val rank = shape.size
        if (order.sorted() != (0 until rank + blockMap.size).toList() || levels.size != order.size) misfit("traversal order")
        if (blockMap.toSet().size != blockMap.size || blockMap.any { it !in 0 until rank }) misfit("block map")
        val block = IntArray(rank) { 1 }
        blockMap.forEachIndexed { number, axis -> block[axis] = levels[order.indexOf(rank + number)].denseSize }
        if (shape.indices.any { block[it] < 1 || shape[it] % block[it] != 0 }) misfit("blocks")
        // Every level has at most as many entries as there are values or segments in the file.
        val limit = maxOf(count, levels.maxOfOrNull { it.segments?.size ?: 0 } ?: 0)
        var entries = Entries(IntArray(1), IntArray(1))
        for ((axis, level) in order.zip(levels)) {
            val whole = if (axis < rank) axis else blockMap[axis - rank]
            val step = elements(shape.drop(whole + 1)).toInt() * if (axis < rank) block[whole] else 1
            entries = descend(level, entries, if (axis < rank) shape[whole] / block[whole] else block[whole], step, limit)
        }
        if (entries.place.size != count || entries.number.indices.any { entries.number[it] != it }) misfit("number of values")
        return entries.place
    }

    /** Expands each entry by one level of [size] coordinates that lie [step] apart. */
    private fun descend(level: Level, above: Entries, size: Int, step: Int, limit: Int): Entries {
        if (level.segments == null) {
            if (level.denseSize != size || above.place.size.toLong() * size > limit) misfit("dense level")
            val count = above.place.size * size
            return Entries(IntArray(count) { above.number[it / size] * size + it % size }, IntArray(count) { above.place[it / size] + it % size * step })
        }
        val segments = level.segments
        val indices = level.indices
        if (segments.size != above.place.size + 1 || segments[0] != 0 || segments.last() != indices.size || indices.size > limit) misfit("segments")
        if ((1 until segments.size).any { segments[it] < segments[it - 1] }) misfit("segments")
        val place = IntArray(indices.size)
        for (entry in above.place.indices) {
            for (at in segments[entry] until segments[entry + 1]) {
                if (indices[at] !in 0 until size) misfit("indices")
                place[at] = above.place[entry] + indices[at] * step
            }
        }
        return Entries(IntArray(indices.size) { it }, place)
    }

    companion object {
        fun read(table: FlatTable): Sparsity =
            Sparsity(table.ints(0, 2 * MAX_DIMENSIONS), table.ints(1, MAX_DIMENSIONS), table.tables(2, 2 * MAX_DIMENSIONS).map(::level))

        private fun level(table: FlatTable): Level =
            if (table.byte(0, 0) == 0) Level(table.int(1, 0), null, IntArray(0)) else Level(0, indexVector(table, 2), indexVector(table, 4))

        private fun indexVector(table: FlatTable, slot: Int): IntArray {
            val vector = table.table(slot + 1)
            return when (table.byte(slot, 0)) { // SparseIndexVector
                1 -> vector?.bytes(0, 4)?.let { bytes -> IntArray(bytes.capacity() / 4) { bytes.getInt(4 * it) } }
                2 -> vector?.bytes(0, 2)?.let { bytes -> IntArray(bytes.capacity() / 2) { bytes.getShort(2 * it).toInt() and 0xffff } }
                3 -> vector?.bytes(0, 1)?.let { bytes -> IntArray(bytes.capacity()) { bytes.get(it).toInt() and 0xff } }
                else -> null
            } ?: throw ArtifactException("sparsity: a compressed level has no segments or indices")
        }

        private fun misfit(what: String): Nothing = throw ArtifactException("sparsity: its $what does not fit the tensor")
    }
}
