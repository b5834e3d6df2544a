import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** That of browsers; what is in an update does not matter here. */
globalThis.DOMParser = class {
  parseFromString() {
    return { querySelector: () => null, querySelectorAll: () => [], documentElement: null };
  }
};
const { Connection } = await import("../../media/board/static/board/connection.js");

/** A page, a server and its socket, which do what the test says. */
let asked, socket, timers, intervals, seen, connection;

class Socket {
  constructor() {
    socket = this;
    queueMicrotask(() => this.onopen?.());
  }
  send() {}
  close() {}
}

/** A body is read by parts, each in a turn of its own. */
async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  [asked, timers, intervals, seen, socket] = [[], [], [], [], null];
  globalThis.window = { addEventListener() {} };
  globalThis.document = { addEventListener() {}, hidden: false };
  globalThis.WebSocket = Socket;
  globalThis.fetch = (url, { signal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      asked.push((position, status = 200, user = "1234") =>
        resolve(new Response(JSON.stringify({ user, position, replayFrom: 0 }), { status })),
      );
    });
  globalThis.setTimeout = (call, delay) => timers.push({ call, delay });
  globalThis.setInterval = (call) => intervals.push(call);
  globalThis.clearTimeout = (number) => number && (timers[number - 1].call = () => {});
  connection = new Connection({
    user: "1234",
    boardUrl: "/board",
    socketUrl: "/socket",
    clock: { observe() {} },
    on: {
      state: (name) => seen.push(name),
      board: ({ position }) => seen.push(`board ${position}`),
      notification() {},
      change: ({ position }) => seen.push(`change ${position}`),
      note() {},
      otherUser: () => seen.push("other user"),
    },
  });
});

/** The delay is over for whatever waits to load the board again. */
function refreshIsDue() {
  const due = timers.filter(({ delay, call }) => delay < 500 && call);
  timers.forEach((timer) => due.includes(timer) && (timer.delay = Infinity));
  due.forEach(({ call }) => call());
}

const frame = (position) =>
  socket.onmessage({
    data: JSON.stringify({ type: "notification", position, node: "/n", source: "/s", event: "PUT", update: "<Update/>" }),
  });

async function live(position) {
  connection.start();
  await settled();
  asked.shift()(position);
  await settled();
  socket.onmessage({ data: JSON.stringify({ type: "subscribed", position, resume: "live" }) });
}

test("boards that are asked for at once are loaded one after another", async () => {
  await live(100);
  connection.refreshBoard();
  refreshIsDue();
  connection.refreshBoard();
  refreshIsDue();
  connection.refreshBoard();
  refreshIsDue();
  await settled();
  assert.equal(asked.length, 1);
  asked.shift()(101);
  await settled();
  assert.equal(asked.length, 0);
  refreshIsDue();
  await settled();
  assert.equal(asked.length, 1);
  frame(106);
  asked.shift()(105);
  await settled();
  // What is newer than the last board comes after it, and there is nothing after that.
  assert.deepEqual(seen.filter((one) => /board|change/.test(one)), ["board 100", "board 101", "board 105", "change 106"]);
});

test("a board that was asked for while another one came is loaded after a lost connection, too", async () => {
  await live(100);
  connection.refreshBoard();
  refreshIsDue();
  await settled();
  connection.refreshBoard();
  asked.shift()(101);
  await settled();
  connection.dropSocket();
  const reconnect = timers.findLast(({ delay }) => delay !== Infinity);
  reconnect.call();
  await settled();
  assert.equal(asked.length, 1);
});

test("a refusal of the key before does not end a session that goes on by another", async () => {
  await live(100);
  connection.refreshBoard();
  refreshIsDue();
  await settled();
  connection.goOn();
  asked.shift()(0, 401);
  await settled();
  assert.equal(connection.hasEnded, false);
  timers.findLast(({ delay }) => delay === 0).call();
  await settled();
  asked.shift()(101);
  await settled();
  assert.equal(seen.at(-1), "board 101");
});

test("a refusal of the key that is used now ends it", async () => {
  await live(100);
  connection.goOn();
  connection.refreshBoard();
  refreshIsDue();
  await settled();
  asked.shift()(0, 401);
  await settled();
  assert.equal(connection.hasEnded, true);
});

test("a board of another user, who has signed in in another tab, is not shown as the first one's", async () => {
  await live(100);
  connection.refreshBoard();
  refreshIsDue();
  await settled();
  asked.shift()(101, 200, "1300");
  await settled();
  assert.equal(seen.at(-1), "other user");
  assert.deepEqual(seen.filter((one) => /board/.test(one)), ["board 100"]);
});

test("a board that comes by parts over a slow network is not given up between them", async () => {
  let send;
  globalThis.fetch = async () => new Response(new ReadableStream({ start: (controller) => (send = controller) }));
  connection.start();
  await settled();
  const whole = new TextEncoder().encode(JSON.stringify({ user: "1234", position: 100, replayFrom: 0 }));
  for (const byte of whole) {
    const before = timers.length;
    send.enqueue(Uint8Array.of(byte));
    await settled();
    // Each part begins the time for an answer anew.
    assert.equal(timers.length, before + 1);
  }
  send.close();
  await settled();
  assert.ok(seen.includes("board 100"));
});

test("after its machine has slept the page does not trust the connection any more", async () => {
  const { now } = Date;
  try {
    await live(100);
    const at = now();
    Date.now = () => at + 60_000;
    intervals.forEach((call) => call());
    assert.equal(seen.at(-1), "live");
    Date.now = () => at + 60_000 + 3_600_000;
    intervals.forEach((call) => call());
    assert.equal(seen.at(-1), "reconnecting");
  } finally {
    Date.now = now;
  }
});
