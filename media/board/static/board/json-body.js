/**
 * The JSON of a response, which calls `onPart` with each part of it that comes: over a slow network each
 * is a sign of life. Rejects if the connection is lost, or if it is no JSON.
 */
export async function jsonOf(response, onPart) {
  const body = response.body.getReader();
  const parts = [];
  for (;;) {
    const { done, value } = await body.read();
    if (done) return JSON.parse(await new Blob(parts).text());
    onPart();
    parts.push(value);
  }
}
