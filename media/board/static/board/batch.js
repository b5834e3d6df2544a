/**
 * Returns a function that asks for `work` to be done once, in the next frame. Frames stop in a
 * hidden tab, hence the timer.
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
