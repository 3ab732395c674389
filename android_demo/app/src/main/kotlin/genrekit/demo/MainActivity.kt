package genrekit.demo

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.media.AudioManager
import android.os.Bundle
import android.view.View
import android.widget.AdapterView
import genrekit.demo.audio.Documents
import genrekit.demo.state.ModelState
import genrekit.demo.state.Page
import genrekit.demo.state.Work

/** The one screen: passes what the user does to the [Presenter], and its state to the [Screen]. */
class MainActivity : Activity() {
    private lateinit var presenter: Presenter
    private lateinit var screen: Screen

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.main)
        keepClearOfSystemBars(findViewById(R.id.root))
        screen = Screen(this)
        // The framework's own way to keep an object over a rotation, without AndroidX.
        @Suppress("DEPRECATION")
        val kept = lastNonConfigurationInstance as Presenter?
        presenter = kept ?: Presenter(ModelStore(assets), Documents(contentResolver, cacheDir), getSystemService(AudioManager::class.java))
        presenter.onChange = screen::show
        screen.show(presenter.state)
        if (kept == null) {
            presenter.start(saved?.getString(MODEL))
            saved?.getString(PAGE)?.let { presenter.show(Page.valueOf(it)) }
        }
        listenToUser()
    }

    @Deprecated("the framework's own; AndroidX has a ViewModel for it")
    override fun onRetainNonConfigurationInstance(): Any = presenter

    override fun onSaveInstanceState(out: Bundle) {
        super.onSaveInstanceState(out)
        (presenter.state.model as? ModelState.Ready)?.let { out.putString(MODEL, it.name) }
        out.putString(PAGE, presenter.state.page.name)
    }

    override fun onStop() {
        super.onStop()
        if (!isChangingConfigurations) presenter.pause()
    }

    override fun onDestroy() {
        super.onDestroy()
        if (isChangingConfigurations) presenter.onChange = null else presenter.close()
    }

    private fun listenToUser() {
        screen.microphone.setOnClickListener { toggleMicrophone() }
        screen.open.setOnClickListener { pickSong() }
        screen.selfTest.setOnClickListener { presenter.selfTest() }
        for ((page, button) in screen.pages) button.setOnClickListener { presenter.show(page) }
        screen.models.onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>, view: View?, position: Int, id: Long) {
                val name = presenter.state.models[position]
                val shown = when (val model = presenter.state.model) {
                    ModelState.None -> null
                    is ModelState.Loading -> model.name
                    is ModelState.Ready -> model.name
                    is ModelState.Failed -> model.name
                }
                // The spinner also tells of selections that the program made.
                if (name != shown) presenter.choose(name)
            }

            override fun onNothingSelected(parent: AdapterView<*>) = Unit
        }
    }

    private fun toggleMicrophone() {
        when {
            presenter.state.work is Work.Listening -> presenter.stop()
            checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED -> presenter.listen()
            else -> requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), REQUEST_MICROPHONE)
        }
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (request != REQUEST_MICROPHONE || results.isEmpty()) return // empty: the dialog was interrupted
        if (results[0] == PackageManager.PERMISSION_GRANTED) {
            presenter.listen()
        } else {
            presenter.denied(forever = !shouldShowRequestPermissionRationale(Manifest.permission.RECORD_AUDIO))
        }
    }

    private fun pickSong() {
        val pick = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType("audio/*")
            .putExtra(Intent.EXTRA_MIME_TYPES, arrayOf("audio/wav", "audio/x-wav", "audio/vnd.wave"))
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(pick, REQUEST_SONG)
        } catch (_: ActivityNotFoundException) {
            presenter.refused(getString(R.string.no_file_dialog))
        }
    }

    @Deprecated("the framework's own; AndroidX has contracts for it")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (request == REQUEST_SONG && result == RESULT_OK) data?.data?.let(presenter::read)
    }

    /** From Android 15 on an app draws behind the system's bars. */
    private fun keepClearOfSystemBars(root: View) {
        val padding = root.paddingLeft
        root.setOnApplyWindowInsetsListener { view, insets ->
            @Suppress("DEPRECATION") // its successor is of API 30
            view.setPadding(
                padding + insets.systemWindowInsetLeft,
                padding + insets.systemWindowInsetTop,
                padding + insets.systemWindowInsetRight,
                padding + insets.systemWindowInsetBottom,
            )
            insets
        }
    }

    private companion object {
        const val REQUEST_MICROPHONE = 1
        const val REQUEST_SONG = 2
        const val MODEL = "model"
        const val PAGE = "page"
    }
}
