package genrekit.demo.view

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import genrekit.core.Score
import genrekit.demo.R
import java.util.Locale

/** Ranked genres as bars: label, bar, percentage. TalkBack hears the first three. */
class BarsView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val row = resources.getDimension(R.dimen.bar_row)
    private val gap = resources.getDimension(R.dimen.bar_gap)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.text)
        textSize = resources.getDimension(R.dimen.bar_text)
    }
    private val bar = Paint().apply { color = context.getColor(R.color.bar) }
    private val track = Paint().apply { color = context.getColor(R.color.track) }

    /** Most probable first. */
    var scores: List<Score> = emptyList()
        set(value) {
            val resized = value.size != field.size
            field = value
            contentDescription = value.take(SPOKEN).joinToString { "${it.label} ${percent(it)}" }
            if (resized) requestLayout()
            invalidate()
        }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val height = (scores.size * row).toInt()
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, widthSpec), resolveSize(height, heightSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val labels = scores.maxOfOrNull { text.measureText(it.label) } ?: return
        val numbers = text.measureText("100 %")
        val left = labels + gap
        val right = width - numbers - gap
        scores.forEachIndexed { index, score ->
            val top = index * row + gap / 2
            val bottom = (index + 1) * row - gap / 2
            val baseline = (top + bottom - text.ascent() - text.descent()) / 2
            canvas.drawText(score.label, 0f, baseline, text)
            canvas.drawRect(left, top, right, bottom, track)
            canvas.drawRect(left, top, left + (right - left) * score.probability.toFloat(), bottom, bar)
            canvas.drawText(percent(score), right + gap, baseline, text)
        }
    }

    private fun percent(score: Score): String = String.format(Locale.getDefault(), "%.0f %%", 100 * score.probability)

    private companion object {
        const val SPOKEN = 3
    }
}
