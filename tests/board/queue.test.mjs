import assert from "node:assert/strict";
import { test } from "node:test";
import { placeInQueue } from "../../media/board/static/board/queue.js";

test("a place in a queue is said as people say it", () => {
  const said = [1, "2", 3, 4, 11, 22].map((place) => placeInQueue(place, 23));
  assert.deepEqual(said, ["1st of 23", "2nd of 23", "3rd of 23", "4th of 23", "11th of 23", "22nd of 23"]);
});
