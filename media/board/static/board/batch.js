/**
 * Returns a function that schedules `work` for the next frame; more calls before that frame add
 * nothing. A hidden tab draws no frames, hence the timer.
 */
export function batched(work) {
  let frame = 0;
  let timer = 0;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = 0;
    work();
  };
  return () => {
    if (timer) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, 250);
  };
}
