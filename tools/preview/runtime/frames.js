/** Runs `action` at the next frame, also where frames do not come because the tab is hidden. */
export function nextFrame(action) {
  let done = false
  const run = () => {
    if (done) return
    done = true
    action()
  }
  requestAnimationFrame(run)
  setTimeout(run, 60)
}
