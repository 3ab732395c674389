package genrekit.demo.view

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import genrekit.core.Segment
import genrekit.demo.R

/** The best genre of each window, one coloured column each; paler where it was less sure. */
class TimelineView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val gap = resources.getDimension(R.dimen.timeline_gap)
    private val column = Paint()
    private val track = Paint().apply { color = context.getColor(R.color.track) }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.caption)
        textSize = resources.getDimension(R.dimen.bar_text)
    }

    /** Colours of the model's genres. */
    var colors = GenreColors(emptyList())

    /** Oldest first. */
    var segments: List<Segment> = emptyList()
        set(value) {
            field = value
            contentDescription = value.lastOrNull()?.let { resources.getString(R.string.timeline_spoken, it.label, it.endS) }
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        if (segments.isEmpty()) return
        val pitch = width.toFloat() / maxOf(segments.size, MIN_COLUMNS)
        val bottom = height - 1.75f * text.textSize
        var labelled = ""
        var labelEnd = 0f
        canvas.drawRect(0f, 0f, width.toFloat(), bottom, track)
        segments.forEachIndexed { index, segment ->
            column.color = colors.of(segment.label, segment.probability)
            canvas.drawRect(index * pitch, 0f, (index + 1) * pitch - gap, bottom, column)
            if (segment.label != labelled && index * pitch >= labelEnd) {
                canvas.drawText(segment.label, index * pitch, bottom + 1.25f * text.textSize, text)
                labelled = segment.label
                labelEnd = index * pitch + text.measureText("${segment.label} ")
            }
        }
    }

    private companion object {
        const val MIN_COLUMNS = 10 // a short song's columns are no wider
    }
}
