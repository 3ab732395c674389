package genrekit.core.engine

import genrekit.core.ArtifactException

/** Sizes of one window's image. */
internal class Sizes(val channels: Int, val rows: Int, val columns: Int)

/** How a kernel moves along one axis. */
internal class SlidingAxis(val kernel: Int, val stride: Int, val dilation: Int, val before: Int, val after: Int) {
    /** Positions along an input of this size. */
    fun output(size: Int): Int = Math.floorDiv(size + before + after - dilation * (kernel - 1) - 1, stride) + 1
}

/** How the kernel of a convolution or pool moves over its input. */
internal class Sliding(val rows: SlidingAxis, val columns: SlidingAxis) {
    fun output(sizes: Sizes) = Sizes(sizes.channels, rows.output(sizes.rows), columns.output(sizes.columns))

    companion object {
        private const val LARGEST = 1 shl 12 // kernel, stride or dilation: their products fit

        /** @throws ArtifactException if the node's attributes do not fit [kernel], or ask for automatic padding or a rounded-up size. */
        fun read(node: OnnxNode, kernel: List<Int>): Sliding {
            val strides = node.integers("strides", listOf(1, 1))
            val dilations = node.integers("dilations", listOf(1, 1))
            val pads = node.integers("pads", listOf(0, 0, 0, 0))
            if (node.attributes["auto_pad"] !in setOf(null, "NOTSET", "VALID")) {
                throw ArtifactException("$node: automatic padding is refused; export explicit pads")
            }
            if (node.integer("ceil_mode", 0) != 0) throw ArtifactException("$node: ceil_mode is refused")
            if (kernel.size != 2 || strides.size != 2 || dilations.size != 2 || pads.size != 4) {
                throw ArtifactException("$node: kernel, strides, dilations or pads are not those of two axes")
            }
            if ((kernel + strides + dilations).any { it !in 1..LARGEST }) {
                throw ArtifactException("$node: a kernel, stride or dilation is not in 1..$LARGEST")
            }
            if ((0..3).any { pads[it] !in 0 until maxOf(2, dilations[it % 2] * (kernel[it % 2] - 1) + 1) }) {
                throw ArtifactException("$node: a pad must be shorter than the kernel")
            }
            val (rows, columns) = List(2) { SlidingAxis(kernel[it], strides[it], dilations[it], pads[it], pads[it + 2]) }
            return Sliding(rows, columns)
        }
    }
}
