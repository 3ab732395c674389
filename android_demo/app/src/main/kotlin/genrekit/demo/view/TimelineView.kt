package genrekit.demo.view

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import genrekit.core.Segment
import genrekit.demo.R

/** The best genre of each window, one coloured column each; paler where it was less sure. */
class TimelineView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val column = Paint()
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.text)
        textSize = resources.getDimension(R.dimen.bar_text)
    }

    // One colour per genre, spread around the wheel.
    private var hues: Map<String, Float> = emptyMap()

    /** The model's genres. */
    var labels: List<String> = emptyList()
        set(value) {
            field = value
            hues = value.withIndex().associate { (index, label) -> label to index * 360f / value.size }
        }

    /** Oldest first. */
    var segments: List<Segment> = emptyList()
        set(value) {
            field = value
            contentDescription = value.lastOrNull()?.let { resources.getString(R.string.timeline_spoken, it.label, it.endS) }
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        if (segments.isEmpty()) return
        val width = width.toFloat() / maxOf(segments.size, MIN_COLUMNS)
        val bottom = height - 2 * text.textSize
        var labelled = ""
        var labelEnd = 0f
        segments.forEachIndexed { index, segment ->
            val alpha = (55 + 200 * segment.probability).toInt().coerceIn(0, 255)
            column.color = Color.HSVToColor(alpha, floatArrayOf(hues[segment.label] ?: 0f, 0.7f, 0.8f))
            canvas.drawRect(index * width, 0f, (index + 1) * width, bottom, column)
            if (segment.label != labelled && index * width >= labelEnd) {
                canvas.drawText(segment.label, index * width, bottom + 1.5f * text.textSize, text)
                labelled = segment.label
                labelEnd = index * width + text.measureText("${segment.label} ")
            }
        }
    }

    private companion object {
        const val MIN_COLUMNS = 10 // a short song's columns are no wider
    }
}
