import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOrigin } from "../../media/board/static/board/origin.js";

test("what the system does is said to be by the system", () => {
  for (const cause of ["system", "limit", "inactive", "removed", "deleted"]) {
    assert.match(describeOrigin({ cause, actor: null }), /^by the system/);
  }
  assert.equal(
    describeOrigin({ cause: "limit", actor: null, note: "" }),
    "by the system, as the time for the reason was over",
  );
});
