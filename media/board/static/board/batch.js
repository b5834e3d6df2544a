/** Between two calls of `work`, so that hundreds of changes a second are drawn four times a second. */
const INTERVAL_MS = 250;

/**
 * Returns a function that schedules `work` for the next frame, and not sooner than a quarter of a
 * second after the last time; more calls before that add nothing. A hidden tab draws no frames, hence
 * the timer.
 */
export function batched(work) {
  let frame = 0;
  let timer = 0;
  let last = -Infinity;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    work();
  };
  const draw = () => {
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, INTERVAL_MS);
  };
  return () => {
    if (timer) return;
    const wait = last + INTERVAL_MS - performance.now();
    if (wait > 0) timer = setTimeout(draw, wait);
    else draw();
  };
}
