package genrekit.demo.view

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.util.AttributeSet
import android.view.View
import genrekit.core.Score
import genrekit.demo.R
import java.util.Locale

/** Ranked genres as bars: label, bar, percentage. TalkBack hears the first three. */
class BarsView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val row = resources.getDimension(R.dimen.bar_row)
    private val gap = resources.getDimension(R.dimen.bar_gap)
    private val thickness = resources.getDimension(R.dimen.bar_thickness)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.text)
        textSize = resources.getDimension(R.dimen.bar_text)
    }
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG)
    private val track = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.track) }

    /** Colours of the model's genres. */
    var colors = GenreColors(emptyList())

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
        val left = (scores.maxOfOrNull { text.measureText(it.label) } ?: return) + gap
        val right = width - text.measureText("100 %") - gap
        scores.forEachIndexed { index, score ->
            val middle = (index + 0.5f) * row
            val baseline = middle - (text.ascent() + text.descent()) / 2
            text.typeface = if (index == 0) Typeface.DEFAULT_BOLD else Typeface.DEFAULT
            bar.color = colors.of(score.label)
            canvas.drawText(score.label, 0f, baseline, text)
            drawBar(canvas, left, right, middle, track)
            canvas.save()
            canvas.clipRect(left, 0f, left + (right - left) * score.probability.toFloat(), height.toFloat())
            drawBar(canvas, left, right, middle, bar)
            canvas.restore()
            canvas.drawText(percent(score), width - text.measureText(percent(score)), baseline, text)
        }
    }

    private fun drawBar(canvas: Canvas, left: Float, right: Float, middle: Float, paint: Paint) =
        canvas.drawRoundRect(left, middle - thickness / 2, right, middle + thickness / 2, thickness / 2, thickness / 2, paint)

    private fun percent(score: Score): String = String.format(Locale.getDefault(), "%.0f %%", 100 * score.probability)

    private companion object {
        const val SPOKEN = 3
    }
}
