package genrekit.demo.state

/**
 * Returns the state after [event].
 *
 * Events of work that was stopped meanwhile, or of a model that is no longer chosen, change
 * nothing: a thread that ends late cannot disturb what the screen shows.
 */
fun reduce(state: UiState, event: Event): UiState =
    when (event) {
        is Event.ModelsFound -> state.copy(models = event.names)
        is Event.ModelChosen ->
            state.copy(
                model = ModelState.Loading(event.name), work = Work.Idle, hearing = null, verification = null, notice = null,
            )
        is Event.ModelLoaded ->
            if (state.model != ModelState.Loading(event.name)) state
            else state.copy(model = ModelState.Ready(event.name, event.card, event.engine, event.sizeBytes))
        is Event.ModelFailed ->
            if (state.model != ModelState.Loading(event.name)) state
            else state.copy(model = ModelState.Failed(event.name, event.reason))
        is Event.PageChosen -> state.copy(page = event.page)
        is Event.Started -> start(state, event.work)
        is Event.Heard -> ifCurrent(state, event.id) { it.copy(hearing = event.hearing) }
        is Event.Silenced ->
            ifCurrent(state, event.id) { it.copy(notice = if (event.silenced) Notice.MicrophoneSilenced else null) }
        is Event.Verified -> ifCurrent(state, event.id) { it.copy(verification = event.verification) }
        is Event.Ended ->
            ifCurrent(state, event.id) { current ->
                current.copy(work = Work.Idle, notice = event.reason?.let(Notice::Failed) ?: current.notice)
            }
        Event.Stopped -> state.copy(work = Work.Idle, notice = null)
        is Event.PermissionDenied -> state.copy(notice = Notice.MicrophoneDenied(event.forever))
        is Event.Refused -> state.copy(notice = Notice.Failed(event.reason))
    }

private fun start(state: UiState, work: Work): UiState =
    when {
        !state.canStart -> state
        work is Work.Testing -> state.copy(work = work, verification = null, notice = null)
        else -> state.copy(work = work, hearing = null, notice = null)
    }

private inline fun ifCurrent(state: UiState, id: Int, change: (UiState) -> UiState): UiState {
    val current = when (val work = state.work) {
        Work.Idle -> null
        is Work.Listening -> work.id
        is Work.Reading -> work.id
        is Work.Testing -> work.id
    }
    return if (current == id) change(state) else state
}
